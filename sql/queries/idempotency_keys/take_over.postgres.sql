-- Move keys from their dead or cancelled holders to new lines, each guarded by the holder that was seen under the lock
-- of its batch; returns the seqs that took one.
UPDATE idempotency_keys k SET job_id = :job_id, seq = u.seq, payload_hash = u.payload_hash
FROM unnest(:takes.key::text[], :takes.seq::bigint[], :takes.payload_hash::bigint[], :takes.holder_job_id::bigint[],
  :takes.holder_seq::bigint[]) AS u (key, seq, payload_hash, holder_job_id, holder_seq)
WHERE k.job_type_id = :job_type_id AND k.key = u.key AND k.job_id = u.holder_job_id AND k.seq = u.holder_seq
RETURNING k.seq
