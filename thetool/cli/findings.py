"""An analysis for people and for spreadsheets, whatever analyses it holds."""

from __future__ import annotations

import json
from typing import Any

import click

from thetool.cli.show import console, plain, print_fields, print_table

HIDDEN_IN_TABLES = {"result", "models", "skipped"}


def print_analysis(name: str | None, analysis: dict[str, Any]) -> None:
    """Print each finding under its name, then what was left out and why, then which models were used."""
    if name is not None:
        click.secho(plain(name), bold=True, underline=True)
    for task, finding in (analysis.get("result") or {}).items():
        click.secho(plain(task), bold=True)
        _print_finding(finding)
        click.echo()
    for skipped in analysis.get("skipped") or []:
        why = " ".join(plain(skipped[word]) for word in ("reason", "how") if skipped.get(word))
        click.secho(f"{plain(skipped.get('task'))}: skipped. {why}", fg="yellow")
    _print_origin(analysis)


def _print_finding(finding: Any) -> None:
    if _is_rows(finding):
        columns = list(dict.fromkeys(column for row in finding for column in row))
        print_table(columns, [[row.get(column) for column in columns] for row in finding], empty="nothing")
    elif isinstance(finding, dict):
        print_fields((f"  {field}", value) for field, value in finding.items() if not _is_rows(value))
        for field, value in finding.items():
            if _is_rows(value):
                click.echo(f"  {plain(field)}:")
                _print_finding(value)
    else:
        click.echo(f"  {plain(finding)}")


def _is_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _print_origin(analysis: dict[str, Any]) -> None:
    models = [
        f"{model.get('name')} {model.get('version')} ({model.get('licence')})" for model in analysis.get("models") or []
    ]
    parts = ["from the cache" if analysis.get("cached") else None, *models, f"id {analysis.get('id')}"]
    console().print(" · ".join(plain(part) for part in parts if part), style="dim")


def flat(analysis: dict[str, Any]) -> dict[str, Any]:
    """One row of a spreadsheet: `result` with dots between names, lists of rows as JSON."""
    row = {name: _for_spreadsheet(value) for name, value in analysis.items() if name not in HIDDEN_IN_TABLES}
    for name, value in _leaves(analysis.get("result") or {}):
        row[name] = _for_spreadsheet(value)
    return row


def _leaves(value: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, item in value.items():
        found += _leaves(item, f"{prefix}{name}.") if isinstance(item, dict) else [(f"{prefix}{name}", item)]
    return found


def _for_spreadsheet(value: Any) -> Any:
    """A cell; text that a spreadsheet would run as a formula gets an apostrophe in front."""
    if isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False)
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
