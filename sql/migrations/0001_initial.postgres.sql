-- Jobs → Batches → Items, and what leases, settles and explains them. docs/schema.md tells it in words.
-- Hot rows (slices, batches, jobs, workers) keep room in their pages, so that updates stay HOT.

CREATE TABLE job_types (
  id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name            text COLLATE "C" NOT NULL UNIQUE,
  slice_size      integer NOT NULL,
  timeout_seconds double precision NOT NULL,
  max_attempts    integer NOT NULL,
  backoff_cap_seconds double precision NOT NULL,
  backoff_jitter  boolean NOT NULL,
  paused_at       timestamptz,
  max_concurrency integer,
  rate            double precision,
  spent_until     timestamptz,
  created_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE jobs (
  id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_type_id     integer NOT NULL REFERENCES job_types,
  name            text NOT NULL,
  paused_at       timestamptz,
  stopping        text CHECK (stopping IN ('cancelled', 'failed')),
  reason          text,
  reason_code     text,
  priority        integer NOT NULL DEFAULT 0,
  rank_base       bigint NOT NULL DEFAULT 0,
  max_concurrency integer,
  rate            double precision,
  spent_until     timestamptz,
  options         text NOT NULL DEFAULT '{}',
  source_kind     text NOT NULL CHECK (source_kind IN ('file', 'database', 'items', 'upload')),
  source_name     text NOT NULL,
  source          text NOT NULL DEFAULT '{}',
  source_size     bigint,
  source_position bigint NOT NULL DEFAULT 0,
  byte_offset     bigint NOT NULL DEFAULT 0,
  line            bigint NOT NULL DEFAULT 0,
  chain           bytea NOT NULL DEFAULT '',
  ingest_fence    bigint NOT NULL DEFAULT 0,
  ingest_worker   text,
  ingest_left_at  timestamptz,
  lines           bigint NOT NULL DEFAULT 0,
  accepted        bigint NOT NULL DEFAULT 0,
  duplicates      bigint NOT NULL DEFAULT 0,
  rejected        bigint NOT NULL DEFAULT 0,
  batches         integer NOT NULL DEFAULT 0,
  batches_open    integer NOT NULL DEFAULT 0 CHECK (batches_open >= 0),
  slices_cut      bigint NOT NULL DEFAULT 0,
  succeeded       bigint NOT NULL DEFAULT 0,
  skipped         bigint NOT NULL DEFAULT 0,
  dead            bigint NOT NULL DEFAULT 0,
  cancelled       bigint NOT NULL DEFAULT 0,
  round           integer NOT NULL DEFAULT 1,
  request_key     text COLLATE "C",
  request_fingerprint text,
  created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  started_at      timestamptz,
  sealed_at       timestamptz,
  ended_at        timestamptz,
  pruned_at       timestamptz,
  -- Derived here, and nowhere else, so that it cannot contradict what it is derived from.
  status          text GENERATED ALWAYS AS (CASE
    WHEN ended_at IS NULL AND sealed_at IS NOT NULL THEN 'processing'
    WHEN ended_at IS NULL AND started_at IS NOT NULL THEN 'ingesting'
    WHEN ended_at IS NULL THEN 'pending'
    WHEN stopping IS NOT NULL THEN stopping
    WHEN dead + rejected + cancelled = 0 THEN 'completed'
    WHEN succeeded + skipped = 0 THEN 'failed'
    ELSE 'partially_completed' END) STORED NOT NULL,
  CHECK (lines = accepted + duplicates + rejected),
  CHECK (ended_at IS NULL OR sealed_at IS NOT NULL)
) WITH (fillfactor = 50);
CREATE INDEX jobs_live ON jobs (id) WHERE ended_at IS NULL;
CREATE INDEX jobs_by_status ON jobs (status, id);
CREATE INDEX jobs_by_type ON jobs (job_type_id, id);
CREATE UNIQUE INDEX jobs_request ON jobs (request_key) WHERE request_key IS NOT NULL;

CREATE TABLE batches (
  job_id       bigint NOT NULL REFERENCES jobs,
  number       integer NOT NULL,
  first_seq    bigint NOT NULL,
  last_seq     bigint NOT NULL,
  total        integer NOT NULL,
  succeeded    integer NOT NULL DEFAULT 0,
  skipped      integer NOT NULL DEFAULT 0,
  dead         integer NOT NULL DEFAULT 0,
  cancelled    integer NOT NULL DEFAULT 0,
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  completed_at timestamptz,
  PRIMARY KEY (job_id, number),
  CHECK (succeeded >= 0 AND skipped >= 0 AND dead >= 0 AND cancelled >= 0),
  CHECK (succeeded + skipped + dead + cancelled <= total)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX batches_by_seq ON batches (job_id, first_seq);
CREATE INDEX batches_open ON batches (job_id) WHERE completed_at IS NULL;

-- state: 0 ready, 1 leased, 2 waiting, 3 held. A row exists while an item of its range has no final outcome.
CREATE TABLE slices (
  job_id       bigint NOT NULL,
  first_seq    bigint NOT NULL,
  last_seq     bigint NOT NULL,
  batch        integer NOT NULL,
  ordinal      bigint NOT NULL,
  open         integer NOT NULL CHECK (open > 0),
  state        smallint NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3),
  available_at timestamptz,
  fence        integer NOT NULL DEFAULT 0,
  worker       text,
  claimed_at   timestamptz,
  settles      integer NOT NULL DEFAULT 0,
  lapses       integer NOT NULL DEFAULT 0,
  running_seq  bigint,
  PRIMARY KEY (job_id, first_seq),
  CHECK ((state = 1) = (worker IS NOT NULL)),
  CHECK ((state = 2) = (available_at IS NOT NULL))
);
CREATE INDEX slices_ready ON slices (job_id, ordinal) WHERE state = 0;
CREATE INDEX slices_leased ON slices (job_id, worker) WHERE state = 1;
CREATE INDEX slices_waiting ON slices (available_at) WHERE state = 2;
CREATE INDEX slices_held ON slices (job_id) WHERE state = 3;
CREATE INDEX slices_lapsed ON slices (job_id, first_seq) WHERE lapses > 0;

CREATE TABLE items (
  job_id          bigint NOT NULL,
  seq             bigint NOT NULL,
  idempotency_key text COLLATE "C" NOT NULL,
  payload         text NOT NULL,
  source_row_id   bigint,
  PRIMARY KEY (job_id, seq)
);

-- "Every item of this range without a row of its own in outcomes ended like this here."
CREATE TABLE runs (
  job_id           bigint NOT NULL,
  first_seq        bigint NOT NULL,
  last_seq         bigint NOT NULL,
  status           text NOT NULL CHECK (status IN ('succeeded', 'cancelled')),
  fence            integer NOT NULL,
  worker           text,
  started_at       timestamptz NOT NULL,
  finished_at      timestamptz NOT NULL,
  start_offsets_us text,
  durations_us     text,
  results          text,
  PRIMARY KEY (job_id, first_seq)
);

CREATE TABLE outcomes (
  job_id          bigint NOT NULL,
  seq             bigint NOT NULL,
  status          text NOT NULL CHECK (status IN ('succeeded', 'skipped', 'retrying', 'dead', 'cancelled')),
  reason          text CHECK (reason IN ('exhausted', 'permanent', 'crashed')),
  attempts        integer NOT NULL,
  max_attempts    integer NOT NULL,
  fence           integer NOT NULL,
  started_at      timestamptz,
  finished_at     timestamptz NOT NULL,
  next_attempt_at timestamptz,
  error_code      text,
  error           text,
  fingerprint     text,
  result          text,
  purged_at       timestamptz,
  PRIMARY KEY (job_id, seq),
  CHECK ((status = 'retrying') = (next_attempt_at IS NOT NULL)),
  CHECK ((status = 'dead') = (reason IS NOT NULL)),
  CHECK (status <> 'dead' OR error IS NOT NULL)
);
CREATE INDEX outcomes_retrying ON outcomes (job_id, seq) WHERE status = 'retrying';
CREATE INDEX outcomes_dead ON outcomes (job_id, seq) WHERE status = 'dead';
CREATE INDEX outcomes_by_error ON outcomes (job_id, error_code, seq);

CREATE TABLE attempts (
  job_id     bigint NOT NULL,
  seq        bigint NOT NULL,
  attempt    integer NOT NULL,
  worker     text,
  fence      integer NOT NULL,
  started_at timestamptz NOT NULL,
  ended_at   timestamptz NOT NULL,
  code       text,
  error      text,
  PRIMARY KEY (job_id, seq, attempt)
);

CREATE TABLE lapses (
  job_id      bigint NOT NULL,
  first_seq   bigint NOT NULL,
  fence       integer NOT NULL,
  last_seq    bigint NOT NULL,
  worker      text NOT NULL,
  kind        text NOT NULL CHECK (kind IN ('lapsed', 'released')),
  running_seq bigint,
  claimed_at  timestamptz NOT NULL,
  lapsed_at   timestamptz NOT NULL,
  PRIMARY KEY (job_id, first_seq, fence)
);
CREATE INDEX lapses_by_worker ON lapses (worker);

CREATE TABLE idempotency_keys (
  job_id       bigint NOT NULL,
  seq          bigint NOT NULL,
  payload_hash bigint NOT NULL,
  job_type_id  integer NOT NULL,
  key          text COLLATE "C" NOT NULL,
  PRIMARY KEY (job_type_id, key)
);

CREATE TABLE rejects (
  job_id      bigint NOT NULL,
  line        bigint NOT NULL,
  byte_offset bigint NOT NULL,
  code        text NOT NULL,
  pointer     text,
  message     text NOT NULL,
  raw         bytea NOT NULL,
  raw_cut     boolean NOT NULL,
  PRIMARY KEY (job_id, line)
);

CREATE TABLE duplicates (
  job_id        bigint NOT NULL,
  first_line    bigint NOT NULL,
  last_line     bigint NOT NULL,
  holder_job_id bigint NOT NULL,
  holder_seq    bigint NOT NULL,
  kind          text NOT NULL CHECK (kind IN ('duplicate', 'conflict', 'dead_holder')),
  PRIMARY KEY (job_id, first_line)
);

-- A transactional outbox: any program may insert here, in its own transaction.
CREATE TABLE pending_work (
  id              bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  job_type        text NOT NULL,
  idempotency_key text NOT NULL,
  payload         text NOT NULL,
  created_at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX pending_work_by_type ON pending_work (job_type, id);

CREATE TABLE workers (
  incarnation text PRIMARY KEY,
  lease_until timestamptz NOT NULL,
  host        text NOT NULL,
  pid         integer NOT NULL,
  roles       text NOT NULL,
  started_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  draining    boolean NOT NULL DEFAULT false
) WITH (fillfactor = 50);

CREATE TABLE cron_runs (
  name          text NOT NULL,
  scheduled_for timestamptz NOT NULL,
  worker        text NOT NULL,
  started_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at      timestamptz,
  result        text CHECK (result IN ('succeeded', 'failed', 'skipped', 'lost')),
  detail        text,
  PRIMARY KEY (name, scheduled_for),
  CHECK ((ended_at IS NULL) = (result IS NULL))
);
-- Runs of one name never overlap.
CREATE UNIQUE INDEX cron_runs_running ON cron_runs (name) WHERE ended_at IS NULL;

CREATE TABLE events (
  job_id     bigint NOT NULL,
  round      integer NOT NULL,
  status     text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (job_id, round)
);

CREATE TABLE actions (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id     bigint,
  action     text NOT NULL,
  actor      text NOT NULL,
  detail     text NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
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
  coalesce(o.result, CASE WHEN o.seq IS NULL THEN nullif((r.results::json -> (i.seq - r.first_seq)::integer)::text, 'null') END) AS result,
  CASE WHEN o.seq IS NOT NULL THEN o.started_at
       ELSE r.started_at + make_interval(secs => coalesce((r.start_offsets_us::json ->> (i.seq - r.first_seq)::integer)::float8, 0) / 1e6) END AS started_at,
  CASE WHEN o.seq IS NOT NULL THEN o.finished_at
       WHEN r.start_offsets_us IS NULL THEN r.finished_at
       ELSE r.started_at + make_interval(secs => (coalesce((r.start_offsets_us::json ->> (i.seq - r.first_seq)::integer)::float8, 0)
         + coalesce((r.durations_us::json ->> (i.seq - r.first_seq)::integer)::float8, 0)) / 1e6) END AS finished_at,
  b.created_at, o.purged_at
FROM items i
LEFT JOIN outcomes o ON o.job_id = i.job_id AND o.seq = i.seq
LEFT JOIN LATERAL (SELECT c.* FROM runs c WHERE c.job_id = i.job_id AND c.first_seq <= i.seq
                   ORDER BY c.first_seq DESC LIMIT 1) r ON r.last_seq >= i.seq
LEFT JOIN LATERAL (SELECT c.* FROM slices c WHERE c.job_id = i.job_id AND c.first_seq <= i.seq
                   ORDER BY c.first_seq DESC LIMIT 1) s ON s.last_seq >= i.seq
                  AND coalesce(o.status, r.status, 'pending') IN ('pending', 'retrying')
LEFT JOIN LATERAL (SELECT c.number, c.created_at FROM batches c WHERE c.job_id = i.job_id AND c.first_seq <= i.seq
                   ORDER BY c.first_seq DESC LIMIT 1) b ON true;

-- One row per job with counts: totals of closed batches stand on the job, open batches are summed; a retrying item stays
-- retrying while it is run again. One statement, one snapshot. What the program reads: it takes `pending` as the rest.
CREATE VIEW job_counts AS
SELECT j.id, j.job_type_id, t.name AS job_type, j.name, j.status, j.paused_at, j.stopping, j.reason, j.reason_code,
  j.priority, j.max_concurrency, j.rate, j.options, j.source_kind, j.source_name, j.source_size, j.source_position,
  j.lines, j.accepted, j.duplicates, j.rejected, j.batches, j.batches - j.batches_open AS batches_completed, j.round,
  j.created_at, j.started_at, j.sealed_at, j.ended_at, j.pruned_at,
  j.succeeded + coalesce((SELECT sum(b.succeeded) FROM batches b WHERE b.job_id = j.id AND b.completed_at IS NULL), 0) AS succeeded,
  j.skipped + coalesce((SELECT sum(b.skipped) FROM batches b WHERE b.job_id = j.id AND b.completed_at IS NULL), 0) AS skipped,
  j.dead + coalesce((SELECT sum(b.dead) FROM batches b WHERE b.job_id = j.id AND b.completed_at IS NULL), 0) AS dead,
  j.cancelled + coalesce((SELECT sum(b.cancelled) FROM batches b WHERE b.job_id = j.id AND b.completed_at IS NULL), 0) AS cancelled,
  (SELECT count(*) FROM outcomes o WHERE o.job_id = j.id AND o.status = 'retrying') AS retrying,
  coalesce((SELECT sum(s.open - (SELECT count(*) FROM outcomes o WHERE o.job_id = s.job_id AND o.status = 'retrying'
                                 AND o.seq BETWEEN s.first_seq AND s.last_seq))
            FROM slices s WHERE s.job_id = j.id AND s.state = 1), 0)::bigint AS processing
FROM jobs j JOIN job_types t ON t.id = j.job_type_id;

-- The same for people who read with SQL, with `pending`: the counts sum to `accepted`.
CREATE VIEW batch_jobs AS
SELECT c.*, c.accepted - c.succeeded - c.skipped - c.dead - c.cancelled - c.retrying - c.processing AS pending
FROM job_counts c;
