"""The child process that runs `runs="process"` jobs: `python -m thetool.jobs.child SOCKET PARENT`.

It has no database connection and no secrets. It is killed, never asked, to stop.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import importlib
import io
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import UUID

import orjson
import structlog
from pydantic import BaseModel, ValidationError

from thetool.jobs.context import ChildJob, JobContext, Suspended
from thetool.jobs.failure import OUT_OF_MEMORY, Failure, failure_of, invalid_params
from thetool.jobs.frames import Frame, FrameReader
from thetool.jobs.outlet import Outlet
from thetool.jobs.payload import to_json_text
from thetool.jobs.registry import JobKind, Refused, TransientError, get_kind
from thetool.jobs.results import Completed, completed

if TYPE_CHECKING:
    from thetool.jobs.options import JobOptions

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
LOG_LIMIT = 20_000
RESERVED_MB = 1_024


class ParentDesk:
    """The desk of a job in a child: everything goes to the parent."""

    def __init__(self, outlet: Outlet, reader: FrameReader) -> None:
        self._outlet = outlet
        self._reader = reader

    def report(self, fraction: float, stage: str | None, message: str | None) -> None:
        """Tell the parent how far the job is."""
        self._outlet.send_json(b"G", [fraction, _text(stage), _text(message)])

    def store(
        self, stream: BinaryIO | bytes, *, media_type: str, filename: str | None, keep_seconds: float | None
    ) -> UUID:
        """Write the file where the parent finds it, and wait until it is stored."""
        with tempfile.NamedTemporaryFile(dir=".", delete=False) as copy:
            shutil.copyfileobj(io.BytesIO(stream) if isinstance(stream, bytes) else stream, copy)
        asked: dict[str, Any] = {"name": Path(copy.name).name, "media_type": media_type, "filename": filename}
        asked["keep_seconds"] = keep_seconds
        try:
            return UUID(self._ask(b"S", asked)["id"])
        finally:
            os.unlink(copy.name)

    def open(self, file_id: UUID) -> BinaryIO:
        """Ask the parent for a copy of a stored file, and open it."""
        path = Path(self._ask(b"O", {"id": str(file_id)})["name"])
        try:
            return path.open("rb")
        finally:
            path.unlink()

    def copy(self, file_id: UUID, path: Path) -> None:
        """Ask the parent for a copy of a stored file, and put it in its place."""
        Path(self._ask(b"O", {"id": str(file_id)})["name"]).rename(path)

    def spawn(self, kind: str, params: BaseModel, options: JobOptions) -> UUID:
        """Tell the parent of a child job; it knows the kinds."""
        told = {"kind": kind, "params": orjson.Fragment(to_json_text(params)), "options": options}
        return UUID(self._ask(b"C", told)["id"])

    def children(self) -> list[ChildJob]:
        """Ask the parent which child jobs were made."""
        told = self._ask(b"K", {})["children"]
        return [ChildJob(UUID(child.pop("id")), **child, read=self._read_child) for child in told]

    def must_wait(self) -> bool:
        """Ask the parent whether child jobs are not finished."""
        return bool(self._ask(b"W", {})["wait"])

    def _read_child(self, child_id: UUID) -> Any:
        return self._ask(b"V", {"id": str(child_id)})["result"]

    def _ask(self, letter: bytes, asked: dict[str, Any]) -> dict[str, Any]:
        self._outlet.send_json(letter, asked)
        frame = self._reader.wait()
        if frame is None or frame[0] != b"A":
            raise EOFError("the worker is gone")
        answer: dict[str, Any] = orjson.loads(frame[1])
        if "error" in answer:
            if answer["transient"]:
                raise TransientError(answer["error"])
            raise Refused(answer["error"], answer["code"])
        return answer


class ChildContext(JobContext):
    """A context in a child, where no transaction is."""

    def on_finish(self, callback: Any) -> None:
        """Not here: the job finishes in the parent."""
        raise RuntimeError(
            "a process job has no transaction: give @job(on_finish=...) a function, it runs in the worker"
        )


def main() -> None:
    """Run jobs until the parent hangs up."""
    sock = socket.socket(fileno=int(sys.argv[1]))
    _die_with(int(sys.argv[2]))
    _be_modest()
    reader, outlet = FrameReader(sock), Outlet(sock)
    _log_to(outlet)
    outlet.send(b"R")
    while (job := reader.wait()) is not None:
        params = reader.wait()
        if params is None:
            return
        outlet.send(*_run(job, params, ParentDesk(outlet, reader)))


def _run(job: Frame, params: Frame, desk: ParentDesk) -> Frame:
    told = orjson.loads(job[1])
    _bound_files(told["disk_mb"])
    _bound_memory(told["memory_mb"])
    context = ChildContext(
        job_id=UUID(told["job_id"]),
        owner_id=UUID(told["owner_id"]),
        correlation_id=told["correlation_id"],
        attempt=told["attempt"],
        claim_token=UUID(told["claim_token"]),
        desk=desk,
    )
    try:
        outcome = _outcome(_find(told["module"], told["kind"]), params[1], context)
    except Suspended:
        return b"H", b""
    except BaseException as error:
        outcome = failure_of(error)
        if isinstance(error, OSError) and error.errno == errno.EFBIG:
            outcome = replace(outcome, code="out_of_disk")
        elif isinstance(error, MemoryError):
            outcome = replace(outcome, code="out_of_memory", message=OUT_OF_MEMORY.format(told["memory_mb"]))
    if isinstance(outcome, Completed):
        return b"D", outcome.result.encode()
    names = ("code", "message", "traceback", "transient", "retry_after", "response_status")
    failure = {name: getattr(outcome, name) for name in names}
    return b"F", orjson.dumps(failure)


def _outcome(kind: JobKind, params: bytes, context: JobContext) -> Completed | Failure:
    try:
        model = kind.params_model.model_validate_json(params)
    except ValidationError as error:
        return invalid_params(error)
    return completed(kind, context, kind.handler(context, model))


def _find(module: str, kind: str) -> JobKind:
    importlib.import_module(module)
    return get_kind(kind)


def _die_with(parent: int) -> None:
    """Be killed when the parent dies, and so whatever this process forks; keep orphans of those in our tree."""
    if sys.platform != "linux":
        return
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def follow() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    follow()
    os.register_at_fork(after_in_child=follow)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    if os.getppid() != parent:
        os._exit(0)


def _be_modest() -> None:
    """No core files; and when the machine runs out of memory, this process goes before the worker."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")


def _bound_files(megabytes: int) -> None:
    """No single file grows beyond this, wherever it lies; the worker looks at all files together now and then."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    wanted = megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_FSIZE, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def _bound_memory(megabytes: int) -> None:
    """What would be taken in one go, before the worker looks again, is refused here.

    The worker weighs what is resident. Libraries reserve more than that (arenas, stacks of threads), so that this bound
    is wider: twice as much, and what is theirs.
    """
    import resource

    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    wanted = (2 * megabytes + RESERVED_MB) * 2**20
    resource.setrlimit(resource.RLIMIT_DATA, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def _text(text: str | None) -> str | None:
    """What JSON can hold of a text."""
    return None if text is None else text.encode(errors="replace").decode()


def _log_to(outlet: Outlet) -> None:
    """Send structlog's lines and the standard library's to the parent, which knows the job's ids."""
    import logging

    def forward(logger: Any, level: str, event: MutableMapping[str, Any]) -> Any:
        outlet.send_json(b"L", [level, {name: _text(str(value)[:LOG_LIMIT]) for name, value in event.items()}])
        raise structlog.DropEvent

    class Forwarding(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            with contextlib.suppress(structlog.DropEvent):
                forward(None, record.levelname.lower(), {"event": self.format(record), "logger": record.name})

    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, structlog.processors.format_exc_info, forward],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.INFO, handlers=[Forwarding()])


if __name__ == "__main__":
    main()
