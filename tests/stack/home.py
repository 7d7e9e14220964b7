"""The folder that a stack keeps its data in: one stack at a time, with enough room."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import psutil

from tests.stack.errors import StackError
from tests.stack.process import ROOT

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / ".nanoka"
ROOM_NEEDED = 300_000_000
"""Bytes that must be free: PostgreSQL writes its journal in files of 16 MB, and NGINX keeps uploads."""
PERSISTENT = ("postgres", "sign-in", "token-issuer", "ports.json")
"""What a stack remembers from one start to the next."""


class Home:
    """A stack's folder, held by a lock that ends with the process that holds it, however that ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._state = folder / "stack.json"
        self._lock: int | None = None

    def hold(self) -> None:
        """Take the folder. Raises StackError when another stack has it, or the disk is full."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise StackError(f"{self.folder} cannot be written: {error}") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            other = self.running()
            where = f" at {other['url']} as process {other['pid']}" if other else ""
            raise StackError(
                f"Nanoka already runs from {self.folder}{where}. Use that one, or stop it with Ctrl-C."
            ) from None
        self._lock = lock
        free = shutil.disk_usage(self.folder).free
        if free < ROOM_NEEDED:
            self.release()
            raise StackError(
                f"The disk that holds {self.folder} is full: {free // 1_000_000} MB are free, "
                f"{ROOM_NEEDED // 1_000_000} MB are needed. Make room and start again."
            )
        shutil.rmtree(self.folder / "logs", ignore_errors=True)  # a log tells of one run

    def release(self) -> None:
        """Give the folder back."""
        if self._lock is not None:
            self._state.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def forget(self) -> None:
        """Remove all data: conversations, people, sessions and keys. The folder must be held."""
        for name in PERSISTENT:
            path = self.folder / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def log(self, name: str) -> Path:
        """Where a part writes to."""
        return self.folder / "logs" / f"{name}.log"

    def tell(self, **facts: object) -> None:
        """Leave word for other commands of what runs here, readable by its owner alone: it holds passwords."""
        self._state.touch(mode=0o600)
        self._state.write_text(json.dumps({"pid": os.getpid(), **facts}, indent=2) + "\n")

    def running(self) -> dict[str, Any] | None:
        """What the stack that runs here has told, if there is one."""
        try:
            state: dict[str, Any] = json.loads(self._state.read_text())
        except (OSError, ValueError):
            return None
        return state if psutil.pid_exists(state["pid"]) else None
