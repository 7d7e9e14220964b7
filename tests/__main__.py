"""Every test in one command: the UI's own checks, then pytest with branch coverage of the functions.

Arguments go to pytest, which then runs alone: `python -m tests tests/functions -k retention`.
"""

import os
import subprocess
import sys
import time


def step(title: str, *command: str) -> None:
    """Run one command and end everything if it fails."""
    started = time.monotonic()
    print(f"== {title}", flush=True)
    code = subprocess.run(command, check=False).returncode
    print(
        f"== {title}: {'passed' if code == 0 else f'FAILED ({code})'} in {time.monotonic() - started:.0f} s", flush=True
    )
    if code != 0:
        sys.exit(code)


def main() -> None:
    python = sys.executable
    if sys.argv[1:]:
        sys.exit(subprocess.run([python, "-m", "pytest", *sys.argv[1:]], check=False).returncode)
    npm = (python, "-m", "tests.stack.node", "run")
    step("UI: types of the API, unit tests, build and weight", *npm, "api:check", "test", "build", "budget")
    step("erase old coverage", python, "-m", "coverage", "erase")
    # Without a byte-code cache every function that a test starts would compile its libraries again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    step("pytest", python, "-m", "coverage", "run", "-m", "pytest", "--ignore=tests/cluster")
    step("merge coverage", python, "-m", "coverage", "combine", "--quiet")
    step("coverage of functions/", python, "-m", "coverage", "report")


if __name__ == "__main__":
    main()
