SELECT (SELECT t.name FROM job_types t WHERE t.id = j.job_type_id) AS name FROM jobs j WHERE j.id = :job_id
