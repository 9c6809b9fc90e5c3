"""An analysis for people and for spreadsheets, whatever analyses it holds."""

from __future__ import annotations

import json
from typing import Any

import click

from thetool.cli.photo_row import photo_row
from thetool.cli.show import plain, print_block, print_fields, print_table
from thetool.cli.table_findings import print_table_result, table_row

HIDDEN_IN_TABLES = {"result", "models", "skipped", "notes"}
HIDDEN_COLUMNS = {"words", "id"}  # of texts in photos and of labels: for programs, with --json
PICTURES = ("thumbnail", "annotated")
LAST = (*PICTURES, "id", "cached", "elapsed_ms")
MOSTLY = 0.6
"""A text of whose letters fewer are in one language is in several, as the service has it."""
FEW = 6  # so many of a long list of numbers are shown


def print_analysis(name: str | None, analysis: dict[str, Any]) -> None:
    """Print each finding under its name, then what was left out and why, then which models were used."""
    if name is not None:
        click.secho(plain(name), bold=True, underline=True)
    found = analysis.get("result") or {}
    if analysis.get("kind") == "table":
        print_table_result(found)
        found = {}
    for task, finding in found.items():
        click.secho(plain(task), bold=True)
        _print_finding(finding, 2)
        click.echo()
    for skipped in analysis.get("skipped") or []:
        click.secho(f"{plain(skipped.get('task'))}: skipped. {_reason(skipped)}", fg="yellow")
    for note in analysis.get("notes") or []:
        click.secho(f"{plain(note.get('task'))}: {plain(note.get('note'))}", fg="yellow")
    print_fields((name, analysis.get(name)) for name in PICTURES)
    _print_origin(analysis)


def with_addresses(analysis: dict[str, Any], service: str) -> dict[str, Any]:
    """The analysis with its links to pictures as whole addresses, for the eyes and for a spreadsheet; or where a
    picture was saved."""
    links = {name: analysis[name] for name in PICTURES if str(analysis.get(name) or "").startswith("/")}
    whole = {name: f"{service}{link}" for name, link in links.items()}
    if "annotated_file" in analysis:
        whole["annotated"] = analysis["annotated_file"]
    return {**analysis, **whole}


def _print_finding(finding: Any, indent: int) -> None:
    if _is_rows(finding):
        columns = list(dict.fromkeys(column for row in finding for column in row if column not in HIDDEN_COLUMNS))
        rows = [[row.get(column) for column in columns] for row in finding]
        print_table([column.replace("_", " ") for column in columns], rows, empty="nothing", indent=indent)
    elif isinstance(finding, dict):
        if finding and all(isinstance(value, dict) for value in finding.values()):
            _print_finding([{"": name.replace("_", " "), **value} for name, value in finding.items()], indent)
            return
        if "unsure" in finding:
            finding = _in_words(finding)
        inner = {field: value for field, value in finding.items() if _is_rows(value)}
        print_fields(((field, _short(value)) for field, value in finding.items() if field not in inner), indent=indent)
        for field, value in inner.items():
            if field != "items":
                click.echo(f"{' ' * indent}{plain(field).replace('_', ' ')}:")
            _print_finding(value, indent if field == "items" else indent + 2)
    else:
        click.echo(f"{' ' * indent}{plain(finding)}")


def _in_words(language: dict[str, Any]) -> dict[str, Any]:
    """A text's language, a guess called one, the shares of others by their names."""
    from thetool.text.language_names import NAMES

    told = {field: value for field, value in language.items() if field != "reliable"}  # the opposite of unsure
    shares: dict[str, float] = language.get("shares") or {}
    order = sorted(shares, key=shares.__getitem__, reverse=True)
    told["shares"] = ", ".join(f"{NAMES.get(code, code)} {shares[code]:.0%}" for code in order) or None
    name = language.get("name")
    if language.get("unsure") and name:
        name = "several" if len(shares) > 1 and max(shares.values()) < MOSTLY else f"perhaps {name}"
    return told | {"name": name}


def _short(value: Any) -> Any:
    """The largest of many numbers with names, and how many more there are."""
    if not isinstance(value, dict) or len(value) <= FEW or not all(_is_number(part) for part in value.values()):
        return value
    largest = sorted(value, key=value.__getitem__, reverse=True)[:FEW]
    return f"{plain({name: value[name] for name in largest})}, and {len(value) - FEW} more (all with --json)"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _reason(skipped: dict[str, Any]) -> str:
    return " ".join(plain(skipped[word]) for word in ("reason", "how") if skipped.get(word))


def _print_origin(analysis: dict[str, Any]) -> None:
    models = [
        f"{model.get('name')} {model.get('version')} ({model.get('licence')})" for model in analysis.get("models") or []
    ]
    parts = ["from the cache" if analysis.get("cached") else None, *models, f"id {analysis.get('id')}"]
    print_block(" · ".join(plain(part) for part in parts if part), style="dim")


def flat(analysis: dict[str, Any]) -> dict[str, Any]:
    """One row of a spreadsheet. Of a photo or a table: always the same columns. Else: `result` with dots between names,
    lists of rows as JSON.

    How long it took is left out of one from the cache: that was the time of the first.
    """
    said = {
        "skipped": "; ".join(f"{one.get('task')}: {_reason(one)}" for one in analysis.get("skipped") or []),
        "notes": "; ".join(f"{one.get('task')}: {one.get('note')}" for one in analysis.get("notes") or []),
    }
    told = {**analysis, "elapsed_ms": None} if analysis.get("cached") else analysis
    rows = {"image": photo_row, "table": table_row}
    if (kind := analysis.get("kind")) in rows:
        found = rows[kind](analysis.get("result") or {})
        row = {
            "status": told.get("status"),
            "kind": kind,
            **found,
            **{name: told.get(name) for name in LAST if kind == "image" or name not in PICTURES},
            **said,
        }
    else:
        row = {name: value for name, value in told.items() if name not in HIDDEN_IN_TABLES and value is not None}
        row |= {name: value for name, value in said.items() if value}
        row |= dict(_leaves(analysis.get("result") or {}))
    return {name: for_spreadsheet(value) for name, value in row.items()}


def _leaves(value: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, item in value.items():
        found += _leaves(item, f"{prefix}{name}.") if isinstance(item, dict) else [(f"{prefix}{name}", item)]
    return found


def for_spreadsheet(value: Any) -> Any:
    """A cell; text that a spreadsheet would run as a formula gets an apostrophe in front."""
    if isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False)
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
