"""Every invariant, as SQL: a query returns rows only where one is broken."""

from tests.process.reading import read

# Portable; named by faults.md's numbers.
_BROKEN = {
    "I1, I5: the slices of a job do not overlap": """
        SELECT s.job_id, s.first_seq FROM slices s JOIN slices t ON t.job_id = s.job_id AND t.first_seq > s.first_seq
        AND t.first_seq <= s.last_seq""",
    "I3: leased means a worker that has a row": """
        SELECT s.job_id, s.first_seq FROM slices s WHERE (s.state = 1) <> (s.worker IS NOT NULL)
        OR (s.state = 1 AND NOT EXISTS (SELECT 1 FROM workers w WHERE w.incarnation = s.worker))""",
    "I5: an item without a final outcome is covered by a slice, one with it by none that is open for it": """
        SELECT i.job_id, i.seq FROM items i WHERE NOT EXISTS (
          SELECT 1 FROM outcomes o WHERE o.job_id = i.job_id AND o.seq = i.seq AND o.status <> 'retrying')
        AND (EXISTS (SELECT 1 FROM outcomes o WHERE o.job_id = i.job_id AND o.seq = i.seq)
          OR NOT EXISTS (SELECT 1 FROM runs r WHERE r.job_id = i.job_id AND i.seq BETWEEN r.first_seq AND r.last_seq))
        AND NOT EXISTS (SELECT 1 FROM slices s WHERE s.job_id = i.job_id AND i.seq BETWEEN s.first_seq AND s.last_seq)""",
    "I6: attempts are at most those allowed, and each failed one is in the log": """
        SELECT o.job_id, o.seq FROM outcomes o WHERE o.attempts > o.max_attempts AND o.reason IS DISTINCT FROM 'crashed'
        OR (SELECT count(*) FROM attempts a WHERE a.job_id = o.job_id AND a.seq = o.seq) NOT IN (o.attempts, o.attempts - 1)""",
    "I8, I22: every item holds its key, unless another took it": """
        SELECT i.job_id, i.seq FROM items i JOIN jobs j ON j.id = i.job_id WHERE NOT EXISTS (
          SELECT 1 FROM idempotency_keys k WHERE k.job_type_id = j.job_type_id AND k.key = i.idempotency_key)""",
    "I9: lines = accepted + duplicates + rejected, as rows": """
        SELECT j.id FROM jobs j WHERE j.lines <> j.accepted + j.duplicates + j.rejected
        OR j.accepted <> (SELECT count(*) FROM items i WHERE i.job_id = j.id)
        OR j.rejected <> (SELECT count(*) FROM rejects r WHERE r.job_id = j.id)
        OR j.accepted <> (SELECT coalesce(sum(b.total), 0) FROM batches b WHERE b.job_id = j.id)""",
    "I11, I14: an ended job is sealed": """
        SELECT id FROM jobs WHERE ended_at IS NOT NULL AND (sealed_at IS NULL OR ended_at < created_at)""",
    "I12: a batch counts what is on record": """
        SELECT b.job_id, b.number FROM batches b WHERE b.succeeded <> (
          SELECT count(*) FROM batch_items i WHERE i.job_id = b.job_id AND i.seq BETWEEN b.first_seq AND b.last_seq AND i.status = 'succeeded')
        OR b.skipped <> (SELECT count(*) FROM outcomes o WHERE o.job_id = b.job_id AND o.seq BETWEEN b.first_seq AND b.last_seq AND o.status = 'skipped')
        OR b.dead <> (SELECT count(*) FROM outcomes o WHERE o.job_id = b.job_id AND o.seq BETWEEN b.first_seq AND b.last_seq AND o.status = 'dead')
        OR b.cancelled <> (
          SELECT count(*) FROM batch_items i WHERE i.job_id = b.job_id AND i.seq BETWEEN b.first_seq AND b.last_seq AND i.status = 'cancelled')""",
    "I12: a job counts its closed batches": """
        SELECT j.id FROM jobs j WHERE j.batches <> (SELECT count(*) FROM batches b WHERE b.job_id = j.id)
        OR j.batches_open <> (SELECT count(*) FROM batches b WHERE b.job_id = j.id AND b.completed_at IS NULL)
        OR j.succeeded <> (SELECT coalesce(sum(b.succeeded), 0) FROM batches b WHERE b.job_id = j.id AND b.completed_at IS NOT NULL)
        OR j.dead <> (SELECT coalesce(sum(b.dead), 0) FROM batches b WHERE b.job_id = j.id AND b.completed_at IS NOT NULL)""",
    "I12: runs do not overlap": """
        SELECT r.job_id, r.first_seq FROM runs r JOIN runs t ON t.job_id = r.job_id AND t.first_seq > r.first_seq
        AND t.first_seq <= r.last_seq""",
    "I13: a batch has ended if and only if it has no slice": """
        SELECT b.job_id, b.number FROM batches b WHERE (b.completed_at IS NULL) <> EXISTS (
          SELECT 1 FROM slices s WHERE s.job_id = b.job_id AND s.batch = b.number)""",
    "I13: a job has ended if and only if it is sealed and all its batches have": """
        SELECT j.id FROM jobs j WHERE (j.ended_at IS NOT NULL) <> (j.sealed_at IS NOT NULL AND j.batches_open = 0)""",
    "a slice knows how many of its items are open": """
        SELECT s.job_id, s.first_seq FROM slices s WHERE s.open <> (
          SELECT count(*) FROM batch_items i WHERE i.job_id = s.job_id AND i.seq BETWEEN s.first_seq AND s.last_seq
          AND i.status IN ('pending', 'processing', 'retrying'))""",
    "I16: a dead letter has an error": "SELECT job_id, seq FROM outcomes WHERE status = 'dead' AND error IS NULL",
    "I29: an ended round has one event": """
        SELECT j.id FROM jobs j WHERE j.round - (CASE WHEN j.ended_at IS NULL THEN 1 ELSE 0 END)
          <> (SELECT count(*) FROM events e WHERE e.job_id = j.id)""",
}


def assert_verified(url: str) -> None:
    found = read(url, *_BROKEN.values())
    broken = {name: rows[:10] for name, rows in zip(_BROKEN, found, strict=True) if rows}
    assert not broken, broken
