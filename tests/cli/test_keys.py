"""`keys new` makes a key that the service then knows."""

import hashlib
import json

import pytest

from batchanator.settings import load_settings


def test_a_key_is_printed_once_with_what_the_configuration_needs(invoke, tmp_path):
    made = invoke(
        "keys", "new", "ci", "--role", "submit", "--role", "read", "--role", "read", "--job-type", "mail"
    )
    assert made.exit_code == 0
    key, line = made.stdout.splitlines()
    assert key.startswith("batchanator_")
    assert len(key) == len("batchanator_") + 43  # 256 bits, in base64
    assert json.loads(line) == {
        "Name": "ci",
        "Sha256": hashlib.sha256(key.encode()).hexdigest(),
        "Roles": ["submit", "read"],
        "JobTypes": ["mail"],
    }
    (known,) = load_settings(
        cwd=tmp_path, environ={"BATCHANATOR_API_KEYS": f"[{line}]"}, overrides={}
    ).api_keys
    assert (known.name, known.roles, known.job_types) == ("ci", ("submit", "read"), ("mail",))
    assert not list(tmp_path.iterdir())


def test_as_json_it_is_for_programs_and_every_key_is_another(invoke):
    made = [json.loads(invoke("keys", "new", "ops", "--role", "operate", "--json").stdout) for _ in range(20)]
    assert len({one["key"] for one in made}) == 20
    for one in made:
        (section,) = one["apiKeys"]
        digest = hashlib.sha256(one["key"].encode()).hexdigest()
        assert section == {"Name": "ops", "Sha256": digest, "Roles": ["operate"]}


@pytest.mark.parametrize(
    "arguments",
    [
        ("new", "ci"),
        ("new", "ci", "--role", "root"),
        ("new", "cli:root", "--role", "read"),
        ("new", "", "--role", "read"),
        ("new", "a\nb", "--role", "read"),
        ("old", "ci", "--role", "read"),
    ],
)
def test_a_key_that_nothing_would_take_is_not_made(invoke, arguments):
    made = invoke("keys", *arguments)
    assert (made.exit_code, made.stdout) == (2, "")


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_an_open_address_without_keys_does_not_start(command, host):
    refused = command("serve", "--host", host, "--port", "0")
    assert refused.returncode == 2
    assert "ApiKeys" in refused.stderr
    assert "AllowAnonymous" in refused.stderr
