"""kubectl against one cluster, and what is asked of it again and again."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.cluster.run import wait_for

Thing = dict[str, Any]  # a Kubernetes object


class KubectlError(RuntimeError):
    """kubectl failed; the message is what it said."""


class Kubectl:
    """kubectl as one user of one cluster: `selection` are the flags that name it, never a default context."""

    def __init__(self, program: Path, *selection: str, enter: Sequence[str] = ()) -> None:
        self.command = [*enter, str(program), *selection]

    def __call__(self, *arguments: object, text: str | None = None) -> str:
        """Run kubectl with the arguments and return its output. Raises KubectlError."""
        done = subprocess.run(
            [*self.command, *map(str, arguments)], input=text, text=True, capture_output=True, check=False
        )
        if done.returncode:
            raise KubectlError(f"kubectl {' '.join(map(str, arguments))}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def says(self, *arguments: object) -> bool:
        """Whether a kubectl command succeeds."""
        try:
            self(*arguments)
        except KubectlError:
            return False
        return True

    def apply(self, *things: Thing, field_manager: str = "nanoka-cluster") -> None:
        """Apply objects on the server's side, taking over fields that others own."""
        self.apply_text("\n---\n".join(map(json.dumps, things)), field_manager=field_manager)

    def apply_text(self, text: str, *, field_manager: str = "nanoka-cluster") -> None:
        """Apply a stream of YAML documents."""
        self("apply", "--server-side", "--force-conflicts", f"--field-manager={field_manager}", "-f", "-", text=text)

    def define(self, *types: Thing) -> None:
        """Apply CustomResourceDefinitions, and return when the API server serves them."""
        self.apply(*types)
        # Without a moment's patience `kubectl wait` fails on a type that has no conditions yet.
        wait_for("the types", lambda: self.says("wait", "--for=condition=Established", "crd", "--all"))

    def dry_run(self, *things: Thing) -> str:
        """Have objects judged as if they were made, and nothing stored. Raises KubectlError with the verdict."""
        return self("apply", "--dry-run=server", "--server-side", "--force-conflicts", "--validate=strict",
                    "-f", "-", text="\n---\n".join(map(json.dumps, things)))  # fmt: skip

    def get(self, *arguments: object) -> Thing:
        """An object, or a list of them, as the API server has it."""
        found: Thing = json.loads(self("get", "-o", "json", *arguments))
        return found

    def patch(self, kind: str, name: str, patch: Thing, *arguments: object) -> None:
        """Merge a patch into an object."""
        self("patch", kind, name, "--type=merge", f"--patch={json.dumps(patch)}", *arguments)
