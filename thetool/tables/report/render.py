"""The report of a table: one HTML file without anything from elsewhere, to be kept, sent and printed."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from thetool.tables.market.report import Market
from thetool.tables.profile.schemas import Profile
from thetool.tables.reading.report import Reading
from thetool.tables.report import drawing, market_chart, wording

MOST_COLUMNS = 500
_TEMPLATES = Path(__file__).parent / "templates"


def render_report(reading: Reading, profile: Profile, market: Market | None = None, now: datetime | None = None) -> str:
    """The report as HTML. Whatever comes out of the table is escaped; there is no script in it.

    The first `MOST_COLUMNS` columns are told one by one; the report says so where there are more.
    """
    return (
        _environment()
        .get_template("report.html")
        .render(
            reading=reading,
            profile=profile,
            market=market,
            columns=profile.column_profiles[:MOST_COLUMNS],
            issues_of=wording.issues_of(profile),
            made=now or datetime.now(UTC),
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": wording.number,
        "percent": wording.percent,
        "moment": wording.moment,
        "visible": wording.visible,
        "bytes": wording.size,
        "plain": wording.plain,
    }
    environment.globals |= {
        "histogram": drawing.histogram,
        "sparkline": drawing.sparkline,
        "bar": drawing.bar,
        "market_chart": market_chart.market_chart,
        "most_points": market_chart.MOST_POINTS,
        "count": wording.count,
        "css": (_TEMPLATES / "report.css").read_text("utf-8"),
    }
    return environment
