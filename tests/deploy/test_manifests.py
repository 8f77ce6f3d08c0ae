"""compose.yaml and deploy/kubernetes are what their schemas ask for, and fit the product.

Not checked by a schema: KEDA's kinds and kustomize's, since no package carries theirs; what we use is looked at.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import check_jsonschema
import jsonschema
import kubernetes_validate
import pytest
import yaml

from batchanator.api.access import ROLES
from batchanator.app.serving import REQUEST_GRACE_SECONDS
from batchanator.domain.errors import SettingsError
from batchanator.settings import Settings, check_bind, load_settings
from tests.contract.world import World, entries

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "deploy" / "kubernetes"
WITHOUT_SCHEMA = {"ScaledObject", "TriggerAuthentication", "Kustomization"}
MANIFESTS = {
    (document["kind"], path.name): document
    for path in sorted(KUBERNETES.glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text("utf-8"))
}
BY_KIND = {kind: document for (kind, _), document in MANIFESTS.items()}
DEPLOYMENT = BY_KIND["Deployment"]["spec"]["template"]["spec"]
(CONTAINER,) = DEPLOYMENT["containers"]
IMAGE = dict(re.findall(r"(BATCHANATOR_[A-Z_]+)=(\S+)", (ROOT / "Dockerfile").read_text("utf-8")))
EXAMPLES = {
    **BY_KIND["Secret"]["stringData"],
    **{one["name"]: one["value"] for one in CONTAINER["env"]},
}


def compose() -> Any:
    text = (ROOT / "compose.yaml").read_text("utf-8")
    return yaml.safe_load(text.replace("${POSTGRES_PASSWORD:?}", "a-password"))


def settings(environ: Mapping[str, str], cwd: Path) -> Settings:
    return load_settings(config=None, cwd=cwd, environ=environ, overrides={})


@pytest.mark.parametrize("version", ["1.30", kubernetes_validate.latest_version()])
@pytest.mark.parametrize("name", [name for name in MANIFESTS if name[0] not in WITHOUT_SCHEMA])
def test_a_manifest_is_what_kubernetes_takes(name, version):
    kubernetes_validate.validate(MANIFESTS[name], version, strict=True)


def test_the_compose_file_is_what_its_specification_says():
    vendored = Path(check_jsonschema.__file__).parent / "builtin_schemas" / "vendor" / "compose-spec.json"
    jsonschema.validate(compose(), json.loads(vendored.read_text("utf-8")))


def test_the_kustomization_lists_what_is_there_but_examples_and_what_needs_keda():
    listed = set(BY_KIND["Kustomization"]["resources"])
    assert listed == {name for kind, name in MANIFESTS if kind not in {*WITHOUT_SCHEMA, "Secret"}}


def test_the_settings_of_the_manifests_are_settings(tmp_path):
    known = settings({**IMAGE, **EXAMPLES}, tmp_path)
    check_bind(known)
    assert known.port == CONTAINER["ports"][0]["containerPort"]
    assert known.database_url.startswith("postgresql://")
    assert known.api_keys
    assert not known.loopback


def test_the_settings_of_the_compose_file_are_settings_and_may_serve(tmp_path):
    environment = compose()["services"]["batchanator"]["environment"]
    known = settings({**IMAGE, **{name: str(value) for name, value in environment.items()}}, tmp_path)
    check_bind(known)
    published = compose()["services"]["batchanator"]["ports"]
    assert {one.split(":")[0] for one in published} == {"127.0.0.1"}  # it lets everybody in
    assert {int(one.split(":")[2]) for one in published} == {known.port}


def test_the_image_alone_serves_nobody_without_being_told_to(tmp_path):
    with pytest.raises(SettingsError, match="set ApiKeys"):
        check_bind(settings(IMAGE, tmp_path))


def test_a_pod_has_the_time_that_a_stop_takes(tmp_path):
    grace = settings(IMAGE, tmp_path).shutdown_grace_seconds
    takes = CONTAINER["lifecycle"]["preStop"]["sleep"]["seconds"] + REQUEST_GRACE_SECONDS + grace
    assert takes + 10 <= DEPLOYMENT["terminationGracePeriodSeconds"]
    assert REQUEST_GRACE_SECONDS + grace + 5 <= int(
        compose()["services"]["batchanator"]["stop_grace_period"].removesuffix("s")
    )


def test_the_probes_ask_what_the_service_answers():
    asked = {
        name: CONTAINER[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")
    }
    assert asked == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}
    open_to_all = {route.removeprefix("GET ") for route, role in ROLES.items() if role == "nothing"}
    assert set(asked.values()) == open_to_all


def test_everything_points_at_what_is_there():
    labels = BY_KIND["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert BY_KIND["Service"]["spec"]["selector"] == labels
    assert BY_KIND["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert BY_KIND["Service"]["spec"]["ports"][0]["targetPort"] == CONTAINER["ports"][0]["name"]
    secret = BY_KIND["Secret"]
    assert [one["secretRef"]["name"] for one in CONTAINER["envFrom"]] == [secret["metadata"]["name"]]
    (login,) = BY_KIND["TriggerAuthentication"]["spec"]["secretTargetRef"]
    assert (login["name"], login["key"] in secret["stringData"]) == (secret["metadata"]["name"], True)
    scaled = BY_KIND["ScaledObject"]["spec"]
    assert scaled["scaleTargetRef"]["name"] == BY_KIND["Deployment"]["metadata"]["name"]
    (trigger,) = scaled["triggers"]
    assert trigger["authenticationRef"]["name"] == BY_KIND["TriggerAuthentication"]["metadata"]["name"]
    assert all(isinstance(value, str) for value in trigger["metadata"].values())


async def due(world: World) -> int:
    query = BY_KIND["ScaledObject"]["spec"]["triggers"][0]["metadata"]["query"]
    return int((await world.one(query))["count"])


async def test_replicas_are_scaled_by_the_slices_that_someone_has_to_run(postgres_url: str):
    world = await World.begin(postgres_url)
    try:
        assert await due(world) == 0
        job = await world.job(entries([f"k{n}" for n in range(20)]), slice_size=4)
        assert await due(world) == 5
        await world.claim_one(await world.worker())
        assert await due(world) == 5  # who runs one is needed
        await world.operations.pause(job, actor="a test")
        assert await due(world) == 0
        await world.operations.resume(job, actor="a test")
        assert await due(world) == 5
        await world.run()
        assert await due(world) == 1  # the one that was claimed
        await world.operations.cancel(job, actor="a test")
        assert await due(world) == 0
    finally:
        await world.end()
