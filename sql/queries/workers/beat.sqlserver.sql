-- Renew the lease: one update however many slices are held. No row: the lease was lost, and is never extended.
DECLARE @renewed TABLE (incarnation nvarchar(100));
UPDATE workers SET lease_until = DATEADD(MICROSECOND, :lease % 1000000, DATEADD(SECOND, :lease / 1000000, SYSUTCDATETIME())),
  seen_at = SYSUTCDATETIME(), draining = :draining
OUTPUT inserted.incarnation INTO @renewed
WHERE incarnation = :worker AND lease_until > SYSUTCDATETIME();
-- then
SELECT incarnation FROM @renewed
