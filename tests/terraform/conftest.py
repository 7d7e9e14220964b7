"""Terraform's root modules, initialised once a run; without providers the tests that need them say so."""

from pathlib import Path

import pytest

from tests.terraform import workspace
from tests.terraform.workspace import TerraformMissingError, Workspace


def prepared(scratch: Path, module: str) -> Workspace:
    try:
        return workspace.prepare(scratch, module)
    except TerraformMissingError as error:
        pytest.skip(
            f"NOT RUN: init, validate, test and plan of terraform/{module}: {error} "
            "(TF_CLI_CONFIG_FILE may name a mirror that has the providers)"
        )


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The first step: Google Cloud."""
    return prepared(tmp_path_factory.mktemp("cloud"), "")


@pytest.fixture(scope="session")
def argocd(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The second step: Argo CD and the root application."""
    return prepared(tmp_path_factory.mktemp("argocd"), "argocd")
