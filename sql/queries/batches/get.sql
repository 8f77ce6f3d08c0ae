SELECT number, first_seq, last_seq FROM batches WHERE job_id = :job_id AND number = :number
