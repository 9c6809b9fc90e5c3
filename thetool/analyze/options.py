"""What a request may ask for, by the same names in the query, in a form and in JSON. The query outranks the body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import orjson
from pydantic import BeforeValidator, Discriminator, Field, Tag, ValidationError, field_validator

from thetool.analyze.table_options import TableOptions
from thetool.jobs.webhooks.addresses import WEBHOOK_URL, WebhookUrl
from thetool.text.topics import SAMPLE_CHARACTERS, Labels, labels_of
from thetool.web.preferences import MAX_WAIT_SECONDS
from thetool.web.problems import ValidationFailed
from thetool.web.schemas import Input

MAX_LABELS = 100
MAX_PHRASES = 20

Model = TypeVar("Model", bound=Input)
Phrase = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
Label = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]


def _names(value: Any) -> Any:
    """A comma list, as it stands in a query or a form."""
    return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


def _labels(value: Any) -> Any:
    """A comma list, or JSON where it begins as that."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError as error:
            raise ValueError(f"begins as JSON, but is not: {error}") from error
    return _names(value)


def _form_of(value: Any) -> str:
    return "phrases" if isinstance(value, dict) else "names"


Given = Annotated[
    Annotated[list[Label], Tag("names")] | Annotated[dict[Label, list[Phrase]], Tag("phrases")],
    Discriminator(_form_of),
]


class Options(TableOptions):
    """What to do with the content."""

    tasks: Annotated[list[Annotated[str, Field(max_length=50)]], BeforeValidator(_names)] | None = Field(
        default=None,
        max_length=20,
        description="Analyses to run; without it all that fit. A comma list in a query or form, an array in JSON.",
        examples=[["sentiment", "topics"]],
    )
    labels: Annotated[Given | None, BeforeValidator(_labels)] = Field(
        default=None,
        description="Topics to look for in a text, in place of our own: names, or an object that gives each the "
        "phrases which describe it (two or more find it better than its name alone).",
        examples=[{"billing": ["An invoice or a payment.", "Money was charged twice."], "praise": []}],
    )
    sentences: bool = Field(default=False, description="Also give the sentiment of each sentence of a text.")
    exhaustive: bool = Field(
        default=False,
        description=f"Read every sentence for the topics of a text of more than {SAMPLE_CHARACTERS:,} characters, in "
        "place of a sample.",
    )
    annotate: bool = Field(
        default=False, description="Also a picture of an image with what was found drawn over it (`annotated`)."
    )
    location: bool = Field(default=False, description="Also where an image was taken, when its EXIF tells.")
    wait: Annotated[float, Field(ge=0, le=MAX_WAIT_SECONDS, allow_inf_nan=False)] | None = Field(
        default=None,
        description=f"Seconds to wait for the result, up to {MAX_WAIT_SECONDS:g}; `Prefer: wait=N` outranks it.",
    )
    webhook_url: WebhookUrl | None = Field(
        default=None,
        description=f"{WEBHOOK_URL} An answer from the cache makes no job, and calls nobody.",
    )

    @field_validator("labels")
    @classmethod
    def _bounded(cls, labels: list[str] | dict[str, list[str]] | None) -> list[str] | dict[str, list[str]] | None:
        if labels is not None and len(labels) > MAX_LABELS:
            raise ValueError(f"are {len(labels)}; at most {MAX_LABELS} are taken")
        if isinstance(labels, dict) and any(len(phrases) > MAX_PHRASES for phrases in labels.values()):
            raise ValueError(f"have more than {MAX_PHRASES} phrases")
        return labels or None

    def topic_labels(self) -> Labels | None:
        """The labels as the topics take them; None for our own."""
        return None if self.labels is None else labels_of(self.labels)


class ContentIn(Options):
    """A text, a small table, or the address of a file, as JSON, with what to do with it."""

    text: str | None = Field(
        default=None, description="The text.", examples=["I love this sofa, but the delivery was late."]
    )
    url: str | None = Field(
        default=None,
        description="Where a file is: `https://…`, public, fetched within 20 seconds. In place of a text.",
        examples=["https://example.com/photo.jpg"],
    )
    records: list[dict[str, Any]] | None = Field(
        default=None,
        min_length=1,
        description="The rows of a small table, an object each, in place of a text. A large one is sent as a file, or "
        "as a body that is the array alone.",
        examples=[[{"city": "Bonn", "people": 336_000}, {"city": "Ulm", "people": 129_000}]],
    )


def options_of(query: Mapping[str, Any], body: Mapping[str, Any], location: str) -> Options:
    """Read the options of a request.

    Args:
        query: the fields of the query.
        body: the fields of the body that are options.
        location: where `body` came from: `body` or `form`.

    Raises:
        ValidationFailed: a field is unknown or wrong; says in which of the two.
    """
    checked = _given(_checked(Options, query, "query"))
    return Options.model_construct(**{**_given(_checked(Options, body, location)), **checked})


def _given(options: Options) -> dict[str, Any]:
    """What was given, as it was read."""
    return {name: getattr(options, name) for name in options.model_fields_set}


def content_in(given: Any) -> ContentIn:
    """Read a JSON body.

    Raises:
        ValidationFailed: it is no object, has not exactly one of text, URL and records, or a field is unknown or wrong.
    """
    if not isinstance(given, dict):
        raise ValidationFailed.of_fields(
            [
                (
                    "",
                    'must be an object such as {"text": "…"} or {"url": "…"}, or an array of objects, which is a table',
                    "body",
                )
            ]
        )
    checked = _checked(ContentIn, given, "body")
    given_here = [name for name in ("text", "url", "records") if getattr(checked, name) is not None]
    if not given_here:
        raise ValidationFailed.of_fields([("text", "is missing; give a text, a url, or records", "body")])
    if len(given_here) > 1:
        wrong = f"comes beside {given_here[0]}; send one or the other"
        raise ValidationFailed.of_fields([(given_here[1], wrong, "body")])
    return checked


def _checked(model: type[Model], given: Mapping[str, Any], location: str) -> Model:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise ValidationFailed.of(error, location, model) from error
