-- Read batches; the transaction that asks is the only writer.
SELECT b.job_id, b.number, b.first_seq, b.last_seq, b.total, b.succeeded, b.skipped, b.dead, b.cancelled, b.completed_at
FROM json_each(:batches) u CROSS JOIN batches b ON b.job_id = u.value ->> 'job_id' AND b.number = u.value ->> 'number'
ORDER BY b.job_id, b.number
