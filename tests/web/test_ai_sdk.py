"""Any client of the AI SDK can talk to the functions: the genuine one does, under Node.js, over NGINX."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.stack import node
from tests.stack.console import Console
from tests.stack.process import Programs

if TYPE_CHECKING:
    from tests.web.site import Site, Visitor

CLIENT = Path(__file__).parent / "ai_sdk" / "client.test.mjs"
TESTS = re.findall(r'^test\("(.+)",', CLIENT.read_text(), re.MULTILINE)


@pytest.fixture(scope="module", autouse=True)
def sdk() -> None:
    """The SDK is among the packages of web/ that only tests and linters need."""
    node.install(node.WEB, Programs(), Console(quiet=True), tools=True)


@pytest.mark.parametrize("name", TESTS)
def test_a_client_of_the_ai_sdk(site: Site, visitor: Visitor, name: str) -> None:
    cookie = visitor.storage(site.url)["cookies"][0]
    environment = node.environment() | {"SITE": site.url, "COOKIE": f"{cookie['name']}={cookie['value']}"}
    only = f"--test-name-pattern=^{re.escape(name)}$"
    command = [str(node.binary()), "--test", "--test-reporter=spec", only, str(CLIENT)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^ℹ pass 1$", done.stdout, re.MULTILINE), done.stdout
