"""`--html`: the profile of a table as a page of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from thetool.cli.problems import CommandFailed, printable


class Report:
    """The file that the page goes into."""

    def __init__(self, path: Path, *, replace: bool) -> None:
        """Look whether it may be written.

        Raises:
            CommandFailed: it is there already, and may not be written over.
        """
        if path.exists() and not replace:
            raise CommandFailed(f"{path} is there already. To write over it: --force")
        self._path = path

    def write(self, name: str, analysis: dict[str, Any]) -> None:
        """Write the page.

        Raises:
            CommandFailed: it is no table, or was not profiled, or the file cannot be written.
        """
        from thetool.tables.market.report import Market
        from thetool.tables.profile.schemas import Profile
        from thetool.tables.reading.report import Reading
        from thetool.tables.report.render import render_report

        result = analysis.get("result") or {}
        if "profile" not in result:
            raise CommandFailed(f"{name} has no profile to write a page of: --html is for tables.")
        reading, profile = Reading.model_validate(result["reading"]), Profile.model_validate(result["profile"])
        market = Market.model_validate(result["market"]) if "market" in result else None
        page = render_report(reading, profile, market)
        try:
            self._path.write_text(page, encoding="utf-8")
        except OSError as error:
            raise CommandFailed(f"{self._path} cannot be written: {error.strerror}.") from error
        click.echo(f"Wrote {printable(str(self._path))}.", err=True)
