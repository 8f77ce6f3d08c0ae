-- Jobs → Batches → Items, and what leases, settles and explains them. docs/schema.md tells it in words.
-- Text that decides something has a binary collation, whatever the database's own; keys and payloads are bytes (UTF-8).
-- Instants are UTC. Indexed filters (WHERE in an index) need the SET options that the driver sets on every session.

CREATE TABLE job_types (
  id              int IDENTITY PRIMARY KEY,
  name            nvarchar(400) COLLATE Latin1_General_100_BIN2 NOT NULL UNIQUE,
  slice_size      int NOT NULL,
  timeout_seconds float NOT NULL,
  max_attempts    int NOT NULL,
  backoff_cap_seconds float NOT NULL,
  backoff_jitter  bit NOT NULL,
  paused_at       datetime2(6),
  max_concurrency int,
  rate            float,
  spent_until     datetime2(6),
  created_at      datetime2(6) NOT NULL DEFAULT SYSUTCDATETIME()
);

CREATE TABLE jobs (
  id              bigint IDENTITY PRIMARY KEY,
  job_type_id     int NOT NULL REFERENCES job_types (id),
  name            nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
  paused_at       datetime2(6),
  stopping        nvarchar(20) COLLATE Latin1_General_100_BIN2 CHECK (stopping IN ('cancelled', 'failed')),
  reason          nvarchar(max) COLLATE Latin1_General_100_BIN2,
  reason_code     nvarchar(200) COLLATE Latin1_General_100_BIN2,
  priority        int NOT NULL DEFAULT 0,
  rank_base       bigint NOT NULL DEFAULT 0,
  max_concurrency int,
  rate            float,
  spent_until     datetime2(6),
  options         nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '{}',
  source_kind     nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL CHECK (source_kind IN ('file', 'database', 'items', 'upload')),
  source_name     nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
  source          nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '{}',
  source_size     bigint,
  source_position bigint NOT NULL DEFAULT 0,
  byte_offset     bigint NOT NULL DEFAULT 0,
  line            bigint NOT NULL DEFAULT 0,
  chain           varbinary(64) NOT NULL DEFAULT 0x,
  ingest_fence    bigint NOT NULL DEFAULT 0,
  ingest_worker   nvarchar(100) COLLATE Latin1_General_100_BIN2,
  ingest_left_at  datetime2(6),
  lines           bigint NOT NULL DEFAULT 0,
  accepted        bigint NOT NULL DEFAULT 0,
  duplicates      bigint NOT NULL DEFAULT 0,
  rejected        bigint NOT NULL DEFAULT 0,
  batches         int NOT NULL DEFAULT 0,
  batches_open    int NOT NULL DEFAULT 0 CHECK (batches_open >= 0),
  slices_cut      bigint NOT NULL DEFAULT 0,
  succeeded       bigint NOT NULL DEFAULT 0,
  skipped         bigint NOT NULL DEFAULT 0,
  dead            bigint NOT NULL DEFAULT 0,
  cancelled       bigint NOT NULL DEFAULT 0,
  round           int NOT NULL DEFAULT 1,
  request_key     varbinary(1024),  -- as UTF-16, so that trailing blanks count
  request_fingerprint nvarchar(200) COLLATE Latin1_General_100_BIN2,
  created_at      datetime2(6) NOT NULL DEFAULT SYSUTCDATETIME(),
  started_at      datetime2(6),
  sealed_at       datetime2(6),
  ended_at        datetime2(6),
  pruned_at       datetime2(6),
  -- Derived here, and nowhere else, so that it cannot contradict what it is derived from.
  status          AS CAST(CASE
    WHEN ended_at IS NULL AND sealed_at IS NOT NULL THEN N'processing'
    WHEN ended_at IS NULL AND started_at IS NOT NULL THEN N'ingesting'
    WHEN ended_at IS NULL THEN N'pending'
    WHEN stopping IS NOT NULL THEN stopping
    WHEN dead + rejected + cancelled = 0 THEN N'completed'
    WHEN succeeded + skipped = 0 THEN N'failed'
    ELSE N'partially_completed' END AS nvarchar(20)) PERSISTED NOT NULL,
  CHECK (lines = accepted + duplicates + rejected),
  CHECK (ended_at IS NULL OR sealed_at IS NOT NULL)
);
CREATE INDEX jobs_live ON jobs (id) WHERE ended_at IS NULL;
CREATE INDEX jobs_by_status ON jobs (status, id);
CREATE INDEX jobs_by_type ON jobs (job_type_id, id);
CREATE UNIQUE INDEX jobs_request ON jobs (request_key) WHERE request_key IS NOT NULL;

CREATE TABLE batches (
  job_id       bigint NOT NULL REFERENCES jobs (id),
  number       int NOT NULL,
  first_seq    bigint NOT NULL,
  last_seq     bigint NOT NULL,
  total        int NOT NULL,
  succeeded    int NOT NULL DEFAULT 0,
  skipped      int NOT NULL DEFAULT 0,
  dead         int NOT NULL DEFAULT 0,
  cancelled    int NOT NULL DEFAULT 0,
  created_at   datetime2(6) NOT NULL DEFAULT SYSUTCDATETIME(),
  completed_at datetime2(6),
  PRIMARY KEY (job_id, number),
  CHECK (succeeded >= 0 AND skipped >= 0 AND dead >= 0 AND cancelled >= 0),
  CHECK (succeeded + skipped + dead + cancelled <= total)
);
CREATE UNIQUE INDEX batches_by_seq ON batches (job_id, first_seq);
CREATE INDEX batches_open ON batches (job_id) WHERE completed_at IS NULL;

-- state: 0 ready, 1 leased, 2 waiting, 3 held. A row exists while an item of its range has no final outcome.
-- Statements lock at most some hundreds of these rows, far below the 5000 at which locks escalate to the table's.
CREATE TABLE slices (
  job_id       bigint NOT NULL,
  first_seq    bigint NOT NULL,
  last_seq     bigint NOT NULL,
  batch        int NOT NULL,
  ordinal      bigint NOT NULL,
  [open]       int NOT NULL CHECK ([open] > 0),
  state        smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3),
  available_at datetime2(6),
  fence        int NOT NULL DEFAULT 0,
  worker       nvarchar(100) COLLATE Latin1_General_100_BIN2,
  claimed_at   datetime2(6),
  settles      int NOT NULL DEFAULT 0,
  lapses       int NOT NULL DEFAULT 0,
  running_seq  bigint,
  PRIMARY KEY (job_id, first_seq),
  CHECK ((state = 1 AND worker IS NOT NULL) OR (state <> 1 AND worker IS NULL)),
  CHECK ((state = 2 AND available_at IS NOT NULL) OR (state <> 2 AND available_at IS NULL))
);
CREATE INDEX slices_ready ON slices (job_id, ordinal) INCLUDE (fence) WHERE state = 0;
CREATE INDEX slices_leased ON slices (job_id, worker) INCLUDE (fence) WHERE state = 1;
CREATE INDEX slices_waiting ON slices (available_at) WHERE state = 2;
CREATE INDEX slices_held ON slices (job_id) WHERE state = 3;
CREATE INDEX slices_lapsed ON slices (job_id, first_seq) WHERE lapses > 0;

CREATE TABLE items (
  job_id          bigint NOT NULL,
  seq             bigint NOT NULL,
  idempotency_key varbinary(512) NOT NULL,
  payload         varbinary(max) NOT NULL,
  source_row_id   bigint,
  PRIMARY KEY (job_id, seq)
);

-- "Every item of this range without a row of its own in outcomes ended like this here."
CREATE TABLE runs (
  job_id           bigint NOT NULL,
  first_seq        bigint NOT NULL,
  last_seq         bigint NOT NULL,
  status           nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL CHECK (status IN ('succeeded', 'cancelled')),
  fence            int NOT NULL,
  worker           nvarchar(100) COLLATE Latin1_General_100_BIN2,
  started_at       datetime2(6) NOT NULL,
  finished_at      datetime2(6) NOT NULL,
  start_offsets_us nvarchar(max) COLLATE Latin1_General_100_BIN2,
  durations_us     nvarchar(max) COLLATE Latin1_General_100_BIN2,
  results          nvarchar(max) COLLATE Latin1_General_100_BIN2,
  PRIMARY KEY (job_id, first_seq)
);

CREATE TABLE outcomes (
  job_id          bigint NOT NULL,
  seq             bigint NOT NULL,
  status          nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL
    CHECK (status IN ('succeeded', 'skipped', 'retrying', 'dead', 'cancelled')),
  reason          nvarchar(20) COLLATE Latin1_General_100_BIN2 CHECK (reason IN ('exhausted', 'permanent', 'crashed')),
  attempts        int NOT NULL,
  max_attempts    int NOT NULL,
  fence           int NOT NULL,
  started_at      datetime2(6),
  finished_at     datetime2(6) NOT NULL,
  next_attempt_at datetime2(6),
  error_code      nvarchar(200) COLLATE Latin1_General_100_BIN2,
  error           nvarchar(max) COLLATE Latin1_General_100_BIN2,
  fingerprint     nvarchar(200) COLLATE Latin1_General_100_BIN2,
  result          nvarchar(max) COLLATE Latin1_General_100_BIN2,
  purged_at       datetime2(6),
  PRIMARY KEY (job_id, seq),
  CHECK ((status = 'retrying' AND next_attempt_at IS NOT NULL) OR (status <> 'retrying' AND next_attempt_at IS NULL)),
  CHECK ((status = 'dead' AND reason IS NOT NULL) OR (status <> 'dead' AND reason IS NULL)),
  CHECK (status <> 'dead' OR error IS NOT NULL)
);
CREATE INDEX outcomes_retrying ON outcomes (job_id, seq) WHERE status = 'retrying';
CREATE INDEX outcomes_dead ON outcomes (job_id, seq) WHERE status = 'dead';
CREATE INDEX outcomes_by_error ON outcomes (job_id, error_code, seq);

CREATE TABLE attempts (
  job_id     bigint NOT NULL,
  seq        bigint NOT NULL,
  attempt    int NOT NULL,
  worker     nvarchar(100) COLLATE Latin1_General_100_BIN2,
  fence      int NOT NULL,
  started_at datetime2(6) NOT NULL,
  ended_at   datetime2(6) NOT NULL,
  code       nvarchar(200) COLLATE Latin1_General_100_BIN2,
  error      nvarchar(max) COLLATE Latin1_General_100_BIN2,
  PRIMARY KEY (job_id, seq, attempt)
);

CREATE TABLE lapses (
  job_id      bigint NOT NULL,
  first_seq   bigint NOT NULL,
  fence       int NOT NULL,
  last_seq    bigint NOT NULL,
  worker      nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
  kind        nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL CHECK (kind IN ('lapsed', 'released')),
  running_seq bigint,
  claimed_at  datetime2(6) NOT NULL,
  lapsed_at   datetime2(6) NOT NULL,
  PRIMARY KEY (job_id, first_seq, fence)
);
CREATE INDEX lapses_by_worker ON lapses (worker);

CREATE TABLE idempotency_keys (
  job_id       bigint NOT NULL,
  seq          bigint NOT NULL,
  payload_hash bigint NOT NULL,
  job_type_id  int NOT NULL,
  [key]        varbinary(512) NOT NULL,
  PRIMARY KEY (job_type_id, [key])
);

CREATE TABLE rejects (
  job_id      bigint NOT NULL,
  line        bigint NOT NULL,
  byte_offset bigint NOT NULL,
  code        nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  pointer     nvarchar(max) COLLATE Latin1_General_100_BIN2,
  message     nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
  raw         varbinary(max) NOT NULL,
  raw_cut     bit NOT NULL,
  PRIMARY KEY (job_id, line)
);

CREATE TABLE duplicates (
  job_id        bigint NOT NULL,
  first_line    bigint NOT NULL,
  last_line     bigint NOT NULL,
  holder_job_id bigint NOT NULL,
  holder_seq    bigint NOT NULL,
  kind          nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL CHECK (kind IN ('duplicate', 'conflict', 'dead_holder')),
  PRIMARY KEY (job_id, first_line)
);

-- A transactional outbox: any program may insert here, in its own transaction.
CREATE TABLE pending_work (
  id              bigint IDENTITY PRIMARY KEY,
  job_type        nvarchar(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
  idempotency_key nvarchar(512) COLLATE Latin1_General_100_BIN2 NOT NULL,
  payload         nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
  created_at      datetime2(6) NOT NULL DEFAULT SYSUTCDATETIME()
);
CREATE INDEX pending_work_by_type ON pending_work (job_type, id);

CREATE TABLE workers (
  incarnation nvarchar(100) COLLATE Latin1_General_100_BIN2 PRIMARY KEY,
  lease_until datetime2(6) NOT NULL,
  host        nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
  pid         int NOT NULL,
  roles       nvarchar(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  started_at  datetime2(6) NOT NULL DEFAULT SYSUTCDATETIME(),
  seen_at     datetime2(6) NOT NULL DEFAULT SYSUTCDATETIME(),
  draining    bit NOT NULL DEFAULT 0
);

CREATE TABLE cron_runs (
  name          nvarchar(400) COLLATE Latin1_General_100_BIN2 NOT NULL,
  scheduled_for datetime2(6) NOT NULL,
  worker        nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
  started_at    datetime2(6) NOT NULL DEFAULT SYSUTCDATETIME(),
  ended_at      datetime2(6),
  result        nvarchar(20) COLLATE Latin1_General_100_BIN2 CHECK (result IN ('succeeded', 'failed', 'skipped', 'lost')),
  detail        nvarchar(max) COLLATE Latin1_General_100_BIN2,
  PRIMARY KEY (name, scheduled_for),
  CHECK ((ended_at IS NULL AND result IS NULL) OR (ended_at IS NOT NULL AND result IS NOT NULL))
);
-- Runs of one name never overlap.
CREATE UNIQUE INDEX cron_runs_running ON cron_runs (name) WHERE ended_at IS NULL;

CREATE TABLE events (
  job_id     bigint NOT NULL,
  round      int NOT NULL,
  status     nvarchar(20) COLLATE Latin1_General_100_BIN2 NOT NULL,
  created_at datetime2(6) NOT NULL DEFAULT SYSUTCDATETIME(),
  PRIMARY KEY (job_id, round)
);

CREATE TABLE actions (
  id         bigint IDENTITY PRIMARY KEY,
  job_id     bigint,
  action     nvarchar(100) COLLATE Latin1_General_100_BIN2 NOT NULL,
  actor      nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL,
  detail     nvarchar(max) COLLATE Latin1_General_100_BIN2 NOT NULL DEFAULT '{}',
  created_at datetime2(6) NOT NULL DEFAULT SYSUTCDATETIME()
);
CREATE INDEX actions_by_job ON actions (job_id, id);

GO
-- One row per item, for people who read with SQL and for every list of ours. An item's status, in one order:
-- its own outcome; else the run that covers it; else processing where its slice is leased; else pending.
CREATE VIEW batch_items AS
SELECT i.job_id, i.seq, CONCAT(i.job_id, ':', i.seq) AS id, b.number AS batch, CONCAT(i.job_id, '-', b.number) AS batch_id,
  coalesce(i.source_row_id, i.seq) AS source_row_id, i.idempotency_key, i.payload,
  coalesce(o.status, r.status, CASE WHEN s.state = 1 THEN N'processing' ELSE N'pending' END) AS status,
  coalesce(o.attempts, CASE r.status WHEN 'succeeded' THEN 1 ELSE 0 END) AS attempts,
  o.max_attempts, o.reason, o.error_code,
  CASE WHEN o.status = 'skipped' THEN NULL ELSE o.error END AS last_error,
  CASE WHEN o.status = 'skipped' THEN o.error END AS skip_reason,
  CASE WHEN s.state = 1 THEN s.worker END AS locked_by,
  (SELECT w.lease_until FROM workers w WHERE w.incarnation = s.worker AND s.state = 1) AS locked_until,
  o.next_attempt_at,
  -- OPENJSON gives a string without its quotes
  coalesce(o.result, CASE WHEN o.seq IS NULL THEN (
    SELECT CASE p.[type] WHEN 0 THEN NULL WHEN 1 THEN CONCAT('"', STRING_ESCAPE(p.[value], 'json'), '"') ELSE p.[value] END
    FROM OPENJSON(r.results) p WHERE p.[key] = CAST(i.seq - r.first_seq AS nvarchar(20))) END) AS result,
  CASE WHEN o.seq IS NOT NULL THEN o.started_at
       ELSE DATEADD(MICROSECOND, r.start_us % 1000000, DATEADD(SECOND, r.start_us / 1000000, r.started_at)) END AS started_at,
  CASE WHEN o.seq IS NOT NULL THEN o.finished_at
       WHEN r.start_offsets_us IS NULL THEN r.finished_at
       ELSE DATEADD(MICROSECOND, r.end_us % 1000000, DATEADD(SECOND, r.end_us / 1000000, r.started_at)) END AS finished_at,
  b.created_at, o.purged_at
FROM items i
LEFT JOIN outcomes o ON o.job_id = i.job_id AND o.seq = i.seq
OUTER APPLY (
  SELECT n.status, n.first_seq, n.started_at, n.finished_at, n.start_offsets_us, n.results, n.start_us, n.start_us + n.took_us AS end_us
  FROM (SELECT c.status, c.first_seq, c.started_at, c.finished_at, c.start_offsets_us, c.results,
          coalesce(CAST(JSON_VALUE(c.start_offsets_us, CONCAT('$[', i.seq - c.first_seq, ']')) AS bigint), 0) AS start_us,
          coalesce(CAST(JSON_VALUE(c.durations_us, CONCAT('$[', i.seq - c.first_seq, ']')) AS bigint), 0) AS took_us
        FROM (SELECT TOP (1) c.* FROM runs c WHERE c.job_id = i.job_id AND c.first_seq <= i.seq ORDER BY c.first_seq DESC) c
        WHERE c.last_seq >= i.seq) n) r
OUTER APPLY (
  SELECT c.state, c.worker FROM (
    SELECT TOP (1) c.* FROM slices c WHERE c.job_id = i.job_id AND c.first_seq <= i.seq ORDER BY c.first_seq DESC) c
  WHERE c.last_seq >= i.seq AND coalesce(o.status, r.status, N'pending') IN (N'pending', N'retrying')) s
OUTER APPLY (
  SELECT TOP (1) c.number, c.created_at FROM batches c WHERE c.job_id = i.job_id AND c.first_seq <= i.seq
  ORDER BY c.first_seq DESC) b;

GO
-- One row per job with counts: totals of closed batches stand on the job, open batches are summed; a retrying item stays
-- retrying while it is run again. What the program reads: it takes `pending` as the rest.
CREATE VIEW job_counts AS
SELECT j.id, j.job_type_id, t.name AS job_type, j.name, j.status, j.paused_at, j.stopping, j.reason, j.reason_code,
  j.priority, j.max_concurrency, j.rate, j.options, j.source_kind, j.source_name, j.source_size, j.source_position,
  j.lines, j.accepted, j.duplicates, j.rejected, j.batches, j.batches - j.batches_open AS batches_completed, j.round,
  j.created_at, j.started_at, j.sealed_at, j.ended_at, j.pruned_at,
  j.succeeded + coalesce(b.succeeded, 0) AS succeeded, j.skipped + coalesce(b.skipped, 0) AS skipped,
  j.dead + coalesce(b.dead, 0) AS dead, j.cancelled + coalesce(b.cancelled, 0) AS cancelled,
  (SELECT COUNT_BIG(*) FROM outcomes o WHERE o.job_id = j.id AND o.status = 'retrying') AS retrying,
  coalesce(s.processing, 0) AS processing
FROM jobs j JOIN job_types t ON t.id = j.job_type_id
OUTER APPLY (
  SELECT SUM(CAST(c.succeeded AS bigint)) AS succeeded, SUM(CAST(c.skipped AS bigint)) AS skipped,
    SUM(CAST(c.dead AS bigint)) AS dead, SUM(CAST(c.cancelled AS bigint)) AS cancelled
  FROM batches c WHERE c.job_id = j.id AND c.completed_at IS NULL) b
OUTER APPLY (
  SELECT SUM(c.[open] - w.retrying) AS processing FROM slices c
  CROSS APPLY (SELECT COUNT_BIG(*) AS retrying FROM outcomes o WHERE o.job_id = c.job_id AND o.status = 'retrying'
                 AND o.seq BETWEEN c.first_seq AND c.last_seq) w
  WHERE c.job_id = j.id AND c.state = 1) s;

GO
-- The same for people who read with SQL, with `pending`: the counts sum to `accepted`.
CREATE VIEW batch_jobs AS
SELECT c.*, c.accepted - c.succeeded - c.skipped - c.dead - c.cancelled - c.retrying - c.processing AS pending
FROM job_counts c;
