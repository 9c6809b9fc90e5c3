"""How models and their predictions look in a terminal."""

from __future__ import annotations

from typing import Any

import click

from thetool.cli.show import age, in_bytes, moment, number, plain, print_fields, print_json, print_table

MOST_ROWS, MOST_COLUMNS = 50, 16


def row(model: dict[str, Any]) -> tuple[Any, ...]:
    """A model in a list."""
    size = model["file_size_bytes"]
    return (
        model["name"],
        model["version"],
        model["status"],
        ", ".join(model["aliases"]) or None,
        _signature(model["input_schema"]),
        _signature(model["output_schema"]),
        None if size is None else in_bytes(size),
        age(model["created_at"]),
        model["id"],
    )


def print_model(model: dict[str, Any]) -> None:
    """All that people want to know of a model, with a table of what it takes and gives."""
    found = model["found"] or {}
    size = model["file_size_bytes"]
    opsets = ", ".join(f"{name} {version}" for name, version in found.get("opsets", {}).items())
    print_fields(
        [
            *((name, model[name]) for name in ("id", "name", "version", "status")),
            ("error", model["error_message"]),
            *((name, model[name] or None) for name in ("aliases", "description", "tags")),
            ("size", None if size is None else in_bytes(size)),
            ("SHA-256", model["file_hash"]),
            ("made by", f"{found.get('producer_name', '')} {found.get('producer_version', '')}".strip() or None),
            ("opset", opsets or None),
            ("parameters", f"{found['parameters']:,}" if found.get("parameters") else None),  # trees have none
            ("created", moment(model["created_at"])),
            *(("note", note) for note in found.get("notes", [])),
        ]
    )
    specs = [(way, spec) for way in ("input", "output") for spec in model[f"{way}_schema"] or []]
    if specs:
        click.echo()
        rows = [(way, spec["name"], spec["dtype"], shape(spec)) for way, spec in specs]
        print_table(("", "name", "type", "shape"), rows, empty="")


def print_prediction(answer: dict[str, Any]) -> None:
    """Who answered how quickly, and what: labels, a table where that can be, else JSON."""
    how = "cached" if answer["cached"] else f"{number(answer['inference_time_ms'])} ms"
    click.echo(f"{plain(answer['model_name'])} {answer['model_version']}: {how}", err=True)
    if answer.get("labels"):
        rows = [(one["label"], one["confidence"]) for one in answer["labels"]]
        print_table(("label", "confidence"), rows, empty="")
        return
    outputs = answer["output_data"] or _by_output(answer["predictions"])
    columns = {name: _columns(name, values) for name, values in outputs.items()}
    rows = [values for values in columns.values() if values is not None]
    lengths = {len(table[1]) for table in rows}
    width = sum(len(table[0]) for table in rows)
    if len(rows) < len(columns) or len(lengths) != 1 or max(lengths) > MOST_ROWS or width > MOST_COLUMNS:
        print_json(outputs)
        return
    heads = [head for table in rows for head in table[0]]
    print_table(heads, [sum(parts, []) for parts in zip(*(table[1] for table in rows), strict=True)], empty="No rows.")


def _by_output(predictions: list[Any]) -> dict[str, Any]:
    """The values of each output, where each prediction has one for each of them."""
    if not all(isinstance(one, dict) for one in predictions) or len({frozenset(one) for one in predictions}) != 1:
        return {"predictions": predictions}
    return {name: [one[name] for one in predictions] for name in predictions[0]}


def shape(spec: dict[str, Any]) -> str:
    """A shape as people read it: `[batch, 4]`; `?` for a free dimension without a name."""
    if spec["shape"] is None:
        return "any"
    names = spec["axes"] or [None] * len(spec["shape"])
    parts = (name or "?" if length is None else str(length) for length, name in zip(spec["shape"], names, strict=True))
    return f"[{', '.join(parts)}]"


def _signature(specs: list[dict[str, Any]] | None) -> str | None:
    if not specs:
        return None
    return ", ".join(f"{spec['name']} {spec['dtype']} {shape(spec)}" for spec in specs)


def _columns(name: str, values: Any) -> tuple[list[str], list[list[Any]]] | None:
    """Heads and rows of an output of one or two dimensions; None of any other."""
    if not isinstance(values, list) or not values:
        return None
    if not any(isinstance(value, list | dict) for value in values):
        return [name], [[value] for value in values]
    lengths = {len(value) if isinstance(value, list) else -1 for value in values}
    if len(lengths) != 1 or -1 in lengths or any(isinstance(one, list) for value in values for one in value):
        return None
    width = lengths.pop()
    return [name] if width == 1 else [f"{name}[{place}]" for place in range(width)], values
