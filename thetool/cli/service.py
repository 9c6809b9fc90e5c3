"""The running service, as the commands reach it: its address, the key, and requests."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, wraps
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import click

from thetool.cli.form import PIECE_BYTES, Form
from thetool.cli.problems import BrokenOff, CommandFailed, ServiceProblem, ServiceUnreachable

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

    from thetool.config import Settings

DEFAULT_URL = "http://127.0.0.1:8000"
CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 60.0

R = TypeVar("R")


@dataclass(frozen=True)
class Answer:
    """What the service answered: below 400, and JSON or nothing."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Service:
    """A service of TheTool at `url`; `key` is sent with each request when there is one."""

    url: str
    key: str | None = field(repr=False)

    @cached_property
    def _pool(self) -> PoolManager:
        from urllib3 import PoolManager

        return PoolManager(retries=False)

    def get(self, path: str, query: Mapping[str, Any] | None = None, *, seconds: float = ANSWER_SECONDS) -> Answer:
        """GET; values of the query that are None are left out."""
        return self.request("GET", path, query=query, seconds=seconds)

    def post(self, path: str, json: Any = None, query: Mapping[str, Any] | None = None) -> Answer:
        """POST, with a JSON body unless it is None."""
        return self.request("POST", path, json=json, query=query)

    def items(self, path: str, query: Mapping[str, Any], most: int | None = None) -> list[Any]:
        """The items of a list in pages, newest first: all of them, or the first `most`."""
        items: list[Any] = []
        following: Mapping[str, Any] | None = query
        while following is not None and (most is None or len(items) < most):
            page = self.get(path, following).body
            items += page["items"]
            following = dict(parse_qsl(urlsplit(page["next"]).query)) if page["next"] else None
        return items[:most]

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        json: Any = None,
        form: Form | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> Answer:
        """Send one request; its body is `json`, a `form`, or `body` as `headers` say what it is.

        Raises:
            ServiceProblem: the answer is a problem.
            ServiceUnreachable: nobody answers, or somebody who is not TheTool; BrokenOff: not to the end.
        """
        address = self._address(path, query)
        sent = {"Accept": "application/json", **self._headers(), **(headers or {})}
        content: dict[str, Any] = {"json": json} if json is not None else {"body": body} if body is not None else {}
        if form is not None:
            sent |= {"Content-Type": form.content_type, "Content-Length": str(len(form))}
            content = {"body": form}
        answer = self._answer(method, address, seconds, headers=sent, **content)
        return self._checked(answer.status, answer.headers, answer.data)

    def download(self, link: str) -> bytes:
        """What is behind a signed link, which needs no key.

        Raises:
            CommandFailed: it is not there, or not to be reached.
        """
        return self._linked(link).data

    def save(self, link: str, path: Path) -> None:
        """Write what is behind a signed link to a file, in pieces; when that fails, the file is as it was.

        Raises:
            CommandFailed: it is not there, or cannot be written; BrokenOff: it did not come to its end.
        """
        from urllib3.exceptions import HTTPError

        part = path.with_name(f".{path.name}.part")
        answer = self._linked(link, preload_content=False)
        try:
            with part.open("wb") as file:
                for piece in answer.stream(PIECE_BYTES):
                    file.write(piece)
            part.replace(path)
        except HTTPError as error:
            raise BrokenOff(self.url, _reason(error)) from error
        except OSError as error:
            raise CommandFailed(f"{path} cannot be written: {error.strerror}.") from error
        finally:
            answer.release_conn()
            part.unlink(missing_ok=True)

    def _linked(self, link: str, **more: Any) -> BaseHTTPResponse:
        address = f"{self.url}{link}" if link.startswith("/") else link
        answer = self._answer("GET", address, ANSWER_SECONDS, redirect=True, **more)
        if answer.status != 200:
            raise CommandFailed(f"The file cannot be fetched (HTTP {answer.status}).")
        return answer

    def stream(self, path: str, query: Mapping[str, Any] | None = None) -> Iterator[bytes]:
        """The pieces of a long answer, as they come.

        Raises:
            ServiceProblem, ServiceUnreachable, BrokenOff: as `request` says; the last one also in the middle.
        """
        from urllib3.exceptions import HTTPError

        address = self._address(path, query)
        answer = self._answer("GET", address, ANSWER_SECONDS, headers=self._headers(), preload_content=False)
        if answer.status != 200:
            self._checked(answer.status, answer.headers, answer.data)
        try:
            yield from answer.stream(PIECE_BYTES)
        except HTTPError as error:
            raise BrokenOff(self.url, _reason(error)) from error

    def _address(self, path: str, query: Mapping[str, Any] | None) -> str:
        wanted = {name: value for name, value in (query or {}).items() if value is not None}
        return f"{self.url}{path}{'?' + urlencode(wanted) if wanted else ''}"

    def _headers(self) -> dict[str, str]:
        key = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return {"User-Agent": "thetool-cli", **key}

    def _answer(
        self, method: str, address: str, seconds: float, *, redirect: bool = False, **sent: Any
    ) -> BaseHTTPResponse:
        """The answer; asked for once more when a connection that was kept turns out to be closed."""
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError, LocationParseError, ProtocolError, ReadTimeoutError

        timeout = Timeout(connect=CONNECT_SECONDS, read=seconds)
        repeatable = method == "GET" or "Idempotency-Key" in sent.get("headers", {})
        for is_last in (not repeatable, True):
            if isinstance(form := sent.get("body"), Form):
                form.seek(0)
            try:
                return self._pool.request(method, address, timeout=timeout, redirect=redirect, **sent)
            except LocationParseError as error:
                raise click.BadParameter(f"{self.url!r} is no address.", param_hint="--url") from error
            except (ProtocolError, ReadTimeoutError) as error:
                if is_last or isinstance(error, ReadTimeoutError):
                    raise BrokenOff(self.url, _reason(error)) from error
            except (HTTPError, OSError, UnicodeError) as error:
                raise ServiceUnreachable(self.url, _reason(error)) from error
        raise AssertionError("the last round returns or raises")

    def _checked(self, status: int, headers: Mapping[str, str], data: bytes) -> Answer:
        try:
            body = json.loads(data) if data else None
        except ValueError:
            body = data
        ours = body is None or isinstance(body, dict | list)
        if status >= 400 and ours:
            raise ServiceProblem(status, body if isinstance(body, dict) else {}, headers.get("Retry-After"))
        if not ours or status >= 300:
            raise ServiceUnreachable(self.url, f"what answers there with HTTP {status} is something else")
        return Answer(status, headers, body)


def _reason(error: Exception) -> str:
    from urllib3.exceptions import NameResolutionError, NewConnectionError, ReadTimeoutError, TimeoutError

    if isinstance(error, NameResolutionError):
        return "no such host"
    if isinstance(error, NewConnectionError):  # before its base class, a time-out
        return "cannot connect"
    if isinstance(error, ReadTimeoutError):
        return "no answer in time"
    if isinstance(error, TimeoutError):
        return "cannot connect in time"
    return str(error).rpartition(":")[2].strip(" )'\"") or type(error).__name__


def for_service(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the option --url, and call it with the service."""

    @click.option(
        "--url", metavar="URL", help="Address of the service. [env: THETOOL_URL; default: the one running here]"
    )
    @wraps(command)
    def with_service(*args: Any, url: str | None, **kwargs: Any) -> R:
        return command(find_service(url), *args, **kwargs)

    return with_service


def find_service(url: str | None) -> Service:
    """The service at `url`, or else at `THETOOL_URL`, the one that runs here, or the default address.

    The key is `THETOOL_API_KEY`; without it, and only for a service on this machine, the master key of this place.
    """
    url = (url or os.environ.get("THETOOL_URL") or _url_of_the_one_here() or DEFAULT_URL).rstrip("/")
    if urlsplit(url).scheme not in {"http", "https"}:
        raise click.BadParameter(f"{url!r} does not start with http:// or https://.", param_hint="--url")
    key = os.environ.get("THETOOL_API_KEY", "").strip()
    return Service(url, key or (_key_of_this_place() if _is_this_machine(url) else None))


def settings_here() -> Settings:
    """The settings that a service started here would have.

    Raises:
        CommandFailed: one of them is wrong.
    """
    from thetool.config import SettingsError, load_settings

    try:
        return load_settings()
    except SettingsError as error:
        raise CommandFailed(str(error)) from error


def _url_of_the_one_here() -> str | None:
    """What the running service wrote into `server.json` of its home."""
    home = Path(os.environ.get("THETOOL_HOME") or "~/.thetool").expanduser()
    try:
        return str(json.loads((home / "server.json").read_text())["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _key_of_this_place() -> str | None:
    from thetool.access.local_key import known_local_key
    from thetool.config import SettingsError

    settings = settings_here()
    if settings.master_api_key is not None:
        return settings.master_api_key.get_secret_value()
    try:
        return known_local_key(settings.home)
    except SettingsError as error:
        raise CommandFailed(str(error)) from error


def _is_this_machine(url: str) -> bool:
    """Whether the address is of the loopback: the master key is sent nowhere else by itself."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
