"""What stands in an address is checked, and named where it is wrong."""

from tests.api.client import Client

HUGE = str(2**63)


NOT_THERE = (
    "/jobs/x", "/jobs/-1", "/jobs/1.5", f"/jobs/{HUGE}", "/jobs/%D9%A3", "/jobs/1%00", "/jobs/ 1", "/jobs/%ff",
    "/jobs/1/items/x", "/jobs/1/items/0", f"/jobs/1/items/{HUGE}", "/batches/1/items", "/batches/1-x/items",
    "/batches/1-1-1/items", f"/batches/1-{2**31}/items", "/batches/1-2/items", "/jobs/99/items", "/jobs/99/batches",
    "/jobs/99/rejects", "/jobs/99/duplicates", "/jobs/99/lapses", "/jobs/99/errors", "/jobs/99/results",
    "/jobs/99/dead-letter", "/nope", "/", "/jobs/", "/jobs/1/nope", "//jobs", "/jobs/../jobs/1/x",
)  # fmt: skip
WRONG = (
    ("/jobs?limit=0", "limit"), ("/jobs?limit=1001", "limit"), ("/jobs?limit=x", "limit"),
    ("/jobs?limit=", "limit"),
    (f"/jobs?after={HUGE}", "after"), ("/jobs?after=-1", "after"), ("/jobs?status=done", "status"),
    ("/jobs?stauts=failed", "stauts"), ("/jobs?limit=1&limit=2", "limit"), ("/jobs?jobType=", "jobType"),
    ("/jobs?jobType=a%00b", "jobType"), ("/jobs/1?x=1", "x"), ("/jobs/1/items?status=failed", "status"),
    ("/jobs/1/items?errorCode=%00", "errorCode"), ("/jobs/1/lapses?after=5", "after"),
    ("/jobs/1/lapses?after=a.b", "after"), ("/batches/1-1/items?take=1000000000", "take"),
    ("/batches/1-1/items?skip=1&after=2", "after"), (f"/batches/1-1/items?skip={HUGE}", "skip"),
    ("/jobs/1/results?status=retrying", "status"), ("/jobs/1/results?order=settled", "order"),
    ("/jobs/1/results?order=x", "order"), (f"/jobs/1/batches?after={2**31}", "after"), ("/handlers?x=", "x"),
)  # fmt: skip


async def test_what_is_not_there_is_a_404(quiet: Client) -> None:
    for path in NOT_THERE:
        answer = await quiet.get(path.replace(" ", "%20"))
        assert (answer.status, answer.problem) == (404, "not-found"), path


async def test_a_wrong_parameter_is_named(quiet: Client) -> None:
    await quiet.items({})
    for path, name in WRONG:
        answer = await quiet.get(path)
        assert (answer.status, answer.problem) == (422, "invalid-request"), path
        assert [error["pointer"] for error in answer.json["errors"]] == [name]


async def test_an_unknown_job_type_in_a_filter_is_named(quiet: Client) -> None:
    answer = await quiet.get("/jobs?jobType=nope")
    assert (answer.status, answer.problem) == (422, "unknown-job-type")


async def test_the_largest_cursors_are_ends_of_lists(quiet: Client) -> None:
    job_id = await quiet.items({})
    most = 2**62 - 1
    for path in (
        f"/jobs/{job_id}/items?after={most}",
        f"/jobs/{job_id}/items?after={most}&status=pending",
        f"/jobs/{job_id}/items?after={most}&errorCode=x",
        f"/jobs/{job_id}/duplicates?after={most}",
        f"/jobs/{job_id}/rejects?after={most}",
        f"/jobs/{job_id}/lapses?after={most}.{most}",
        f"/batches/{job_id}-1/items?skip={most}",
        f"/jobs/{job_id}/dead-letter?after={most}",
    ):
        answer = await quiet.get(path)
        assert (answer.status, answer.json["data"]) == (200, []), path
