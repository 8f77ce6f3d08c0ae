"""Settings that are allowed and still bite."""

from datetime import timedelta

from batchanator.domain.diagnosis.finding import Finding, long, note, ok

SHORT_LEASE = timedelta(seconds=15)
LONG_LEASE = timedelta(minutes=30)
LONG_POLL = timedelta(minutes=1)


def settings(
    *, lease: timedelta, poll: timedelta, grace: timedelta, is_open: bool, shared_file: bool
) -> list[Finding]:
    """`is_open`: other machines reach the API and nobody is asked for a key."""
    check = "settings"
    found = []
    if lease < SHORT_LEASE:
        text = f"LockTimeoutMinutes is {long(lease)}: a pause of the process that long loses its work"
        found.append(note(check, text, "let it be a minute or more; slow handlers need no long lease"))
    if lease > LONG_LEASE:
        text = f"LockTimeoutMinutes is {long(lease)}: so long does the work of a dead worker wait"
        found.append(note(check, text, "let it be minutes: a lease is renewed as long as its worker lives"))
    if poll > LONG_POLL:
        text = f"PollingIntervalSeconds is {long(poll)}: so long may retries and other processes' work wait"
        found.append(note(check, text, "let it be seconds"))
    if grace > lease:
        text = "ShutdownGraceSeconds is longer than the lease"
        found.append(note(check, text, "whoever stops the process must wait that long, too"))
    if is_open:
        text = "AllowAnonymous: everyone who reaches the address may do everything"
        found.append(note(check, text, "set ApiKeys, or see that a proxy asks who it is"))
    if shared_file:
        text = "workers of several hosts share a SQLite file"
        found.append(note(check, text, "a network drive's locks are not to be trusted: use PostgreSQL"))
    return found or [ok(check, "nothing that bites")]
