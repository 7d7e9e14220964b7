"""Reads the model for every running answer of a process, whether somebody reads the answer or not.

All of them run on one event loop in a thread of its own: an eighth cheaper than a thread for each; the loop is
uvloop's, which takes another seventh of the CPU time away. What the loop must not wait for, the database, is the
saver's. Readers get pieces of text together once there are many of them: waking a thread for each token of 100 streams
would cost more than reading the model.

Events that are logged at the end of an answer, with its latency, time to first token, token counts and model:
`answer.complete`, `answer.stopped`, and as warnings, for streams that end without `finish`, `answer.failed` (with
`cause`) and `answer.interrupted`.
"""

import asyncio
import sys
import threading
import time
from contextvars import Context, copy_context
from dataclasses import dataclass, field

from nanoka import answers, logs, titles
from nanoka.answers import Begun
from nanoka.chat_model import ChatModel, Usage
from nanoka.database import Database, DatabaseUnavailableError
from nanoka.failures import DEADLINE, STALLED, TOO_SLOW, UNKNOWN, Failure, classify
from nanoka.gate import Gate
from nanoka.liveness import INTERRUPTED, NEVER_BEGUN
from nanoka.running import Answer
from nanoka.saver import Saver
from nanoka.settings import ChatSettings

FLUSH_FOR_EACH = 0.0015
"""Seconds between two pieces for each answer that runs: 100 of them get a piece every 150 ms."""
LONGEST_FLUSH = 0.15
WATCH = 0.25
"""Seconds between two looks at how long the model has been silent."""
FIRST_TOKEN = 120.0
"""Seconds of silence before the first token; models that think say nothing for a minute and more."""
BETWEEN_TOKENS = 45.0
TITLE_AFTER = 1.0
"""Seconds from the first token until the model is asked for a title, so that neither delays the other."""
TITLE_EVERY = 0.05
"""Seconds between two such requests, so that those of a crowd do not delay anybody's tokens."""
TITLE_PATIENCE = 2.0
"""Seconds that the end of an answer waits for its title."""
SWITCH = 0.0005
"""Seconds for which a thread may keep the interpreter's lock from others that wait for it."""
SAVING = 4.0
"""Seconds that saving what is left may take when the process ends."""


@dataclass(eq=False)
class _Run:
    """What the loop knows of an answer that it writes."""

    answer: Answer
    begun: Begun
    context: Context
    usage: Usage = field(default_factory=Usage)
    task: "asyncio.Task[None] | None" = None
    reading: bool = False
    why: str | Failure | None = None
    """Why the reading was cut short: a final status, or a failure."""
    flush: asyncio.TimerHandle | None = None
    flushed: float = 0.0
    suggestion: "asyncio.Task[str] | None" = None
    title: "asyncio.Task[None] | None" = None


class Producer:
    """The running answers of this process. Nothing starts before the first one does."""

    def __init__(self, database: Database, model: ChatModel, settings: ChatSettings) -> None:
        self._database = database
        self._model = model
        self._settings = settings
        self._saver = Saver(database, stop=self.stop, done=self._forget)
        self._lock = threading.Lock()
        self._runs: dict[str, _Run] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._title_at = 0.0
        self.beginning = Gate()
        """Held by whoever stores a question until its answer is known here; closed once the process is to end."""
        self.following = Gate()
        """Held by whoever follows an answer of another process."""
        self.closed = threading.Event()
        """Set when the process ends: who follows an answer of another process must let go."""

    def start(self, begun: Begun, received: float) -> Answer:
        """Begin to write an answer; `received` is when its request came, by time.monotonic()."""
        answer = Answer(begun.key, begun.title if begun.untitled else None, received)
        run = _Run(answer, begun, copy_context())
        with self._lock:
            self._runs[str(answer.key.id)] = run
            if self._loop is None:
                from uvloop import new_event_loop  # noqa: PLC0415 - nothing but an answer needs it

                self._loop = new_event_loop()
                threading.Thread(target=self._serve, args=(self._loop,), name="producer", daemon=True).start()
        self._saver.add(answer)
        self._loop.call_soon_threadsafe(self._launch, run)
        return answer

    def find(self, key: answers.Key) -> Answer | None:
        """The answer, if this process writes it."""
        run = self._runs.get(str(key.id))
        return run.answer if run else None

    def stop(self, answer: Answer) -> None:
        """End an answer as `stopped`."""
        self._cut_short(answer, "stopped")

    def finish(self, seconds: float) -> None:
        """Begin nothing more, let what is written or followed here come to its end for so long, then save the rest as
        interrupted."""
        end = time.monotonic() + seconds
        self.beginning.close()
        self.beginning.wait_until_empty(seconds)
        if not self._saver.wait_until_idle(end - time.monotonic()):
            for run in list(self._runs.values()):
                self._cut_short(run.answer, "interrupted")
            self._saver.wait_until_idle(SAVING)
        self.following.wait_until_empty(end - time.monotonic())
        self.closed.set()
        self._saver.close()

    def _forget(self, answer: Answer) -> None:
        with self._lock:
            self._runs.pop(str(answer.key.id), None)

    def _cut_short(self, answer: Answer, why: str) -> None:
        run = self._runs.get(str(answer.key.id))
        if run is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(_cut, run, why)

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        # The loop gives the interpreter's lock up with every read, and has to wait for it, each time, as long as
        # some other thread may hold it: 5 ms by default, which a burst of questions makes seconds of.
        sys.setswitchinterval(SWITCH)
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(self._watch())

    def _launch(self, run: _Run) -> None:
        run.task = asyncio.get_running_loop().create_task(self._write(run), context=run.context)

    async def _watch(self) -> None:
        """Cut short what is silent, or takes, too long. One timer for all: one for each token costs more."""
        while not self.closed.is_set():
            await asyncio.sleep(WATCH)
            now = time.monotonic()
            for run in [run for run in self._runs.values() if run.reading]:
                answer = run.answer
                silence = now - answer.last_token
                if now - answer.started > self._settings.deadline_seconds:
                    _cut(run, DEADLINE)
                elif silence > (FIRST_TOKEN if answer.first_token is None else BETWEEN_TOKENS):
                    _cut(run, TOO_SLOW if answer.first_token is None else STALLED)

    async def _write(self, run: _Run) -> None:
        """An answer's whole life on the loop."""
        answer = run.answer
        status, failure = await self._read(run)
        if status != "complete":
            run.why = run.why or status  # no title is asked for any more, though its time may come yet
        self._flush(run)
        if status == "complete" and run.begun.untitled:
            await self._finish_title(run)
        elif run.suggestion is not None:
            run.suggestion.cancel()
        if run.title is not None:
            await run.title
        answer.conclude(status, failure.text if failure else None, run.usage.reason)
        self._saver.ended(answer)
        _log(run, failure)

    async def _read(self, run: _Run) -> tuple[str, Failure | None]:
        """Read the model to its end; how the answer ended, and why if it failed."""
        run.reading = True
        try:
            if run.why is None:
                async for text in self._model.stream(self._settings.system_prompt, run.begun.history, run.usage):
                    run.answer.append(_storable(text))
                    self._plan_flush(run)
                return "complete", None
        except asyncio.CancelledError:
            pass
        except Exception as error:  # noqa: BLE001 - whatever a provider's client raises
            failure = classify(error, begun=not run.answer.empty)
            if failure is UNKNOWN:
                logs.exception("model.failed")
            return "failed", failure
        finally:
            run.reading = False
        if isinstance(run.why, Failure):
            return "failed", run.why
        if run.why == "stopped":
            return "stopped", None
        return (
            ("failed", Failure("shutdown", NEVER_BEGUN))
            if run.answer.empty
            else ("interrupted", Failure("shutdown", INTERRUPTED))
        )

    def _plan_flush(self, run: _Run) -> None:
        if run.flush is not None:
            return
        loop = asyncio.get_running_loop()
        interval = min(LONGEST_FLUSH, FLUSH_FOR_EACH * len(self._runs))
        now = loop.time()
        # At the same moments for all: readers that wake one by one take the interpreter's lock from the loop each time.
        wait = 0.0 if now - run.flushed > 2 * interval else interval - now % interval
        if run.flushed == 0.0 and run.begun.untitled:
            self._title_at = max(loop.time() + TITLE_AFTER, self._title_at + TITLE_EVERY)
            loop.call_at(self._title_at, self._begin_title, run)
        if wait <= 0:
            self._flush(run)
        else:
            run.flush = loop.call_later(wait, self._flush, run)

    def _flush(self, run: _Run) -> None:
        if run.flush is not None:
            run.flush.cancel()
            run.flush = None
        run.flushed = asyncio.get_running_loop().time()
        run.answer.flush()

    def _begin_title(self, run: _Run) -> None:
        if run.suggestion is None and run.why is None:
            loop = asyncio.get_running_loop()
            run.suggestion = loop.create_task(self._suggest(run))
            run.title = loop.create_task(self._retitle(run, run.suggestion))

    async def _finish_title(self, run: _Run) -> None:
        """Wait for the model's title, but not for long: it must not hold the answer's end up."""
        self._begin_title(run)
        if run.suggestion is not None:
            await asyncio.wait({run.suggestion}, timeout=TITLE_PATIENCE)
            run.suggestion.cancel()

    async def _suggest(self, run: _Run) -> str:
        return await titles.suggest(await self._model.model(), run.begun.history[-1][1])

    async def _retitle(self, run: _Run, suggestion: "asyncio.Task[str]") -> None:
        """Give the conversation the title that the model suggests, unless the person has named it meanwhile."""
        await asyncio.wait({suggestion})
        if suggestion.cancelled() or suggestion.exception() is not None:
            logs.info("title.none", cause="late" if suggestion.cancelled() else type(suggestion.exception()).__name__)
            return
        new = _storable(suggestion.result())
        if not new:
            return
        begun = run.begun
        try:
            title = await asyncio.to_thread(
                answers.retitle, self._database, begun.key.conversation_id, begun.title, new
            )
        except DatabaseUnavailableError:
            return
        except Exception:  # noqa: BLE001 - an answer must not wait for ever for what it can do without
            logs.exception("title.not_saved")
            return
        if title is not None:
            run.answer.rename(title)


def _cut(run: _Run, why: str | Failure) -> None:
    """End the reading of the model, or the waiting for its title. On the loop's thread only."""
    if run.why is not None:
        return
    run.why = why
    if run.reading and run.task is not None:
        run.task.cancel()
    elif run.suggestion is not None:
        run.suggestion.cancel()


def _storable(text: str) -> str:
    """The text without what neither UTF-8 nor PostgreSQL can hold: halves of surrogate pairs, and NUL."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\0", "")


def _log(run: _Run, failure: Failure | None) -> None:
    answer, usage = run.answer, run.usage
    first = answer.first_token
    write = logs.warning if failure else logs.info
    write(
        f"answer.{answer.status}",
        status=answer.status,
        latency_ms=round((time.monotonic() - answer.started) * 1000, 1),
        ttft_ms=None if first is None else round((first - answer.started) * 1000, 1),
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        model=answer.key.model,
        **({"cause": failure.cause} if failure else {}),
    )
