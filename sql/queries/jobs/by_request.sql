SELECT id, request_fingerprint FROM jobs WHERE request_key = :request_key
