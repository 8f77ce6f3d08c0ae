SELECT id, request_fingerprint, sealed_at FROM jobs WHERE request_key = :request_key
