"""A secret never shows: not in repr, not in what is printed, not in an error."""

import hashlib
import json

import pytest

from batchanator.domain.errors import SettingsError
from batchanator.settings import check_bind, describe, source_roots

CANARY = "canary-0123456789-0123456789-0123456789"

SECRETIVE = [
    {"DatabaseUrl": f"postgresql://u:{CANARY}@localhost/d"},
    {"DatabaseUrl": f"postgresql://localhost/d?password={CANARY}"},
    {"ApiKeys": [CANARY]},
    {"ApiKeys": [{"Key": CANARY, "Roles": ["read"], "Name": "ci"}]},
]
STRINGS = [
    f"Host=localhost;Database=d;Username=u;Password={CANARY}",
    f"Host=localhost;Database=d;Username=u;PWD = '{CANARY} ;x{CANARY}';Pooling=true",
    f"postgres://u:{CANARY}@localhost/d",
]


@pytest.mark.parametrize("section", SECRETIVE)
def test_a_secret_in_our_section_never_shows(load, section):
    settings = load(json.dumps({"Batchanator": section}))
    for text in (repr(settings), str(settings), json.dumps(describe(settings)), repr(settings.model_dump())):
        assert CANARY not in text
    assert hashlib.sha256(CANARY.encode()).hexdigest() not in repr(settings) + json.dumps(describe(settings))


@pytest.mark.parametrize("connection", STRINGS)
def test_a_secret_in_a_connection_string_never_shows(load, connection):
    file = {
        "Batchanator": {"DatabaseProvider": "Postgres"},
        "ConnectionStrings": {"DefaultConnection": connection},
    }
    settings = load(json.dumps(file))
    assert CANARY in settings.database_url
    for text in (repr(settings), json.dumps(describe(settings))):
        assert CANARY not in text
    assert "localhost" in str(describe(settings)["ConnectionStrings.DefaultConnection"])


def test_what_is_printed_holds_every_setting_by_its_written_name(load, tmp_path):
    shown = describe(load(database_url="postgresql://u:p@localhost/d", lock_timeout_minutes=0.5))
    assert shown["DatabaseUrl"] == "postgresql://u:***@localhost/d"
    assert shown["HeartbeatSeconds"] == 10
    assert shown["ChunkSize"] == 1000
    assert shown["SqlitePath"] == str(tmp_path / "batchanator.db")
    assert shown["Maintenance"] == {
        "StaleJobCleanup": {"CronExpression": "*/5 * * * *", "Enabled": True},
        "DeadLetterRetry": None,
        "ExpiredLockRelease": {"CronExpression": "*/2 * * * *", "Enabled": True},
    }


def test_of_a_key_only_the_digest_is_kept(load):
    digest = hashlib.sha256(CANARY.encode()).hexdigest()
    bare, named, hashed = load(
        json.dumps(
            {
                "Batchanator": {
                    "ApiKeys": [
                        CANARY,
                        {"name": "ci", "key": CANARY, "roles": ["Read", "submit"], "jobTypes": ["mail"]},
                        {"Sha256": f"sha256:{digest.upper()}", "Roles": ["process"]},
                    ]
                }
            }
        )
    ).api_keys
    assert {key.sha256 for key in (bare, named, hashed)} == {digest}
    assert [key.key for key in (bare, named, hashed)] == [None, None, None]
    assert (bare.roles, bare.name) == (("admin",), f"key-{digest[:8]}")
    assert (named.name, named.roles, named.job_types) == ("ci", ("read", "submit"), ("mail",))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "::1"])
def test_a_loopback_needs_no_keys_and_reads_the_working_directory(load, tmp_path, host):
    settings = load(host=host)
    check_bind(settings)
    assert source_roots(settings, tmp_path) == (tmp_path,)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.com"])
def test_any_other_address_needs_a_word_and_reads_no_files(load, tmp_path, host):
    with pytest.raises(SettingsError, match=r"ApiKeys are not checked by this version: set AllowAnonymous"):
        check_bind(load(host=host))
    with pytest.raises(SettingsError, match="not checked by this version"):
        check_bind(load(host=host, api_keys=[CANARY]))
    check_bind(load(host=host, allow_anonymous=True))
    assert source_roots(load(host=host), tmp_path) == ()
    assert source_roots(load(host=host, source_roots=["in"]), tmp_path) == (tmp_path / "in",)
