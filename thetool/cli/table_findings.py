"""A table's analysis for people: how it was read, what is wrong, each column with small bars, and prices judged."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import click

from thetool.cli.show import in_bytes, plain, print_fields, print_table

MOST_COLUMNS, MOST_ISSUES, MOST_SYMBOLS = 60, 30, 20
BAR_WIDTH = 8
_BELOW = " " * 12
_STEPS = " ▁▂▃▄▅▆▇█"
_EIGHTHS = " ▏▎▍▌▋▊▉"
_COLOURS = {"critical": "red", "warning": "yellow", "info": None}
_CHOICES = ("unpacked", "format", "sheet", "encoding", "delimiter", "quote", "header")
_NAMES = {"\t": "tab", " ": "blank", ",": "comma ,", ";": "semicolon ;", "|": "bar |", "": "none"}
_VERDICTS = {"strong buy": "green", "buy": "green", "sell": "red", "strong sell": "red"}


def print_table_result(result: dict[str, Any]) -> None:
    """Print it, what matters first."""
    reading, profile = result["reading"], result.get("profile")
    _heading("table")
    click.echo(f"  {_size(reading, profile)}")
    click.echo()
    _heading("read as")
    _print_reading(reading)
    if profile is not None:
        _print_issues(profile["issues"])
        _print_columns(profile["column_profiles"], profile["columns"])
        _print_correlations(profile.get("correlations"))
    if (market := result.get("market")) is not None:
        _print_market(market)


def table_row(result: dict[str, Any]) -> dict[str, Any]:
    """The same as one row of a spreadsheet: the columns are the same in every run."""
    reading, profile = result.get("reading") or {}, result.get("profile") or {}
    issues: list[dict[str, Any]] = profile.get("issues") or []
    severities = [issue["severity"] for issue in issues]
    symbols = (result.get("market") or {}).get("symbols") or []
    return {
        "rows": reading.get("rows"),
        "columns": len(reading.get("columns") or []) if not profile else profile.get("columns"),
        "duplicate_rows": (profile.get("duplicate_rows") or {}).get("count"),
        "cells_empty": profile.get("cells_empty"),
        "issues": len(issues) if profile else None,
        **{name: severities.count(name) if profile else None for name in ("critical", "warning", "info")},
        "gravest_issue": issues[0]["message"] if issues else None,
        **{
            name: (reading.get(name) or {}).get("value")
            for name in ("format", "encoding", "delimiter", "header", "sheet")
        },
        "column_names": "; ".join(column["name"] for column in reading.get("columns") or []),
        "verdicts": "; ".join(f"{one['symbol'] or 'all'}: {one['verdict']}" for one in symbols) or None,
        "bytes": reading.get("bytes"),
    }


def _heading(words: str) -> None:
    click.secho(words, bold=True)


def _said(count: int, one: str) -> str:
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"


def _size(reading: dict[str, Any], profile: dict[str, Any] | None) -> str:
    columns = profile["columns"] if profile else len(reading["columns"])
    said = [f"{_said(reading['rows'], 'row')} × {_said(columns, 'column')}", in_bytes(reading["bytes"])]
    if profile is not None:
        cells, untyped = reading["rows"] * columns, profile.get("cells_untyped", 0)
        said.append(_said(profile["duplicate_rows"]["count"], "duplicate row"))
        said.append(f"{(profile['cells_empty'] - untyped) / cells:.1%} of cells empty" if cells else "no cells")
        if untyped:
            said.append(f"{_said(untyped, 'cell')} not of the column's type")
    return " · ".join(said)


def _print_reading(reading: dict[str, Any]) -> None:
    """Each choice with its reason, then what stands around the table."""
    chosen = [(name, reading[name]) for name in _CHOICES if reading.get(name)]
    rows = [[name, _choice(name, one["value"]), one["reason"]] for name, one in chosen]
    print_table(("", "", ""), rows, empty="", indent=2)
    for name in ("preamble", "footer"):
        if lines := reading.get(name):
            click.echo(f"  {name}: {_lines(lines)}, kept apart from the table")
    for other in reading.get("other_tables") or []:
        names = plain(other["names"][:6])
        click.echo(f"  another table in lines {other['first_line']:,} to {other['last_line']:,}: {names}")
    for note in reading.get("notes") or []:
        click.secho(f"  {plain(note['message'])}", fg="yellow")
    click.echo()


def _lines(lines: dict[str, Any]) -> str:
    first, count = lines["first_line"], lines["count"]
    return f"line {first:,}" if count == 1 else f"lines {first:,} to {first + count - 1:,}"


def _choice(name: str, value: Any) -> str:
    if name == "header":
        return f"line {value}" if value else "none"
    return _NAMES.get(str(value), plain(value)) if name in ("delimiter", "quote") else plain(value)


def _print_issues(issues: Sequence[dict[str, Any]]) -> None:
    _heading("issues")
    if not issues:
        click.echo("  none found")
    for issue in issues[:MOST_ISSUES]:
        click.secho(f"  {issue['severity']:<8}", fg=_COLOURS.get(issue["severity"]), nl=False)
        click.echo(f"  {plain(issue['message'])}")
        if example := issue.get("example"):
            click.secho(
                f"{_BELOW}row {example['row']:,}, {plain(example['column'])}: {_quoted(example['value'])}", dim=True
            )
        if mending := issue.get("mend"):
            click.secho(f"{_BELOW}to mend it: {plain(mending['effect'])}", dim=True)
        if reread := issue.get("reread"):
            click.secho(f"{_BELOW}or {_as_options(reread['options'])}: {plain(reread['effect'])}", dim=True)
    _say_more(len(issues), MOST_ISSUES)
    click.echo()


def _as_options(options: dict[str, Any]) -> str:
    """Options of the reading as this command takes them."""
    given = ((name, value if isinstance(value, str) else json.dumps(value)) for name, value in options.items())
    return " ".join(f"--{name.replace('_', '-')} {plain(shlex.quote(value))}" for name, value in given)


def _print_columns(columns: Sequence[dict[str, Any]], total: int) -> None:
    _heading("columns")
    rows = [
        [
            column["name"],
            column["type"],
            column["semantic"]["type"].replace("_", " "),
            bar(empty := max(0.0, column["null_share"] - column.get("untyped_share", 0))),
            f"{empty:.1%}",
            f"{'' if column['distinct']['exact'] else '~'}{column['distinct']['count']:,}",
            spark((column.get("histogram") or {}).get("counts") or ()),
            "; ".join(filter(None, (_range(column), _unread(column)))),
        ]
        for column in columns[:MOST_COLUMNS]
    ]
    names = ("name", "type", "is", "empty", "", "distinct", "distribution", "values")
    print_table(names, rows, empty="none", indent=2)
    _say_more(total, MOST_COLUMNS)
    click.echo()


def _range(column: dict[str, Any]) -> str:
    """From the smallest to the largest, or the most frequent values."""
    if (numbers := column.get("numbers")) and numbers["min"] is not None:
        return f"{plain(numbers['min'])} to {plain(numbers['max'])}, median {plain(numbers['median'])}"
    if dates := column.get("dates"):
        return f"{_day(dates['earliest'])} to {_day(dates['latest'])}"
    return ", ".join(f"{_cut(value['value'], 20)} ×{value['count']:,}" for value in column["top"][:3])


def _unread(column: dict[str, Any]) -> str | None:
    """How many cells have a value that is none of the column's type."""
    if not column["untyped"]:
        return None
    return f"could not be read as {column['type']}: {column['untyped']:,} ({column.get('untyped_share', 0):.1%})"


def _day(moment: str) -> str:
    """A date without the midnight that it is kept with."""
    return moment.removesuffix("Z").removesuffix("T00:00:00").replace("T", " ")


def _print_correlations(pairs: Sequence[dict[str, Any]] | None) -> None:
    if pairs is None:
        return
    _heading("correlations")
    strongest = sorted(pairs, key=lambda pair: -abs(pair["pearson"] or 0))
    rows = [[" ↔ ".join(pair["columns"]), pair["pearson"], pair["spearman"], pair["pairs"]] for pair in strongest]
    print_table(("columns", "pearson", "spearman", "rows"), rows[:MOST_ISSUES], empty="none", indent=2)
    _say_more(len(rows), MOST_ISSUES)
    click.echo()


def _print_market(market: dict[str, Any]) -> None:
    _heading("market")
    click.echo(f"  {plain(market['strategy']['title'])}. {plain(market['disclaimer'])}")
    for one in market["symbols"][:MOST_SYMBOLS]:
        click.echo()
        click.secho(f"  {plain(one['symbol'] or 'prices')}: ", nl=False)
        click.secho(plain(one["verdict"]), bold=True, fg=_VERDICTS.get(one["verdict"]))
        print_fields(_prices(one), indent=4)
        rows = [
            [each["title"], each["vote"], f"{each['confidence']:.2f}" if each["vote"] else None, each["reason"]]
            for each in one["indicators"]
        ]
        print_table(("indicator", "vote", "confidence", "why"), rows, empty="none", indent=4)
        for note in one["notes"]:
            click.secho(f"    {plain(note['message'])}", fg="yellow")
    _say_more(len(market["symbols"]), MOST_SYMBOLS)
    for left in market["left_out"]:
        click.secho(f"  {plain(left['symbol'] or 'prices')}: left out. {plain(left['reason'])}", fg="yellow")
    for note in market["notes"]:
        click.secho(f"  {plain(note['message'])}", fg="yellow")
    click.echo()


def _prices(one: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield "rows", f"{one['rows']:,}, {_day(one['first'])} to {_day(one['last'])}, {one['interval']} apart"
    yield "last_close", one["last_close"]
    yield "score", None if one["score"] is None else f"{one['score']:+.2f}"
    if trade := one.get("trade"):
        yield (
            "trade",
            f"{trade['direction']}: in at {plain(trade['entry'])}, stop {plain(trade['stop'])}, target "
            f"{plain(trade['target'])}",
        )
        yield "size", f"{plain(trade['units'])} units, {plain(trade['money_at_risk'])} at risk"


def spark(counts: Sequence[int]) -> str:
    """A histogram in a line: a character for each bin, its height by the count; what is not empty is seen."""
    highest = max(counts, default=0)
    return "".join(_STEPS[-(-count * 8 // highest) if highest else 0] for count in counts)


def bar(share: float, width: int = BAR_WIDTH) -> str:
    """A share from 0 to 1 as a bar; what is more than nothing is seen."""
    eighths = max(1, round(share * width * 8)) if share > 0 else 0
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).rstrip()


def _quoted(value: str) -> str:
    return f"“{_cut(value, 60)}”"


def _cut(value: str, most: int) -> str:
    return plain(value if len(value) <= most else f"{value[: most - 1]}…").replace("\n", "⏎").replace("\t", "⇥")


def _say_more(total: int, shown: int) -> None:
    if total > shown:
        click.echo(f"  and {total - shown:,} more (all with --json)")
