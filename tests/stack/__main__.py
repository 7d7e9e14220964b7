"""The local stack's commands: `python -m tests.stack chat | function NAME | purge`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.stack import commands
from tests.stack.errors import StackError
from tests.stack.home import FOLDER
from tests.stack.services import NAMES


def main() -> None:
    """Run one command. Its failure is a message on standard error and a non-zero exit code."""
    parser = argparse.ArgumentParser(prog="nox -s", description=__doc__)
    subparsers = parser.add_subparsers(dest="command", required=True)
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--folder", type=Path, default=FOLDER, help="where data and logs are kept (%(default)s)")
    chat = subparsers.add_parser("chat", parents=[where], help="the whole stack")
    chat.add_argument("--reset", action="store_true", help="forget all conversations, people and keys first")
    chat.add_argument("--pages", type=Path, help="serve this folder of pages instead of building web/")
    function = subparsers.add_parser("function", parents=[where], help="one function alone, for a developer with curl")
    function.add_argument("name", choices=NAMES)
    purge = subparsers.add_parser("purge", parents=[where], help="trigger the purge function as ops do")
    purge.add_argument("--dry-run", action="store_true", help="only count what would be deleted")
    arguments = parser.parse_args()
    try:
        if arguments.command == "chat":
            pages = arguments.pages and arguments.pages.resolve()
            commands.chat(arguments.folder.resolve(), pages, reset=arguments.reset)
        elif arguments.command == "function":
            commands.function(arguments.folder.resolve(), arguments.name)
        else:
            commands.purge(arguments.folder.resolve(), dry_run=arguments.dry_run)
    except StackError as error:
        sys.exit(f"\n{error}")


if __name__ == "__main__":
    main()
