import pytest

from batchanator.api.entries import entries_of, parse_items
from batchanator.ingest.entries import chunk_of


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ("5", "not_object"),
        ('["a"]', "not_object"),
        ('{"payload": {}}', "key_missing"),
        ('{"idempotencyKey": 5, "payload": {}}', "key_not_string"),
        ('{"idempotencyKey": null, "payload": {}}', "key_not_string"),
        ('{"idempotencyKey": "", "payload": {}}', "key_empty"),
        ('{"idempotencyKey": "a\\u0000b", "payload": {}}', "key_has_nul"),
        ('{"idempotencyKey": "a"}', "not_json"),
        ('{"idempotencyKey": "a", "payloadJson": "{"}', "not_json"),
        ('{"idempotencyKey": "a", "payload": NaN}', "not_json"),
    ],
)
def test_a_bad_item_is_a_reject_with_its_own_code_and_its_neighbours_go_on(item: str, code: str) -> None:
    before, after = (
        '{"idempotencyKey": "before", "payload": {}}',
        '{"idempotencyKey": "after", "payloadJson": "[1]"}',
    )
    body = f'{{"items": [{before}, {item}, {after}]}}'
    chunk = chunk_of(entries_of(parse_items(body.encode()).items), first_line=1, chain=b"")
    assert [(reject.line, str(reject.code)) for reject in chunk.rejects] == [(2, code)]
    assert chunk.keys == ["before", "after"]
    assert chunk.payloads == [b"{}", b"[1]"]
