"""What Argo CD is told to think of an application (terraform/argocd/values.yaml), and with it of a sync wave.

A wave waits for what is Progressing, goes on when all is Healthy, and has failed when anything is Degraded.
"""

import json
from typing import Any

import pytest
import yaml

from tests.terraform import tools
from tests.terraform.workspace import ROOT

# As Argo CD runs a script: Lua 5.1 with the object, and of the libraries those of tables alone.
JUDGE = """
import json, sys
from lupa.lua51 import LuaRuntime
script, application = map(json.loads, sys.argv[1:])
lua = LuaRuntime()
lua.execute("string, math, io, debug, coroutine = nil")
lua.globals().obj = lua.table_from(application, recursive=True)
print(json.dumps(dict(lua.execute(script))))
"""
HEALTHY = {"health": {"status": "Healthy"}}
BROKEN = {"conditions": [{"type": "ComparisonError", "message": "no such chart"}]}


def after(phase: str, message: str = "") -> dict[str, Any]:
    return {"operationState": {"phase": phase, "message": message}}


def health(status: dict[str, Any] | None) -> dict[str, str]:
    """Status and message of an application of this state."""
    values = yaml.safe_load((ROOT / "terraform" / "argocd" / "values.yaml").read_text())
    script = values["configs"]["cm"]["resource.customizations.health.argoproj.io_Application"]
    application = {"kind": "Application"} | ({} if status is None else {"status": status})
    done = tools.run("lupa", "-c", JUDGE, json.dumps(script), json.dumps(application))
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    "status",
    [
        None,
        HEALTHY,  # as one of which nothing was made yet is called
        after("Running"),
        HEALTHY | after("Running"),
        BROKEN | after("Running", "no such chart. Retrying attempt #1 at 9:30AM."),
        after("Terminating"),
        after("Succeeded"),
        {"health": {"status": "Progressing"}} | after("Succeeded"),
    ],
)
def test_a_wave_waits_for_what_is_under_way(status: dict[str, Any] | None) -> None:
    assert health(status)["status"] == "Progressing"


def test_a_wave_goes_on_when_all_is_made_and_healthy() -> None:
    assert health(HEALTHY | after("Succeeded"))["status"] == "Healthy"
    warned = {"conditions": [{"type": "SharedResourceWarning", "message": "two of one name"}]}
    assert health(HEALTHY | warned | after("Succeeded"))["status"] == "Healthy"


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (BROKEN, "no such chart"),  # nothing could be rendered, so that no sync ever began
        (HEALTHY | BROKEN | after("Succeeded"), "no such chart"),
        ({"conditions": [{"type": "InvalidSpecError", "message": "not allowed"}]}, "not allowed"),
        (after("Failed", "refused (retried 5 times)"), "refused (retried 5 times)"),
        (HEALTHY | after("Error", "no such project"), "no such project"),
        ({"health": {"status": "Degraded", "message": "crashes"}} | after("Succeeded"), "crashes"),
    ],
)
def test_a_wave_fails_with_what_failed_for_good(status: dict[str, Any], message: str) -> None:
    """Else it waits for ever, and while it waits no commit is looked at, not the one that repairs it either."""
    assert health(status) == {"status": "Degraded", "message": message}
