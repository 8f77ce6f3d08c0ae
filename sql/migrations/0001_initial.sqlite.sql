-- Jobs → Batches → Items, and what leases, settles and explains them. docs/schema.md tells it in words.
-- Instants are INTEGER microseconds UTC (text times sort wrongly); clock_timestamp() is the driver's, the
-- host's clock in microseconds.

CREATE TABLE job_types (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  name            TEXT NOT NULL UNIQUE,
  slice_size      INTEGER NOT NULL,
  timeout_seconds REAL NOT NULL,
  max_attempts    INTEGER NOT NULL,
  backoff_cap_seconds REAL NOT NULL,
  backoff_jitter  INTEGER NOT NULL,
  paused_at       INTEGER,
  max_concurrency INTEGER,
  rate            REAL,
  spent_until     INTEGER,
  created_at      INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER))
);

CREATE TABLE jobs (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  job_type_id     INTEGER NOT NULL REFERENCES job_types,
  name            TEXT NOT NULL,
  paused_at       INTEGER,
  stopping        TEXT CHECK (stopping IN ('cancelled', 'failed')),
  reason          TEXT,
  reason_code     TEXT,
  priority        INTEGER NOT NULL DEFAULT 0,
  rank_base       INTEGER NOT NULL DEFAULT 0,
  max_concurrency INTEGER,
  rate            REAL,
  spent_until     INTEGER,
  options         TEXT NOT NULL DEFAULT '{}',
  source_kind     TEXT NOT NULL CHECK (source_kind IN ('file', 'database', 'items', 'upload')),
  source_name     TEXT NOT NULL,
  source          TEXT NOT NULL DEFAULT '{}',
  source_size     INTEGER,
  source_position INTEGER NOT NULL DEFAULT 0,
  byte_offset     INTEGER NOT NULL DEFAULT 0,
  line            INTEGER NOT NULL DEFAULT 0,
  chain           BLOB NOT NULL DEFAULT x'',
  ingest_fence    INTEGER NOT NULL DEFAULT 0,
  ingest_worker   TEXT,
  ingest_left_at  INTEGER,
  lines           INTEGER NOT NULL DEFAULT 0,
  accepted        INTEGER NOT NULL DEFAULT 0,
  duplicates      INTEGER NOT NULL DEFAULT 0,
  rejected        INTEGER NOT NULL DEFAULT 0,
  batches         INTEGER NOT NULL DEFAULT 0,
  batches_open    INTEGER NOT NULL DEFAULT 0 CHECK (batches_open >= 0),
  slices_cut      INTEGER NOT NULL DEFAULT 0,
  succeeded       INTEGER NOT NULL DEFAULT 0,
  skipped         INTEGER NOT NULL DEFAULT 0,
  dead            INTEGER NOT NULL DEFAULT 0,
  cancelled       INTEGER NOT NULL DEFAULT 0,
  round           INTEGER NOT NULL DEFAULT 1,
  request_key     TEXT,
  request_fingerprint TEXT,
  created_at      INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)),
  started_at      INTEGER,
  sealed_at       INTEGER,
  ended_at        INTEGER,
  pruned_at       INTEGER,
  -- Derived here, and nowhere else, so that it cannot contradict what it is derived from.
  status          TEXT GENERATED ALWAYS AS (CASE
    WHEN ended_at IS NULL AND sealed_at IS NOT NULL THEN 'processing'
    WHEN ended_at IS NULL AND started_at IS NOT NULL THEN 'ingesting'
    WHEN ended_at IS NULL THEN 'pending'
    WHEN stopping IS NOT NULL THEN stopping
    WHEN dead + rejected + cancelled = 0 THEN 'completed'
    WHEN succeeded + skipped = 0 THEN 'failed'
    ELSE 'partially_completed' END) STORED NOT NULL,
  CHECK (lines = accepted + duplicates + rejected),
  CHECK (ended_at IS NULL OR sealed_at IS NOT NULL)
);
CREATE INDEX jobs_live ON jobs (id) WHERE ended_at IS NULL;
CREATE INDEX jobs_by_status ON jobs (status, id);
CREATE INDEX jobs_by_type ON jobs (job_type_id, id);
CREATE UNIQUE INDEX jobs_request ON jobs (request_key) WHERE request_key IS NOT NULL;

CREATE TABLE batches (
  job_id       INTEGER NOT NULL REFERENCES jobs,
  number       INTEGER NOT NULL,
  first_seq    INTEGER NOT NULL,
  last_seq     INTEGER NOT NULL,
  total        INTEGER NOT NULL,
  succeeded    INTEGER NOT NULL DEFAULT 0,
  skipped      INTEGER NOT NULL DEFAULT 0,
  dead         INTEGER NOT NULL DEFAULT 0,
  cancelled    INTEGER NOT NULL DEFAULT 0,
  created_at   INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)),
  completed_at INTEGER,
  PRIMARY KEY (job_id, number),
  CHECK (succeeded >= 0 AND skipped >= 0 AND dead >= 0 AND cancelled >= 0),
  CHECK (succeeded + skipped + dead + cancelled <= total)
) WITHOUT ROWID;
CREATE UNIQUE INDEX batches_by_seq ON batches (job_id, first_seq);
CREATE INDEX batches_open ON batches (job_id) WHERE completed_at IS NULL;

-- state: 0 ready, 1 leased, 2 waiting, 3 held. A row exists while an item of its range has no final outcome.
CREATE TABLE slices (
  job_id       INTEGER NOT NULL,
  first_seq    INTEGER NOT NULL,
  last_seq     INTEGER NOT NULL,
  batch        INTEGER NOT NULL,
  ordinal      INTEGER NOT NULL,
  open         INTEGER NOT NULL CHECK (open > 0),
  state        INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3),
  available_at INTEGER,
  fence        INTEGER NOT NULL DEFAULT 0,
  worker       TEXT,
  claimed_at   INTEGER,
  settles      INTEGER NOT NULL DEFAULT 0,
  lapses       INTEGER NOT NULL DEFAULT 0,
  running_seq  INTEGER,
  PRIMARY KEY (job_id, first_seq),
  CHECK ((state = 1) = (worker IS NOT NULL)),
  CHECK ((state = 2) = (available_at IS NOT NULL))
) WITHOUT ROWID;
CREATE INDEX slices_ready ON slices (job_id, ordinal) WHERE state = 0;
CREATE INDEX slices_leased ON slices (job_id, worker) WHERE state = 1;
CREATE INDEX slices_waiting ON slices (available_at) WHERE state = 2;
CREATE INDEX slices_held ON slices (job_id) WHERE state = 3;
CREATE INDEX slices_lapsed ON slices (job_id, first_seq) WHERE lapses > 0;

CREATE TABLE items (
  job_id          INTEGER NOT NULL,
  seq             INTEGER NOT NULL,
  idempotency_key TEXT NOT NULL,
  payload         TEXT NOT NULL,
  source_row_id   INTEGER,
  PRIMARY KEY (job_id, seq)
) WITHOUT ROWID;

-- "Every item of this range without a row of its own in outcomes ended like this here."
CREATE TABLE runs (
  job_id           INTEGER NOT NULL,
  first_seq        INTEGER NOT NULL,
  last_seq         INTEGER NOT NULL,
  status           TEXT NOT NULL CHECK (status IN ('succeeded', 'cancelled')),
  fence            INTEGER NOT NULL,
  worker           TEXT,
  started_at       INTEGER NOT NULL,
  finished_at      INTEGER NOT NULL,
  start_offsets_us TEXT,
  durations_us     TEXT,
  results          TEXT,
  PRIMARY KEY (job_id, first_seq)
) WITHOUT ROWID;

CREATE TABLE outcomes (
  job_id          INTEGER NOT NULL,
  seq             INTEGER NOT NULL,
  status          TEXT NOT NULL CHECK (status IN ('succeeded', 'skipped', 'retrying', 'dead', 'cancelled')),
  reason          TEXT CHECK (reason IN ('exhausted', 'permanent', 'crashed')),
  attempts        INTEGER NOT NULL,
  max_attempts    INTEGER NOT NULL,
  fence           INTEGER NOT NULL,
  started_at      INTEGER,
  finished_at     INTEGER NOT NULL,
  next_attempt_at INTEGER,
  error_code      TEXT,
  error           TEXT,
  fingerprint     TEXT,
  result          TEXT,
  purged_at       INTEGER,
  PRIMARY KEY (job_id, seq),
  CHECK ((status = 'retrying') = (next_attempt_at IS NOT NULL)),
  CHECK ((status = 'dead') = (reason IS NOT NULL)),
  CHECK (status <> 'dead' OR error IS NOT NULL)
) WITHOUT ROWID;
CREATE INDEX outcomes_retrying ON outcomes (job_id, seq) WHERE status = 'retrying';
CREATE INDEX outcomes_dead ON outcomes (job_id, seq) WHERE status = 'dead';
CREATE INDEX outcomes_by_error ON outcomes (job_id, error_code, seq);

CREATE TABLE attempts (
  job_id     INTEGER NOT NULL,
  seq        INTEGER NOT NULL,
  attempt    INTEGER NOT NULL,
  worker     TEXT,
  fence      INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at   INTEGER NOT NULL,
  code       TEXT,
  error      TEXT,
  PRIMARY KEY (job_id, seq, attempt)
) WITHOUT ROWID;

CREATE TABLE lapses (
  job_id      INTEGER NOT NULL,
  first_seq   INTEGER NOT NULL,
  fence       INTEGER NOT NULL,
  last_seq    INTEGER NOT NULL,
  worker      TEXT NOT NULL,
  kind        TEXT NOT NULL CHECK (kind IN ('lapsed', 'released')),
  running_seq INTEGER,
  claimed_at  INTEGER NOT NULL,
  lapsed_at   INTEGER NOT NULL,
  PRIMARY KEY (job_id, first_seq, fence)
) WITHOUT ROWID;
CREATE INDEX lapses_by_worker ON lapses (worker);

CREATE TABLE idempotency_keys (
  job_id       INTEGER NOT NULL,
  seq          INTEGER NOT NULL,
  payload_hash INTEGER NOT NULL,
  job_type_id  INTEGER NOT NULL,
  key          TEXT NOT NULL,
  PRIMARY KEY (job_type_id, key)
) WITHOUT ROWID;

CREATE TABLE rejects (
  job_id      INTEGER NOT NULL,
  line        INTEGER NOT NULL,
  byte_offset INTEGER NOT NULL,
  code        TEXT NOT NULL,
  pointer     TEXT,
  message     TEXT NOT NULL,
  raw         BLOB NOT NULL,
  raw_cut     INTEGER NOT NULL,
  PRIMARY KEY (job_id, line)
) WITHOUT ROWID;

CREATE TABLE duplicates (
  job_id        INTEGER NOT NULL,
  first_line    INTEGER NOT NULL,
  last_line     INTEGER NOT NULL,
  holder_job_id INTEGER NOT NULL,
  holder_seq    INTEGER NOT NULL,
  kind          TEXT NOT NULL CHECK (kind IN ('duplicate', 'conflict', 'dead_holder')),
  PRIMARY KEY (job_id, first_line)
) WITHOUT ROWID;

-- A transactional outbox: any program may insert here, in its own transaction.
CREATE TABLE pending_work (
  id              INTEGER PRIMARY KEY AUTOINCREMENT,
  job_type        TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  payload         TEXT NOT NULL,
  created_at      INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER))
);
CREATE INDEX pending_work_by_type ON pending_work (job_type, id);

CREATE TABLE workers (
  incarnation TEXT PRIMARY KEY,
  lease_until INTEGER NOT NULL,
  host        TEXT NOT NULL,
  pid         INTEGER NOT NULL,
  roles       TEXT NOT NULL,
  started_at  INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)),
  seen_at     INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)),
  draining    INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE cron_runs (
  name          TEXT NOT NULL,
  scheduled_for INTEGER NOT NULL,
  worker        TEXT NOT NULL,
  started_at    INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)),
  ended_at      INTEGER,
  result        TEXT CHECK (result IN ('succeeded', 'failed', 'skipped', 'lost')),
  detail        TEXT,
  PRIMARY KEY (name, scheduled_for),
  CHECK ((ended_at IS NULL) = (result IS NULL))
) WITHOUT ROWID;
-- Runs of one name never overlap.
CREATE UNIQUE INDEX cron_runs_running ON cron_runs (name) WHERE ended_at IS NULL;

CREATE TABLE events (
  job_id     INTEGER NOT NULL,
  round      INTEGER NOT NULL,
  status     TEXT NOT NULL,
  created_at INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)),
  PRIMARY KEY (job_id, round)
) WITHOUT ROWID;

CREATE TABLE actions (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  job_id     INTEGER,
  action     TEXT NOT NULL,
  actor      TEXT NOT NULL,
  detail     TEXT NOT NULL DEFAULT '{}',
  created_at INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER))
);
CREATE INDEX actions_by_job ON actions (job_id, id);

-- One row per item, for people who read with SQL and for every list of ours. An item's status, in one order:
-- its own outcome; else the run that covers it; else processing where its slice is leased; else pending.
CREATE VIEW batch_items AS
SELECT i.job_id, i.seq, i.job_id || ':' || i.seq AS id, b.number AS batch, i.job_id || '-' || b.number AS batch_id,
  coalesce(i.source_row_id, i.seq) AS source_row_id, i.idempotency_key, i.payload,
  coalesce(o.status, r.status, CASE WHEN s.state = 1 THEN 'processing' ELSE 'pending' END) AS status,
  coalesce(o.attempts, CASE r.status WHEN 'succeeded' THEN 1 ELSE 0 END) AS attempts,
  o.max_attempts, o.reason, o.error_code,
  CASE WHEN o.status = 'skipped' THEN NULL ELSE o.error END AS last_error,
  CASE WHEN o.status = 'skipped' THEN o.error END AS skip_reason,
  CASE WHEN s.state = 1 THEN s.worker END AS locked_by,
  (SELECT w.lease_until FROM workers w WHERE w.incarnation = s.worker AND s.state = 1) AS locked_until,
  o.next_attempt_at,
  coalesce(o.result, CASE WHEN o.seq IS NULL THEN nullif(r.results -> (i.seq - r.first_seq), 'null') END) AS result,
  CASE WHEN o.seq IS NOT NULL THEN o.started_at
       ELSE r.started_at + coalesce(r.start_offsets_us ->> (i.seq - r.first_seq), 0) END AS started_at,
  CASE WHEN o.seq IS NOT NULL THEN o.finished_at
       WHEN r.start_offsets_us IS NULL THEN r.finished_at
       ELSE r.started_at + coalesce(r.start_offsets_us ->> (i.seq - r.first_seq), 0)
         + coalesce(r.durations_us ->> (i.seq - r.first_seq), 0) END AS finished_at,
  b.created_at, o.purged_at
FROM items i
LEFT JOIN outcomes o ON o.job_id = i.job_id AND o.seq = i.seq
LEFT JOIN runs r ON r.job_id = i.job_id AND r.last_seq >= i.seq
  AND r.first_seq = (SELECT max(c.first_seq) FROM runs c WHERE c.job_id = i.job_id AND c.first_seq <= i.seq)
LEFT JOIN slices s ON s.job_id = i.job_id AND s.last_seq >= i.seq
  AND s.first_seq = (SELECT max(c.first_seq) FROM slices c WHERE c.job_id = i.job_id AND c.first_seq <= i.seq)
  AND coalesce(o.status, r.status, 'pending') IN ('pending', 'retrying')
LEFT JOIN batches b ON b.job_id = i.job_id
  AND b.first_seq = (SELECT max(c.first_seq) FROM batches c WHERE c.job_id = i.job_id AND c.first_seq <= i.seq);

-- One row per job with counts: totals of closed batches stand on the job, open batches are summed; a retrying item stays
-- retrying while it is run again. One statement, one snapshot. What the program reads: it takes `pending` as the rest.
CREATE VIEW job_counts AS
SELECT j.id, j.job_type_id, t.name AS job_type, j.name, j.status, j.paused_at, j.stopping, j.reason, j.reason_code,
  j.priority, j.max_concurrency, j.rate, j.options, j.source_kind, j.source_name, j.source_size, j.source_position,
  j.lines, j.accepted, j.duplicates, j.rejected, j.batches, j.batches - j.batches_open AS batches_completed, j.round,
  j.created_at, j.started_at, j.sealed_at, j.ended_at, j.pruned_at,
  j.succeeded + coalesce((SELECT sum(b.succeeded) FROM batches b INDEXED BY batches_open WHERE b.job_id = j.id AND b.completed_at IS NULL), 0) AS succeeded,
  j.skipped + coalesce((SELECT sum(b.skipped) FROM batches b INDEXED BY batches_open WHERE b.job_id = j.id AND b.completed_at IS NULL), 0) AS skipped,
  j.dead + coalesce((SELECT sum(b.dead) FROM batches b INDEXED BY batches_open WHERE b.job_id = j.id AND b.completed_at IS NULL), 0) AS dead,
  j.cancelled + coalesce((SELECT sum(b.cancelled) FROM batches b INDEXED BY batches_open WHERE b.job_id = j.id AND b.completed_at IS NULL), 0) AS cancelled,
  (SELECT count(*) FROM outcomes o WHERE o.job_id = j.id AND o.status = 'retrying') AS retrying,
  coalesce((SELECT sum(s.open - (SELECT count(*) FROM outcomes o WHERE o.job_id = s.job_id AND o.status = 'retrying'
                                 AND o.seq BETWEEN s.first_seq AND s.last_seq))
            FROM slices s INDEXED BY slices_leased WHERE s.job_id = j.id AND s.state = 1), 0) AS processing
FROM jobs j JOIN job_types t ON t.id = j.job_type_id;

-- The same for people who read with SQL, with `pending`: the counts sum to `accepted`.
CREATE VIEW batch_jobs AS
SELECT c.*, c.accepted - c.succeeded - c.skipped - c.dead - c.cancelled - c.retrying - c.processing AS pending
FROM job_counts c;
