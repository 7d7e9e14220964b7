"""Policy of the two Dockerfiles, read line by line; that they build and run is seen on the cluster."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = [ROOT / "functions" / "Dockerfile", ROOT / "web" / "Dockerfile"]
UV = "--quiet --no-cache-dir uv==X"  # what installs the locked packages
PINNED = re.compile(r"[a-z0-9.-]+/[a-z0-9./-]+:[\w.-]+@sha256:[0-9a-f]{64}")


def instructions(file: Path) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile in their order, each with its arguments on one line."""
    lines = [line for line in file.read_text().splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    pairs = (line.partition(" ") for line in joined.splitlines() if line.strip())
    return [(name.upper(), rest.strip()) for name, _, rest in pairs]


def last_stage(file: Path) -> list[tuple[str, str]]:
    """The instructions that make the image itself."""
    found = instructions(file)
    last = max(index for index, (name, _) in enumerate(found) if name == "FROM")
    return found[last:]


@pytest.fixture(params=FILES, ids=[str(file.relative_to(ROOT)) for file in FILES])
def file(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_every_base_is_an_argument_pinned_by_digest(file: Path) -> None:
    found = instructions(file)
    defaults = dict(rest.split("=", 1) for name, rest in found if name == "ARG" and "=" in rest)
    bases = [rest.split()[0] for name, rest in found if name == "FROM"]
    assert len(bases) == 2
    for base in bases:
        default = defaults[base.removeprefix("${").removesuffix("}")]
        assert PINNED.fullmatch(default), default
        assert ":latest" not in default


def test_nothing_is_fetched_or_unpacked_on_the_way_in(file: Path) -> None:
    assert not [rest for name, rest in instructions(file) if name == "ADD"]
    fetching = re.compile(r"\b(curl|wget|apt-get|apk|git)\b|https?://")
    assert not [rest for name, rest in instructions(file) if name == "RUN" and fetching.search(rest)]


def test_the_image_runs_as_a_number_that_is_not_root(file: Path) -> None:
    stage = last_stage(file)
    users = [rest for name, rest in stage if name == "USER"]
    assert users, "the base's own user is not ours to trust"
    for user in users:
        assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user), user  # a name tells runAsNonRoot nothing
    names = [name for name, _ in stage]
    assert names.index("USER") < names.index("ENTRYPOINT")


def test_the_last_stage_runs_nothing_and_copies_from_named_places(file: Path) -> None:
    stage = last_stage(file)
    assert "RUN" not in [name for name, _ in stage]
    assert not [rest for name, rest in stage if name == "COPY" and rest.split()[0] in {".", "./"}]
    entrypoints = [rest for name, rest in stage if name == "ENTRYPOINT"]
    assert [rest[0] for rest in entrypoints] == ["["]  # as a list: no shell between signals and the program


def test_packages_are_installed_by_locks_alone() -> None:
    functions, web = ("\n".join(rest for name, rest in instructions(file) if name == "RUN") for file in FILES)
    assert "--require-hashes" in functions
    assert "--compile-bytecode" in functions
    assert re.findall(
        r"(?<!uv )\bpip install (.*?)(?: &&|$)", re.sub(r"(?<=uv==)[\d.]+", "X", functions), re.MULTILINE
    ) == [UV], "uv alone"
    assert re.findall(r"\bnpm (\S+)", web) == ["ci", "run"]
