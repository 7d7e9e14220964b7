"""Brings a database to the newest schema, by the very command that the cluster's Job runs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tests.stack.process import ROOT, Programs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def migrate(environment: Mapping[str, str], log: Path, programs: Programs | None = None) -> None:
    """Migrate the database that `environment` names. Raises StackError with the output when a step fails."""
    env = {**environment, "PYTHONPATH": str(ROOT / "functions")}
    (programs or Programs()).run("The migration", [sys.executable, "-m", "nanoka.migrate"], log=log, env=env)
