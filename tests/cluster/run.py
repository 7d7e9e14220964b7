"""One run of a cluster: a folder for its keys, data and logs, and the processes that were started for it."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

STARTED = time.monotonic()


class NotReadyError(RuntimeError):
    """Something that was waited for did not come in time."""


@contextlib.contextmanager
def step(title: str) -> Iterator[None]:
    """Print the title with the seconds that the block took and the seconds since the start."""
    before = time.monotonic()
    yield
    now = time.monotonic()
    print(f"{now - before:7.1f} s  {title}  (at {now - STARTED:.1f} s)", flush=True)


def wait_for(what: str, ready: Callable[[], bool], seconds: float = 120, every: float = 0.1) -> None:
    """Ask until it is so. Raises NotReadyError naming what did not come."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise NotReadyError(f"{what} did not come within {seconds:.0f} s")
        time.sleep(every)


def interrupt_on_signals() -> None:
    """Let SIGTERM and SIGHUP do what Ctrl-C does, so that whatever was started is ended.

    KeyboardInterrupt, not SystemExit, which pytest takes for the failure of one test.
    """

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)


class Run:
    """The folder and the processes of one cluster; leaving the context ends them all.

    The folder goes too, unless the context is left by an error, or what ran on it has `failed`: then its logs stay, and
    it says where.
    """

    def __init__(self, prefix: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"nanoka-{prefix}-"))
        self.enter: list[str] = []  # the command that enters the node's namespaces, once there is a node
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.failed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self.failed or (kind is not None and issubclass(kind, Exception)):
            for path in self.folder.iterdir():
                if path.name != "logs":
                    remove(path)
            print(f"The logs are in {self.folder / 'logs'}", flush=True)
        else:
            remove(self.folder)

    def path(self, *parts: str) -> Path:
        """A path in the folder, its parents made."""
        path = self.folder.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, name: str, text: str) -> Path:
        path = self.path(name)
        path.write_text(text)
        return path

    def start(
        self, name: str, *argv: object, env: dict[str, str] | None = None, inside: bool = True
    ) -> subprocess.Popen[bytes]:
        """Start a long-lived process, in the node if there is one; its output goes to logs/NAME."""
        with self.path("logs", name).open("ab") as log:
            process = subprocess.Popen(
                [*(self.enter if inside else []), *map(str, argv)],
                env=os.environ | (env or {}),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the runner, which ends them in order
            )
        self.processes[name] = process
        return process

    def log(self, name: str) -> str:
        """The last 2,000 characters of a process's output."""
        return self.path("logs", name).read_text(errors="replace")[-2000:]

    def check(self) -> None:
        """Raise RuntimeError with the end of the log if a process has ended."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended:\n{self.log(name)}")

    def stop(self) -> None:
        """End every process."""
        self.end(*self.processes)

    def end(self, *names: str) -> None:
        """End processes with their groups: SIGTERM, and SIGKILL to what is left after 5 s."""
        started = [self.processes.pop(name) for name in names]
        for number in (signal.SIGTERM, signal.SIGKILL):
            for process in started:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
            with contextlib.suppress(NotReadyError):
                wait_for("their end", lambda: not any(lives(process) for process in started), 5)

    def do(self, *argv: object, text: str | None = None, inside: bool = True) -> str:
        """Run a command to its end, in the node if there is one; its output. Raises RuntimeError."""
        command = [*(self.enter if inside else []), *map(str, argv)]
        done = subprocess.run(command, input=text, text=True, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(map(str, argv))}:\n{done.stdout}{done.stderr}")
        return done.stdout


def output(*command: object, **options: Any) -> str:
    """What a command prints, with the options of subprocess.Popen. Raises subprocess.CalledProcessError.

    In a group of its own, all of which ends if we are interrupted: killing a build's first process is not enough.
    """
    process = subprocess.Popen(
        [*map(str, command)], text=True, stdout=subprocess.PIPE, start_new_session=True, **options
    )
    out: str
    try:
        out, error = process.communicate()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args, out, error)
    return out


def lives(process: subprocess.Popen[bytes]) -> bool:
    """Whether a process that was started, or another of its group, has not ended."""
    process.poll()  # buries it: a zombie counts as a member of its group
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
