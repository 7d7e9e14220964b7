"""What the machine's own cluster runs is production, but for images, addresses of stand-ins and the domain."""

import re
from typing import Any

import pytest

from tests.cluster import render
from tests.cluster.kubectl import Thing
from tests.knative.conftest import CLUSTER, KNATIVE
from tests.knative.workloads import of_kind, workloads

HASH = re.compile(r"^(nanoka|edge)-[0-9a-z]{10}$")  # a generated ConfigMap's name ends with its content's hash
# Kinds whose controllers are Google's or Let's Encrypt's: the runner makes what they would.
LEFT_OUT = {"SecretProviderClass", "SecretSync", "Certificate", "ClusterIssuer"}
OF_STAND_INS = {"GOOGLE_VERTEX_BASE_URL", "OIDC_ISSUER", "PURGE_CERTS_URL"}


def plain(value: Any) -> Any:
    """The same without what may differ: hashes in names, images."""
    if isinstance(value, dict):
        return {key: "(image)" if key == "image" else plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return HASH.sub(r"\1", value) if isinstance(value, str) else value


def by_name(things: list[Thing]) -> dict[tuple[str, str, str], Thing]:
    return {
        (t["apiVersion"], t["kind"], t["metadata"]["name"]): t for t in map(plain, things) if t["kind"] not in LEFT_OUT
    }


def overlays() -> list[str]:
    return sorted(folder.name for folder in render.folders() if CLUSTER in folder.parents)


@pytest.mark.parametrize("name", overlays())
def test_nothing_else_differs(name: str) -> None:
    ours = by_name(render.objects(CLUSTER / name))
    production = by_name(render.objects(KNATIVE / "overlays" / "production" / name))
    assert ours.keys() == production.keys()
    for key, thing in production.items():
        if key[1] == "ConfigMap":
            known = thing["data"].keys() | OF_STAND_INS
            assert ours[key]["data"].keys() <= known
            ours[key].pop("data"), thing.pop("data")
        if key[1] == "KnativeServing":
            spec = ours[key]["spec"]
            assert spec.pop("registry").keys() == {"default"}
            assert spec["ingress"]["kourier"].pop("enabled") is not thing["spec"]["ingress"]["kourier"].pop("enabled")
            spec["config"]["deployment"].pop("queue-sidecar-image")
            assert spec["config"]["autoscaler"].pop("allow-zero-initial-scale") == "true"
            assert spec["config"]["autoscaler"].pop("initial-scale") == "0"
            assert (
                int(thing["spec"]["config"]["autoscaler"].pop("initial-scale")) > 0
            )  # or a release that crashes serves
        assert ours[key] == thing, key


@pytest.mark.parametrize("name", overlays())
def test_every_image_is_one_that_is_built_here(name: str) -> None:
    for workload in workloads(render.objects(CLUSTER / name)):
        for container in workload.containers:
            assert re.fullmatch(r"dev\.local/nanoka/[a-z-]+:1", container["image"]), workload.owner


def test_production_knows_no_stand_in() -> None:
    """A stand-in's address in production would send people's words, or trust, to the wrong place."""
    for name in overlays():
        for config in of_kind(render.objects(KNATIVE / "overlays" / "production" / name), "ConfigMap"):
            assert not OF_STAND_INS & config["data"].keys()
