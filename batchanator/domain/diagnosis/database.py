"""What the database's own state means: its clock, settings, old transactions and dead rows."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from batchanator.domain.diagnosis.finding import Fact, Finding, long, note, ok, wrong

MOST_SKEW = timedelta(seconds=2)
OLDEST_POSTGRES = 140_000
DEAD_ROWS = 100_000
DEAD_SHARE = 2.0
CONNECTIONS_LEFT = 10


def clocks(skew: timedelta, workers: Sequence[Fact], now: datetime) -> Finding:
    """`skew` is the database's clock less this host's, `now` the database's."""
    check = "clocks"
    ahead = [row for row in workers if row["seen_at"] > now + MOST_SKEW]
    if ahead:
        hosts = ", ".join(sorted({row["host"] for row in ahead}))
        return wrong(check, f"workers on {hosts} were seen in the future", "set the clocks by NTP")
    if abs(skew) > MOST_SKEW:
        where = "ahead of" if skew > timedelta(0) else "behind"
        text = f"the database is {abs(skew).total_seconds():.1f} s {where} this host"
        return note(check, text, "leases go by the database's clock, logs do not: set the clocks by NTP")
    return ok(check, "the database's and this host's agree")


def server(values: Mapping[str, str]) -> list[Finding]:
    """Judge what the server says of itself: of PostgreSQL its settings, of SQLite its journal."""
    if "journal_mode" in values:
        return [_sqlite(values)]
    found = [
        wrong("server", f"{name} is off: a crash can lose what was answered with 2xx", f"set {name} = on")
        for name in ("fsync", "full_page_writes")
        if values.get(name) == "off"
    ]
    if values.get("autovacuum") == "off":
        found.append(wrong("server", "autovacuum is off: dead rows pile up", "set autovacuum = on"))
    if values.get("default_transaction_read_only") == "on":
        found.append(wrong("server", "sessions are read-only by default", "connect to the primary"))
    if int(values["server_version_num"]) < OLDEST_POSTGRES:
        found.append(wrong("server", f"PostgreSQL {values['server_version']} is too old", "run 14 or later"))
    room = int(values["max_connections"]) - int(values["superuser_reserved_connections"])
    left = room - int(values["connections"])
    if left < CONNECTIONS_LEFT:
        mend = "raise max_connections, or run fewer processes: each takes up to 13"
        found.append(note("server", f"{left} of {room} connections are left", mend))
    return found or [ok("server", f"PostgreSQL {values['server_version']}, {left} connections left")]


def _sqlite(values: Mapping[str, str]) -> Finding:
    text = f"SQLite {values['server_version']}, journal {values['journal_mode']}"
    if values["journal_mode"] == "wal":
        return ok("server", text)
    return note(
        "server",
        f"{text}: readers and the writer wait for each other",
        "install batchanator[sqlite], whose library may use a WAL, and start again",
    )


def pinning(rows: Sequence[Fact]) -> Finding:
    check = "old transactions"
    if not rows:
        return ok(check, "none")
    first = rows[0]
    age = "" if first["seconds"] is None else f", open for {long(timedelta(seconds=first['seconds']))}"
    more = f" (and {len(rows) - 1} more)" if len(rows) > 1 else ""
    return wrong(
        check,
        f"{first['kind']} {first['name']} ({first['whose'] or 'unnamed'}, {first['state']}{age}){more} keeps dead rows",
        "end it: pg_terminate_backend(pid), ROLLBACK PREPARED, or pg_drop_replication_slot",
    )


def tables(rows: Sequence[Fact]) -> Finding:
    bloated = [row for row in rows if row["dead"] > DEAD_ROWS and row["dead"] > DEAD_SHARE * row["live"]]
    if not bloated:
        return ok("dead rows", "few")
    named = ", ".join(f"{row['name']} ({row['dead']} dead, {row['live']} live)" for row in bloated)
    return wrong(
        "dead rows", named, "VACUUM these tables, and see that autovacuum runs and nothing pins old rows"
    )
