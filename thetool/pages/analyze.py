"""The first page: a text goes in, what it says comes out."""

from __future__ import annotations

from dataclasses import dataclass

from flask import redirect, url_for
from flask.typing import ResponseReturnValue

from thetool.analyze.tasks import TASKS
from thetool.pages.layout import blueprint, page, signed_in
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
        "The room was bright and spotless, and the staff were wonderful. Breakfast, however, was a disappointment: "
        "cold eggs and terrible coffee. The pool more than made up for it. I would stay here again!",
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
        "The central bank raised its key interest rate by a quarter of a point on Thursday, the third rise this year, "
        "and said that inflation would return to its target by the end of next year. Shares of banks rose.",
    ),
    Sample(
        "Not English",
        "What has no model for a language says so.",
        "Das Zimmer war hell und freundlich, das Frühstück leider kalt. Wir kommen trotzdem gerne wieder.",
    ),
)


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """The service's address leads to its first page."""
    return redirect(url_for("pages.analyze"), 302)


@blueprint.get("/analyze")
@signed_in
def analyze() -> ResponseReturnValue:
    """The page; its script sends `POST /analyze`."""
    tasks = [task for task in TASKS if task.kind == "text"]
    largest = settings().max_upload_bytes
    return page("analyze.html", script="analyze.js", tasks=tasks, samples=SAMPLES, max_bytes=largest)
