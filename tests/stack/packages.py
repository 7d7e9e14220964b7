"""Parts that come as Python packages, found without importing them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from tests.stack.errors import StackError


def folder(module: str, package: str, otherwise: str) -> Path:
    """The folder of an installed module. Raises StackError naming the package and what to do `otherwise`."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise StackError(
            f"The package `{package}` is not installed here. `nox -s chat` installs everything that it "
            f"needs: start it that way, or {otherwise}"
        )
    return Path(spec.origin).parent
