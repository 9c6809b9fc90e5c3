"""The first page: texts, photos and tables go in, what they say, show and hold comes out."""

from __future__ import annotations

from dataclasses import dataclass

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from thetool.analyze.kinds import Kind
from thetool.analyze.tasks import TASKS
from thetool.pages.layout import blueprint, page, signed_in
from thetool.tables.market.strategies import STRATEGIES
from thetool.text.topics import SAMPLE_CHARACTERS
from thetool.web.current import settings


@dataclass(frozen=True)
class Sample:
    """A text to try, with the topics to look for (none are the usual ones)."""

    title: str
    hint: str
    text: str
    labels: str = ""
    sentences: bool = False


SAMPLES = (
    Sample(
        "A mixed review",
        "Praise and blame in one text, sentence by sentence.",
        "We loved this hotel: a bright room, wonderful staff and the beach in front of the door. Breakfast, however, "
        "was a disappointment: cold eggs and terrible coffee. The lift was out of order. We would travel here again!",
        sentences=True,
    ),
    Sample(
        "A support message",
        "Your own topics: refund, delivery, praise.",
        "I ordered a lamp three weeks ago and it still has not arrived. The tracking page has not changed since "
        "Monday. Please send it now or give me my money back.",
        "refund, delivery, praise",
    ),
    Sample(
        "A piece of news",
        "The usual topics.",
        "Astronomers have found water vapour around a planet of another star. The researchers looked for eight years "
        "with a space telescope, and published their study on Monday.",
    ),
    Sample(
        "Not English",
        "What has no model for a language says so.",
        "Das Zimmer war hell und freundlich, das Frühstück leider kalt. Wir kommen trotzdem gerne wieder.",
    ),
)


@dataclass(frozen=True)
class SamplePhoto:
    """A photo to try: `static/photos/NAME.jpg`, and `NAME-small.jpg` of 128 × 128 pixels."""

    name: str
    title: str
    hint: str


PHOTOS = (
    SamplePhoto("coffee", "A cup of coffee", "What it shows, its colours, how sharp it is."),
    SamplePhoto("cat", "A cat", "An animal, with a box around it."),
)


@dataclass(frozen=True)
class SampleTable:
    """A table to try: `static/tables/NAME`."""

    name: str
    title: str
    hint: str


TABLES = (
    SampleTable("orders.csv", "A table of orders", "How it was read, what its columns hold, what is wrong with it."),
    SampleTable("prices.csv", "Prices of a share", "Twelve indicators and a verdict, with a chart. Invented."),
)
TITLES: tuple[tuple[Kind, str], ...] = (
    ("text", "What to find in a text"),
    ("image", "What to find in a photo"),
    ("table", "What to find in a table"),
)
WORDS = {("image", "info"): "File", ("image", "palette"): "Colours"}
"""What people call a task where its name says too little."""


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """The service's address leads to its first page."""
    return redirect(url_for("pages.analyze"), 302)


@blueprint.get("/analyze")
@signed_in
def analyze() -> ResponseReturnValue:
    """The page; its script sends `POST /analyze`."""
    return page(
        "analyze.html",
        script="analyze.js",
        kinds=[(kind, title, [task for task in TASKS if task.kind == kind]) for kind, title in TITLES],
        words=WORDS,
        samples=SAMPLES,
        photos=PHOTOS,
        tables=TABLES,
        strategies=STRATEGIES.values(),
        sampled=SAMPLE_CHARACTERS,
        max_bytes=settings().max_upload_bytes,
        max_table=settings().max_table_bytes,
        max_files=settings().max_files_per_batch,
        max_total=settings().max_total_upload_size,
        http=settings().fetch_allow_private,
    )
