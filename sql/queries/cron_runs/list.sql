-- The last runs of a name, with where its worker runs or ran, as long as that is known.
SELECT c.scheduled_for AS scheduled_at, c.worker, w.host, c.started_at, c.ended_at, c.result, c.detail
FROM cron_runs c LEFT JOIN workers w ON w.incarnation = c.worker
WHERE c.name = :name ORDER BY c.scheduled_for DESC LIMIT :limit
