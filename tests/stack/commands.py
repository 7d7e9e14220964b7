"""What a person starts: the whole stack, one function alone, or a purge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.stack import developer, ops
from tests.stack.console import Console
from tests.stack.foreground import run_in_foreground
from tests.stack.home import Home
from tests.stack.stack import Stack

if TYPE_CHECKING:
    from pathlib import Path


def chat(folder: Path, pages: Path | None = None, *, reset: bool) -> None:
    """Run the whole stack until Ctrl-C or SIGTERM. Raises StackError when it cannot start or go on."""
    console = Console()
    stack = Stack(folder=folder, pages=pages, console=console)
    console.say(f"Starting Nanoka with its data in {folder}")
    run_in_foreground(
        stack,
        console,
        start=lambda: stack.start(forget=reset),
        ready=lambda: console.say(f"Nanoka is ready: http://localhost:{stack.settings.front_port()}"),
    )


def function(folder: Path, name: str) -> None:
    """Run one function under functions-framework until Ctrl-C or SIGTERM. Raises StackError."""
    console = Console()
    stack = developer.stack_for(name, folder, console)
    run_in_foreground(stack, console, start=stack.start, ready=lambda: developer.explain(stack, name, console))


def purge(folder: Path, *, dry_run: bool) -> None:
    """Trigger the purge function; its answer alone goes to standard output. Raises StackError."""
    print(ops.purge(Home(folder), dry_run=dry_run), flush=True)
