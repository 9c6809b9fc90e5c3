"""A photo's analysis as one row of a spreadsheet: the same short columns in every run, whatever was asked for."""

from __future__ import annotations

from collections import Counter
from typing import Any

QUALITIES = ("sharpness", "exposure", "noise")


def photo_row(result: dict[str, Any]) -> dict[str, Any]:
    """What was found, by column; None where it was not asked for, was skipped or is not known."""
    info, quality = result.get("info") or {}, result.get("quality") or {}
    exif, location = info.get("exif") or {}, info.get("location") or {}
    row = {**_label(result.get("labels")), **_objects(result.get("objects"))}
    row["text"] = " / ".join(line["text"] for line in result["text"]["lines"]) if result.get("text") else None
    row["colours"] = _colours(result.get("palette"))
    for name in QUALITIES:
        judged = quality.get(name) or {}
        row |= {name: judged.get("value"), f"{name}_word": judged.get("word")}
    row |= {name: info.get(name) for name in ("format", "width", "height", "megapixels", "bytes")}
    row |= {"taken_at": exif.get("DateTimeOriginal"), "camera": exif.get("Model")}
    return row | {name: location.get(name) for name in ("latitude", "longitude")}


def _label(labels: dict[str, Any] | None) -> dict[str, Any]:
    best = labels["items"][0] if labels and labels["items"] else {}
    return {
        "label": best.get("label"),
        "label_confidence": best.get("confidence"),
        "label_sure": labels.get("sure") if labels else None,
    }


def _objects(objects: dict[str, Any] | None) -> dict[str, Any]:
    """`bus; person ×3`, surest first, and how many they are."""
    if objects is None:
        return {"objects": None, "objects_count": None}
    counts = Counter(one["label"] for one in objects["items"])
    shown = (f"{label} ×{count}" if count > 1 else label for label, count in counts.items())
    return {"objects": "; ".join(shown), "objects_count": len(objects["items"])}


def _colours(palette: dict[str, Any] | None) -> str | None:
    """`#8c5a2b 41 %; …`, largest share first."""
    if palette is None:
        return None
    return "; ".join(f"{colour['hex']} {colour['share']:.0%}".replace("%", " %") for colour in palette["colours"])
