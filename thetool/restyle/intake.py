"""Reading a request for a restyling: the photo, the mask, what is asked; all is checked before anything is kept."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from flask import request
from pydantic import ValidationError

from thetool.config import Settings
from thetool.restyle.options import ALIASES, FIELDS, Options
from thetool.restyle.problems import MaskDoesNotFit, UnknownStyle
from thetool.restyle.sizes import require_fit
from thetool.restyle.styles import styles
from thetool.vision.decoder import decoder_of
from thetool.vision.formats import HEAD, MEDIA_TYPES, image_format
from thetool.web.problems import TooLarge, UnsupportedMediaType, ValidationFailed

LOOK_LONGEST = 256
"""To this a photo is decoded to see whether it is one: a JPEG eight times quicker than in full."""
PREFERENCES = "preferences"
FILES = ("file", "mask")


@dataclass(frozen=True)
class Incoming:
    """A request that can be done."""

    photo: bytes
    mask: bytes | None
    filename: str | None
    media_type: str
    options: Options
    given: tuple[str, ...]

    def digest(self) -> bytes:
        """SHA-256 of what makes two requests the same."""
        parts = [hashlib.sha256(part or b"").hexdigest() for part in (self.photo, self.mask)]
        return hashlib.sha256(json.dumps([*parts, self.options.model_dump()]).encode()).digest()


def read_request(settings: Settings) -> Incoming:
    """Read the present request, a form.

    Raises:
        UnsupportedMediaType: it is no form, or the photo no image.
        ValidationFailed: a field is unknown or wrong, or `preferences` are no JSON object; the photo is too small or
            too narrow; there is no such style; the mask has another size.
        DamagedImage, ImageTooLarge, DecodingTimedOut, DecoderUnavailable: the photo or the mask cannot be decoded.
        StylesUnreadable: RESTYLE_STYLES is no file of styles.
        TooLarge: it has more bytes than MAX_UPLOAD_BYTES.
    """
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType("Send a form (multipart/form-data) with the photo as `file`: curl -F file=@room.jpg")
    photo, mask = _file("file", settings), _file("mask", settings)
    if photo is None:
        raise ValidationFailed.of_fields([("file", "is missing: the photo of the room", "form")])
    fields = _fields()
    options = _options(fields)
    known = styles(settings)
    if options.style not in known:
        names = sorted(known)
        raise UnknownStyle(
            f"There is no style {options.style!r}; there are {', '.join(names)}.",
            errors=[{"field": "style", "message": f"is one of {', '.join(names)}", "location": "form"}],
            styles=names,
        )
    _check_pictures(settings, photo, mask)
    media_type = MEDIA_TYPES[str(image_format(photo[:HEAD]))]  # what it is, whatever it was sent as
    return Incoming(photo, mask, request.files["file"].filename, media_type, options, tuple(sorted(fields)))


def _file(name: str, settings: Settings) -> bytes | None:
    sent = request.files.getlist(name)
    if len(sent) > 1:
        raise ValidationFailed.of_fields([(name, "comes more than once; send one photo at a time", "form")])
    if unknown := set(request.files) - set(FILES):
        raise ValidationFailed.of_fields(
            [(min(unknown), f"is no file of this form; there are {' and '.join(FILES)}", "form")]
        )
    if not sent:
        return None
    content = sent[0].stream.read(settings.max_upload_bytes + 1)
    if len(content) > settings.max_upload_bytes:
        raise TooLarge(f"Up to {settings.max_upload_bytes:,} bytes are taken.", limit=settings.max_upload_bytes)
    if not content and sent[0].filename:  # without a name it is a form's field in which nothing was chosen
        raise ValidationFailed.of_fields([(name, "is empty", "form")])
    return content or None


def _fields() -> dict[str, Any]:
    """The fields by their names here; what the form says itself outranks the older `preferences`."""
    flat: dict[str, Any] = {}
    for name, value in request.form.items(multi=True):
        name = ALIASES.get(name, name)
        if name in flat:
            raise ValidationFailed.of_fields([(name, "comes more than once", "form")])
        flat[name] = value
    preferences = _preferences(flat.pop(PREFERENCES, ""))
    given: dict[str, Any] = {**preferences, **flat}
    return {name: value for name, value in given.items() if value != "" and value is not None}


def _preferences(text: str) -> dict[str, Any]:
    if not text.strip():
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValidationFailed.of_fields([(PREFERENCES, f"is no JSON: {error}", "form")]) from None
    if not isinstance(found, dict):
        raise ValidationFailed.of_fields([(PREFERENCES, "must be a JSON object", "form")])
    return {ALIASES.get(str(name), str(name)): value for name, value in found.items()}


def _options(fields: dict[str, Any]) -> Options:
    if unknown := sorted(set(fields) - set(FIELDS)):
        told = f"is no field; there are {', '.join(FIELDS)}"
        raise ValidationFailed.of_fields([(name, told, "form") for name in unknown])
    try:
        return Options.model_validate(fields)
    except ValidationError as error:
        raise ValidationFailed.of(error, "form", Options) from error


def _check_pictures(settings: Settings, photo: bytes, mask: bytes | None) -> None:
    decoder = decoder_of(settings)
    seen = decoder.decode(photo, longest=LOOK_LONGEST).facts
    require_fit(seen.width, seen.height)
    if mask is None:
        return
    other = decoder.decode(mask, longest=LOOK_LONGEST).facts
    if (other.width, other.height) != (seen.width, seen.height):
        raise MaskDoesNotFit(
            f"The mask has {other.width} × {other.height} pixels, the photo {seen.width} × {seen.height}; they must be "
            "alike (of a photo that lies on its side, as it is seen upright).",
            errors=[{"field": "mask", "message": "has another size than the photo", "location": "form"}],
        )
