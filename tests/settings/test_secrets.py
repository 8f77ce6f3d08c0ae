"""A secret never shows: not in repr, not in what is printed, not in an error."""

import hashlib
import json

import pytest

from batchanator.domain.errors import SettingsError
from batchanator.settings import check_bind, describe, open_to, source_roots

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
    keys = [f"{CANARY}-{n}" for n in range(3)]
    digests = [hashlib.sha256(key.encode()).hexdigest() for key in keys]
    bare, named, hashed = load(
        json.dumps(
            {
                "Batchanator": {
                    "ApiKeys": [
                        keys[0],
                        {"name": "ci", "key": keys[1], "roles": ["Read", "submit"], "jobTypes": ["mail"]},
                        {"Sha256": f"sha256:{digests[2].upper()}", "Roles": ["process"]},
                    ]
                }
            }
        )
    ).api_keys
    assert [key.sha256 for key in (bare, named, hashed)] == digests
    assert [key.key for key in (bare, named, hashed)] == [None, None, None]
    assert (bare.roles, bare.name) == (("admin",), f"key-{digests[0][:8]}")
    assert (named.name, named.roles, named.job_types) == ("ci", ("read", "submit"), ("mail",))


def test_a_variable_holds_the_whole_list_as_json(load):
    digest = hashlib.sha256(CANARY.encode()).hexdigest()
    listed = json.dumps([{"Name": "ci", "Sha256": digest, "Roles": ["read", "submit"]}])
    (key,) = load(environ={"BATCHANATOR_API_KEYS": f"\n {listed}\n"}).api_keys
    assert (key.name, key.sha256, key.roles) == ("ci", digest, ("read", "submit"))
    parts = {"NAME": "ci", "SHA256": digest, "ROLES": "read,submit"}
    environ = {f"BATCHANATOR_API_KEYS__0__{name}": value for name, value in parts.items()}
    assert load(environ=environ).api_keys == (key,)
    (bare,) = load(environ={"BATCHANATOR_API_KEYS": CANARY}).api_keys
    assert (bare.sha256, bare.roles) == (digest, ("admin",))


@pytest.mark.parametrize(
    "wrong", ["[", f'["{CANARY}"', f"[{CANARY}]", f'["{CANARY}"], "x": ["y"]', "[1]", "[[]]"]
)
def test_what_is_wrong_with_a_variable_is_said_without_what_it_holds(refusal, wrong):
    line = refusal(environ={"BATCHANATOR_API_KEYS": wrong})
    assert "BATCHANATOR_API_KEYS" in line
    assert CANARY not in line


def _key(name: str, letter: str, *roles: str, **more: object) -> dict[str, object]:
    return {"Name": name, "Sha256": letter * 64, "Roles": roles or ["read"], **more}


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ([_key("a", "1"), _key("b", "1")], "ApiKeys hold one key twice"),
        ([_key("a", "1"), _key("a", "2"), _key("a", "3")], "hold 3 keys called 'a'; two are enough"),
        ([_key("a", "1"), _key("a", "2", "admin")], "two keys called 'a' with other Roles or JobTypes"),
        (
            [_key("a", "1"), _key("a", "2", JobTypes=["x"])],
            "two keys called 'a' with other Roles or JobTypes",
        ),
        ([_key("cli:root", "1")], "printable characters and no colon"),
        ([_key("a\nb", "1")], "printable characters and no colon"),
        ([_key("a" * 101, "1")], "must have 1 to 100 printable"),
        ([_key("a", "1", "root")], "ApiKeys[0].Roles"),
        ([{"Name": "a", "Sha256": "1" * 64, "Roles": []}], "ApiKeys[0].Roles"),
    ],
)
def test_keys_that_cannot_be_meant_are_refused(refusal, keys, problem):
    assert problem in refusal(json.dumps({"Batchanator": {"ApiKeys": keys}}))


def test_two_keys_of_a_name_follow_each_other(load):
    keys = load(json.dumps({"Batchanator": {"ApiKeys": [_key("a", "1"), _key("a", "2")]}})).api_keys
    assert [key.name for key in keys] == ["a", "a"]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "localhost", "::1"])
def test_a_loopback_needs_no_keys_and_reads_the_working_directory(load, tmp_path, host):
    settings = load(host=host)
    check_bind(settings)
    assert source_roots(settings, tmp_path) == (tmp_path,)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.com"])
def test_any_other_address_needs_keys_or_a_word_and_reads_no_files(load, tmp_path, host):
    with pytest.raises(SettingsError, match=r"set ApiKeys .*, or AllowAnonymous"):
        check_bind(load(host=host))
    check_bind(load(host=host, api_keys=[CANARY]))
    check_bind(load(host=host, allow_anonymous=True))
    with pytest.raises(SettingsError, match="ApiKeys and AllowAnonymous contradict each other"):
        check_bind(load(host=host, api_keys=[CANARY], allow_anonymous=True))
    assert source_roots(load(host=host), tmp_path) == ()
    assert source_roots(load(host=host, source_roots=["in"]), tmp_path) == (tmp_path / "in",)


def test_who_may_ask_is_said(load):
    assert open_to(load()) == "this machine"
    assert open_to(load(api_keys=[CANARY])) == "whoever has one of 1 keys"
    assert open_to(load(host="0.0.0.0", allow_anonymous=True)) == "everybody"
