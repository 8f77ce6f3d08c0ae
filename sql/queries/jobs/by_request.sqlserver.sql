SELECT id, request_fingerprint, sealed_at FROM jobs WHERE request_key = CONVERT(varbinary(1024), :request_key)
