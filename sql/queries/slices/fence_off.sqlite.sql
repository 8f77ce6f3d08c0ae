-- Free slices that cover one of :seqs get a new fence, as on PostgreSQL; here no claim can be under way.
UPDATE slices SET fence = fence + 1
WHERE job_id = :job_id AND state <> 1 AND first_seq <= (SELECT max(value) FROM json_each(:seqs))
  AND last_seq >= (SELECT min(value) FROM json_each(:seqs))
  AND EXISTS (SELECT 1 FROM json_each(:seqs) q WHERE q.value BETWEEN slices.first_seq AND slices.last_seq)
