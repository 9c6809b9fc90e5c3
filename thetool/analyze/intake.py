"""Reading a request: which texts, images and tables it holds, in whatever form they came, and what to do with them."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast
from urllib.parse import parse_qsl

import orjson
from flask import request
from werkzeug.datastructures import FileStorage

from thetool.analyze.content import Content, EmptyInput, Table, content_of, visible
from thetool.analyze.decoding import UndecodableText
from thetool.analyze.kinds import ACCEPTED, kind_of
from thetool.analyze.options import Options, content_in, options_of
from thetool.analyze.remote import Remote
from thetool.analyze.tabular import are_records
from thetool.analyze.uploads import MEMORY_BYTES, Together, Upload, beginning_of_body, body_bytes, table_body
from thetool.config import Settings
from thetool.web.body_limit import enforce
from thetool.web.problems import TooLarge, UnsupportedMediaType, ValidationFailed
from thetool.web.requests import StrictFormParser

NO_FORM = (
    "The body is declared as a form (application/x-www-form-urlencoded, which curl says of every body), but is none. "
    "For a text add -H 'Content-Type: text/plain' (with --data-binary, which keeps its line ends); for a file use "
    "-F file=@NAME."
)
MAX_RECORDS_BYTES = 4 << 20
"""A larger body with `records` is read where other requests wait for that; the array alone is a table of any size."""
MAX_FIELDS = 100

_own_field = re.compile(rf"(?:text|{'|'.join(Options.model_fields)})=".encode())
_any_field = re.compile(rb"[\w.%+-]{1,100}=")
_no_form = re.compile(rb"[\s\x80-\xff]")  # a form has these as %20 and the like


class Source(Protocol):
    """Where one content of a request is; it is read when its turn comes."""

    @property
    def filename(self) -> str | None:
        """The name of its file, if it came as one."""

    def content(self) -> Content:
        """What it holds. Raises the problem with it, if there is one."""

    def digest(self) -> str:
        """What makes two requests the same, in hexadecimal."""


@dataclass(frozen=True)
class Given:
    """A content that is in hand."""

    given: Content

    @property
    def filename(self) -> str | None:
        """The name of its file, if it came as one."""
        return self.given.filename

    def content(self) -> Content:
        """It."""
        return self.given

    def digest(self) -> str:
        """SHA-256 of its bytes, in hexadecimal."""
        return self.given.sha256.hex()


@dataclass(frozen=True)
class Incoming:
    """What a request holds: one content, or several files: a batch, which may be of one file too."""

    options: Options
    sources: tuple[Source, ...]
    is_batch: bool = False

    def digest(self) -> bytes:
        """SHA-256 of what makes two requests the same, in whatever form they came; how long to wait does not."""
        contents = [source.digest() for source in self.sources]
        return hashlib.sha256(orjson.dumps([contents, self.options.model_dump(mode="json", exclude={"wait"})])).digest()


def read_request(settings: Settings) -> Incoming:
    """Read the present request.

    Raises:
        ValidationFailed: a field is unknown or wrong, or JSON or a form is broken.
        EmptyInput: no body, no text, or blanks alone.
        UnsupportedMediaType, UndecodableText: the content is of no kind that is analyzed.
        TooLarge: a file is, or all of them are, or there are too many; at the byte that is too many.
    """
    media_type = request.mimetype
    if media_type == "multipart/form-data":
        return _form(*_multipart(settings))
    if media_type == "application/x-www-form-urlencoded":
        enforce(request, settings.max_upload_bytes)
        return _form(_urlencoded(), [])
    if media_type == "application/json" or media_type.endswith("+json"):
        return _json(settings)
    charset = request.mimetype_params.get("charset")
    if _may_be_table(media_type) and kind_of(beginning_of_body(), media_type) == "table":
        return _one(options_of(_query(), {}, "body"), content_of(table_body(settings), media_type, charset))
    enforce(request, settings.max_upload_bytes)
    data = request.get_data(cache=False)
    options = options_of(_query(), {}, "body")
    return _one(options, content_of(io.BytesIO(data), media_type, charset))


def _may_be_table(media_type: str) -> bool:
    """Whether the body is worth a look; else a large one is refused before anything of it is read."""
    return media_type != "text/plain" and not media_type.startswith("image/")


def _one(options: Options, content: Content) -> Incoming:
    return Incoming(options, (Given(content),))


def _json(settings: Settings) -> Incoming:
    enforce(request, body_bytes(settings))
    if are_records(beginning_of_body()):
        options = options_of(_query(), {}, "body")
        return _one(options, content_of(table_body(settings), request.mimetype))
    enforce(request, settings.max_upload_bytes)
    if not request.get_data():
        raise EmptyInput("The body is empty.")
    given = content_in(request.get_json())
    options = options_of(_query(), given.model_dump(exclude={"text", "url", "records"}, exclude_unset=True), "body")
    if given.url is not None:
        return Incoming(options, (Remote.of(given.url, settings),))
    if given.records is not None:
        return _one(options, Table(io.BytesIO(_records(given.records))))
    return _one(options, visible(given.text or ""))


def _records(records: list[dict[str, Any]]) -> bytes:
    """The records as the table that they are."""
    if len(request.get_data()) > MAX_RECORDS_BYTES:
        raise TooLarge(
            f"`records` are taken up to {MAX_RECORDS_BYTES:,} bytes of JSON. Send the array itself as the body, with "
            "the options in the query: then it may be a large table.",
            limit=MAX_RECORDS_BYTES,
        )
    return orjson.dumps(records)


def _form(given: list[tuple[str, str]], files: list[FileStorage]) -> Incoming:
    fields = _once(given, "form")
    uploads = tuple(map(Upload.of, files))
    text = fields.pop("text", None)
    if uploads and text is not None:
        raise ValidationFailed.of_fields([("text", "comes beside files; send one or the other", "form")])
    options = options_of(_query(), fields, "form")
    if len(uploads) == 1 and uploads[0].file.name == "file":
        return _one(options, uploads[0].content())
    if uploads:
        return Incoming(options, uploads, is_batch=True)
    if text is None:
        raise EmptyInput(f"The form has neither a file nor a text. {ACCEPTED}")
    return _one(options, visible(text))


def _multipart(settings: Settings) -> tuple[list[tuple[str, str]], list[FileStorage]]:
    """The fields and files of the form; each file is refused at the byte that is too many."""
    parser = StrictFormParser(
        stream_factory=cast(Any, Together(settings).file),
        max_form_memory_size=settings.max_upload_bytes + MEMORY_BYTES,  # of all fields, and of the parser's buffer
        max_content_length=request.max_content_length,
        max_form_parts=settings.max_files_per_batch + MAX_FIELDS,
    )
    _, form, files = parser.parse(request.stream, request.mimetype, request.content_length, request.mimetype_params)
    fields = list(form.items(multi=True))
    if any(len(value) > settings.max_upload_bytes for _, value in fields):
        raise _too_large(settings.max_upload_bytes)
    if any("\ufffd" in value for _, value in fields):  # what the parser makes of bytes that are not UTF-8
        raise UndecodableText("A field of the form is not UTF-8, or holds U+FFFD. Send such a text as a file.")
    return fields, _files(files.items(multi=True), settings)


def _urlencoded() -> list[tuple[str, str]]:
    """The fields of the form. Werkzeug would leave bytes that are not UTF-8 as `%E9`, in the middle of the text.

    curl declares every body as a form: what is none gets a hint.
    """
    body = request.get_data(cache=False)
    kind_of(body)
    if body.lstrip()[:1] in (b"{", b"["):
        raise UnsupportedMediaType("The body looks like JSON; send it with Content-Type: application/json.")
    if body and not _own_field.match(body) and (_no_form.search(body) or not _any_field.match(body)):
        raise UnsupportedMediaType(NO_FORM)
    try:
        fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except UnicodeDecodeError as error:
        raise UndecodableText("The form is not UTF-8. Send such a text as a file, or as text/plain.") from error
    except ValueError as error:
        raise ValidationFailed.of_fields([("", f"the form cannot be read: {error}", "form")]) from error
    if any("\0" in value for _, value in fields):
        raise UndecodableText("The form holds a NUL, which no text does.")
    return fields


def _once(given: Iterable[tuple[str, str]], location: str) -> dict[str, str]:
    """The fields by name; only `tasks` may come several times."""
    fields: dict[str, str] = {}
    for name, value in given:
        if name.lstrip().startswith("{"):
            raise UnsupportedMediaType("The body looks like JSON; send it with Content-Type: application/json.")
        if name in fields and name != "tasks":
            raise ValidationFailed.of_fields([(name, "comes more than once", location)])
        fields[name] = f"{fields[name]},{value}" if name in fields else value
    return fields


def _files(found: Any, settings: Settings) -> list[FileStorage]:
    files = []
    for name, file in found:
        if name not in ("file", "files"):
            raise ValidationFailed.of_fields([(name, "is no field of this form; files are `file` or `files`", "form")])
        files.append(file)
    if len(files) > settings.max_files_per_batch:
        raise TooLarge(
            f"These are {len(files)} files; up to {settings.max_files_per_batch} are taken at a time.",
            limit=settings.max_files_per_batch,
        )
    return files


def _query() -> Mapping[str, str]:
    return _once(request.args.items(multi=True), "query")


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"One of these has more than {limit:,} bytes, which is all that is taken of one.", limit=limit)
