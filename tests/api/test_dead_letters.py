"""Dead letters: listed, given fresh attempts, or emptied while keys and counts stay true."""

from tests.api.client import Client


async def dead_job(client: Client, *plans: dict[str, object]) -> int:
    job_id = await client.items(*plans)
    await client.ended(job_id)
    return job_id


async def test_a_replay_gives_fresh_attempts_and_opens_the_next_round(live: Client) -> None:
    job_id = await dead_job(live, {"does": "die"}, {}, {"does": "fail"}, {"does": "die"})
    pages = await live.pages(f"/jobs/{job_id}/dead-letter?limit=2")
    assert [[item["seq"] for item in page] for page in pages] == [[1, 3], [4]]
    assert [item["reason"] for page in pages for item in page] == ["permanent", "exhausted", "permanent"]
    answer = await live.post(f"/jobs/{job_id}/dead-letter/replay")
    assert (answer.status, answer.json) == (
        200,
        {"replayedCount": 3, "leftOut": {"replaced": 0, "purged": 0}},
    )
    job = await live.ended(job_id)
    assert (job["round"], job["status"], job["counts"]["dead"]) == (2, "partially_completed", 3)
    item = (await live.get(f"/jobs/{job_id}/items/1")).json
    assert (item["attempts"], [one["attempt"] for one in item["attemptsLog"]]) == (2, [1, 2])


async def test_a_purge_empties_the_payloads_and_nothing_else(live: Client) -> None:
    job_id = await dead_job(live, {"does": "die"}, {}, {"does": "die"})
    before = await live.job(job_id)
    answer = await live.ask("DELETE", f"/jobs/{job_id}/dead-letter")
    assert (answer.status, answer.json) == (200, {"purgedCount": 2})
    assert (await live.ask("DELETE", f"/jobs/{job_id}/dead-letter")).json == {"purgedCount": 0}
    assert (await live.get(f"/jobs/{job_id}/dead-letter")).json["data"] == []
    item = (await live.get(f"/jobs/{job_id}/items/1")).json
    assert (item["status"], item["payload"], item["purgedAt"] is not None) == ("dead", None, True)
    assert (await live.job(job_id))["counts"] == before["counts"]
    replay = (await live.post(f"/jobs/{job_id}/dead-letter/replay")).json
    assert replay == {"replayedCount": 0, "leftOut": {"replaced": 0, "purged": 2}}
    results = (await live.get(f"/jobs/{job_id}/results?status=dead")).lines
    assert [line["input"] for line in results] == [None, None]
    again = await live.items({"does": "die"}, {}, {"does": "die"})
    assert (await live.ended(again))["source"]["duplicates"] == 3, "a purged item keeps its key"
    held = (await live.get(f"/jobs/{again}/duplicates")).json["data"]
    assert [one["kind"] for one in held] == ["dead_holder", "duplicate", "dead_holder"]


async def test_a_replaced_dead_letter_says_so_everywhere_and_is_left_out_of_a_replay(live: Client) -> None:
    job_id = await dead_job(live, {"does": "die"}, {"does": "die"})
    mended = await dead_job(live, {})
    by = {"jobId": mended, "seq": 1}
    assert (await live.get(f"/jobs/{job_id}/items/1")).json["replacedBy"] == by
    for path in ("dead-letter", "items", "items?status=dead", "items?errorCode=hopeless"):
        listed = (await live.get(f"/jobs/{job_id}/{path}")).json["data"]
        assert [item["replacedBy"] for item in listed] == [by, None], path
    lines = (await live.get(f"/jobs/{job_id}/results")).lines
    assert [line.get("replacedBy") for line in lines] == [by, None]
    replay = (await live.post(f"/jobs/{job_id}/dead-letter/replay")).json
    assert replay == {"replayedCount": 1, "leftOut": {"replaced": 1, "purged": 0}}
    await live.ended(job_id)


async def test_no_replay_while_a_job_is_stopping(quiet: Client) -> None:
    job_id = await quiet.items({}, {})
    await quiet.world.job_type("echo")
    await quiet.world.claim(await quiet.world.worker())
    await quiet.post(f"/jobs/{job_id}/cancel")
    answer = await quiet.post(f"/jobs/{job_id}/dead-letter/replay")
    assert (answer.status, answer.problem) == (409, "conflict")


async def test_dead_letters_of_no_job(quiet: Client) -> None:
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/replay")):
        answer = await quiet.ask(method, f"/jobs/99/dead-letter{path}")
        assert (answer.status, answer.problem) == (404, "not-found")
