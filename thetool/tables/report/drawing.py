"""Small pictures as SVG, coloured by the page's style sheet. Every text in them is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from markupsafe import Markup

from thetool.tables.profile.schemas import Histogram
from thetool.tables.report.wording import moment, number

WIDTH, HEIGHT = 320, 72
_LOW, _TALL = 16, 96


def histogram(drawn: Histogram, kind: str) -> Markup:
    """A histogram with a title for each bar."""
    names = [_named(edge, kind) for edge in drawn.edges]
    most = max(drawn.counts)
    at = drawn.counts.index(most)
    label = f"Histogram from {names[0]} to {names[-1]}; most values, {most:,}, from {names[at]} to {names[at + 1]}"
    return _bars(drawn.counts, WIDTH, HEIGHT, label, names)


def sparkline(drawn: Histogram) -> Markup:
    """The same histogram, tiny and for the eyes alone: the text beside it says the rest."""
    return _bars(drawn.counts, _TALL, _LOW, None, None)


def _named(edge: float | datetime, kind: str) -> str:
    return moment(edge, kind) if isinstance(edge, datetime) else number(edge)


def _bars(counts: Sequence[int], width: int, height: int, label: str | None, names: Sequence[str] | None) -> Markup:
    step = width / len(counts)
    gap = 1 if step < 40 else 2  # noqa: PLR2004
    most = max(counts)
    parts = []
    for place, rows in enumerate(counts):
        tall = max(1.5, rows / most * (height - 1)) if rows else 0
        title = Markup("<title>{} to {}: {:,}</title>").format(names[place], names[place + 1], rows) if names else ""
        parts.append(
            Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">{}</rect>').format(
                place * step, height - tall, max(1.0, step - gap), tall, title
            )
        )
    spoken = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="bars" viewBox="0 0 {} {}" preserveAspectRatio="none" {}>{}</svg>').format(
        width, height, spoken, Markup().join(parts)
    )


def bar(share: float) -> Markup:
    """A share as a bar; the number stands beside it."""
    return Markup(
        '<svg class="share" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="rest" width="100" height="8"/><rect width="{:.2f}" height="8"/></svg>'
    ).format(100 * max(0.0, min(1.0, share)))
