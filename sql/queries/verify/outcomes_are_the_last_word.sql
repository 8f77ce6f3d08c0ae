-- I1: No attempt comes after an item's outcome: none has a higher fence, and none that of a success or a skip.
SELECT o.job_id, o.seq, o.status, o.fence, a.attempt, a.fence AS attempt_fence
FROM attempts a JOIN outcomes o ON o.job_id = a.job_id AND o.seq = a.seq
WHERE a.fence > o.fence OR (a.fence = o.fence AND o.status IN ('succeeded', 'skipped'))
ORDER BY o.job_id, o.seq, a.attempt LIMIT :limit
