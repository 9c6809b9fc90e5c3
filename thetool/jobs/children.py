"""The worker's side of its child processes: one warm child for each process slot."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
import structlog
from pydantic import TypeAdapter, ValidationError

from thetool.jobs.active import Running
from thetool.jobs.context import Interrupted, Suspended, TimedOut
from thetool.jobs.disk import MOST_ENTRIES, TooManyFiles, folder_bytes, nameless_bytes
from thetool.jobs.failure import OUT_OF_MEMORY, Failure, failure_of
from thetool.jobs.frames import BadFrame
from thetool.jobs.options import JobOptions
from thetool.jobs.outcome import Outcome
from thetool.jobs.process_tree import descendants, memory_bytes
from thetool.jobs.registry import JobKind, get_kind
from thetool.jobs.results import completed
from thetool.jobs.scratch import open_scratch_file, scratch_name, sweep
from thetool.jobs.slots import Slot
from thetool.jobs.spawn import Child, ChildGone

log = structlog.get_logger("thetool.jobs.child")

LOOK_SECONDS = 0.1
DISK_SECONDS = 0.5
MOST_PROCESSES = 64
JOBS_OF_A_CHILD = 100
LEVELS = frozenset({"debug", "info", "warning", "error", "critical"})
MIB = 2**20
NO_MEMORY = ("memory allocation of", "std::bad_alloc")
"""What programs in Rust and C++ say last when they get no memory; Python raises an error."""

_options = TypeAdapter(JobOptions)
_FAMILY = {b"C": "_spawn", b"K": "_tell_children", b"V": "_read_child", b"W": "_ask_to_wait"}


class Nursery:
    """The children of a runner, one for each slot, started when a job first needs it.

    A slot's own thread starts and follows its child: Linux kills a child whose starting thread ends.
    """

    def __init__(self) -> None:
        self._children: dict[Slot, Child] = {}

    def run(self, kind: JobKind, running: Running) -> Outcome:
        """Run a job in the slot's child, and follow it to its end; the child is killed when the job must stop."""
        slot = running.slot
        try:
            child = self._children.get(slot) or self._start(slot)
            outcome = Following(child, kind, running).outcome()
        except Interrupted as interruption:
            self.dismiss(slot)
            return type(interruption)
        except ChildGone as gone:
            self.dismiss(slot)
            if any(words in gone.output for words in NO_MEMORY):
                return Failure("out_of_memory", OUT_OF_MEMORY.format(kind.memory_mb))
            return Failure("crashed", str(gone), gone.output, transient=True).bounded()
        except OverLimit as over:
            self.dismiss(slot)
            return Failure(over.code, f"It was stopped because it {over}.")
        except (BadFrame, ValueError, KeyError, TypeError, AttributeError) as error:
            self.dismiss(slot)
            return Failure("bad_child", f"Its process said something that makes no sense: {error}").bounded()
        except OSError as error:  # no memory, no file numbers, no disk for another process: that passes
            self.dismiss(slot)
            return replace(failure_of(error), transient=True)
        except BaseException:
            self.dismiss(slot)
            raise
        if not self._is_good_for_another(child, kind):
            self.dismiss(slot)
        return outcome

    def dismiss(self, slot: Slot) -> None:
        """End the slot's child, and whatever it started."""
        child = self._children.pop(slot, None)
        if child is not None:
            child.kill()

    @staticmethod
    def sweep() -> None:
        """Remove what workers that were killed left behind."""
        sweep()

    def _start(self, slot: Slot) -> Child:
        child = self._children[slot] = Child()
        return child

    @staticmethod
    def _is_good_for_another(child: Child, kind: JobKind) -> bool:
        """Not when it is old, or fat, or left processes or files behind."""
        child.jobs += 1
        return (
            child.jobs < JOBS_OF_A_CHILD
            and not descendants(child.pid)
            and memory_bytes([child.pid]) < kind.memory_mb * MIB / 2
            and child.clear_scratch()
        )


class OverLimit(Exception):  # noqa: N818  reads as a sentence where it is raised
    """The child and what it started hold more than its kind may: memory, disk or processes."""

    def __init__(self, code: str, what: str) -> None:
        super().__init__(what)
        self.code = code


class Following:
    """One job in a child, from the worker's side: frames, the clock, memory, and whether it is to stop."""

    def __init__(self, child: Child, kind: JobKind, running: Running) -> None:
        self._child = child
        self._kind = kind
        self._running = running
        self._weighed = self._measured = 0.0

    def outcome(self) -> Outcome:
        """Follow the job to its end.

        Raises:
            Interrupted: it is to stop.
            ChildGone: its process died.
            OverLimit: it holds too much.
            BadFrame, ValueError, KeyError, TypeError, AttributeError: its process talks nonsense.
        """
        self._child.wait_until_ready(self._check)
        self._child.give(self._kind, self._running.claim)
        while True:
            self._check()
            self._child.listen(LOOK_SECONDS)
            while (frame := self._child.frame()) is not None:
                outcome = self._hear(*frame)
                if outcome is not None:
                    return outcome

    def _check(self) -> None:
        running = self._running
        now = time.monotonic()
        if now >= running.deadline:
            running.interrupt(TimedOut)
        running.context.checkpoint()
        if now - self._weighed >= LOOK_SECONDS:
            self._weighed = now
            self._weigh(now)

    def _weigh(self, now: float) -> None:
        pids, kind = [self._child.pid, *descendants(self._child.pid)], self._kind
        if len(pids) > MOST_PROCESSES:
            raise OverLimit("too_many_processes", f"started more than {MOST_PROCESSES} processes")
        if memory_bytes(pids) > kind.memory_mb * MIB:
            raise OverLimit("out_of_memory", f"held more than {kind.memory_mb:,} MiB of memory")
        if now - self._measured < DISK_SECONDS:
            return
        self._measured = now
        try:
            written = folder_bytes(self._child.scratch) + nameless_bytes(pids)
        except TooManyFiles:
            raise OverLimit("out_of_disk", f"made more than {MOST_ENTRIES:,} files, or too deep folders") from None
        if written > kind.disk_mb * MIB:
            raise OverLimit("out_of_disk", f"had files of more than {kind.disk_mb:,} MiB")

    def _hear(self, letter: bytes, payload: bytes) -> Outcome | None:
        if letter == b"D":
            return self._result(payload)
        if letter == b"F":
            return Failure(**orjson.loads(payload)).bounded()
        if letter == b"G":
            fraction, stage, message = orjson.loads(payload)
            self._running.context.progress(float(fraction), stage, message)
        elif letter == b"L":
            self._log(*orjson.loads(payload))
        elif letter == b"S":
            self._answer(self._store, orjson.loads(payload))
        elif letter == b"O":
            self._answer(self._open, orjson.loads(payload))
        elif letter in _FAMILY:
            self._answer(getattr(self, _FAMILY[letter]), orjson.loads(payload))
        elif letter == b"H" and self._running.context.awaits_children():
            return Suspended
        else:
            raise BadFrame(f"an unknown letter {letter!r}")
        return None

    def _result(self, payload: bytes) -> Outcome:
        """Read the result anew: nothing that a child says is taken for what it should be."""
        try:
            result = self._kind.result_model.model_validate_json(payload)
        except ValidationError as error:
            where = error.errors(include_url=False, include_input=False)[0]
            return Failure("invalid_result", f"Its process gave no {self._kind.result_model.__name__}: {where['msg']}")
        return completed(self._kind, self._running.context, result)

    def _log(self, level: str, event: dict[str, Any]) -> None:
        told = {
            f"child_{name}" if name in {"job_id", "correlation_id", "kind"} else name: value
            for name, value in event.items()
        }
        getattr(log, level if level in LEVELS else "info")(str(told.pop("event", "")), **told)

    def _answer(self, do: Callable[[dict[str, Any]], dict[str, Any]], asked: dict[str, Any]) -> None:
        """Do what the child asked, and tell it how that went; a failure is the child's to handle."""
        try:
            answer = do(asked)
        except Exception as error:
            failure = failure_of(error)
            answer = {"error": failure.message, "code": failure.code, "transient": failure.transient}
        self._child.answer(answer)

    def _spawn(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Note a child job."""
        params = get_kind(str(asked["kind"])).params_model.model_validate(asked["params"])
        if "webhook" in asked["options"]:
            raise ValueError("a child process cannot say whom to tell")
        options = _options.validate_python(asked["options"])
        return {"id": str(self._running.context.spawn(str(asked["kind"]), params, **options))}

    def _tell_children(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Say which child jobs there are."""
        names = ("id", "kind", "status", "title", "error")
        return {
            "children": [{name: getattr(child, name) for name in names} for child in self._running.context.children]
        }

    def _read_child(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Give the result of a child job, as JSON text."""
        wanted = UUID(asked["id"])
        found = (child for child in self._running.context.children if child.id == wanted)
        return {"result": next(child.read(wanted) for child in found)}

    def _ask_to_wait(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Say whether child jobs are not finished."""
        return {"wait": self._running.context.awaits_children()}

    def _store(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Keep a file of the child's folder."""
        with open_scratch_file(self._child.scratch, str(asked["name"])) as file:
            blob_id = self._running.context.store(
                file,
                media_type=str(asked["media_type"]),
                filename=asked["filename"],
                keep_seconds=asked["keep_seconds"],
            )
        return {"id": str(blob_id)}

    def _open(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Copy a stored file into the child's folder."""
        name = scratch_name()
        self._running.context.copy(UUID(asked["id"]), self._child.scratch / name)
        return {"name": name}
