"""The sections of the API's documentation: in the order in which a newcomer needs them, each with a sentence."""

from __future__ import annotations

from typing import Any

FIRST = {
    "Analyze": "Send a text, a photo or a table, or several files, and get what is in them.",
    "Restyle": "A photo of a room, in another style.",
    "Models": "Upload your own ONNX models, validate them, name their versions.",
    "Predictions": "Ask your models.",
    "KServe": "The same models by the Open Inference Protocol (KServe V2).",
}
LAST = {
    "Jobs": "What takes longer than a request waits is a job: look at it, wait for it, follow it live, cancel it.",
    "Webhooks": "Where the end of a job is told, signed and repeated until it is heard.",
    "Files": "What jobs made and what was sent, for as long as it is kept.",
    "Keys": "Issue keys with scopes, limits and quotas; rotate and revoke them.",
    "Weights": "The models that are here, and those that could be.",
    "Admin": "Cleaning up, schedules and statistics; for the master key.",
    "Health": "Whether the service is well, for people, balancers and Prometheus.",
}


def put_in_order(document: dict[str, Any]) -> None:
    """Order tags and paths in place; a section that has no sentence here comes after those in `FIRST`."""
    used = {str(tag["name"]): tag for tag in document.get("tags", ())}
    names = [*FIRST, *(name for name in used if name not in FIRST and name not in LAST), *LAST]
    sentences = {**FIRST, **LAST}
    document["tags"] = [
        {"description": sentences.get(name, ""), **used[name], "name": name} for name in names if name in used
    ]
    ranks = {name: rank for rank, name in enumerate(names)}

    def rank(item: tuple[str, dict[str, Any]]) -> tuple[int, str]:
        path, operations = item
        tags = [tag for operation in operations.values() for tag in operation.get("tags", ())]
        return min((ranks.get(tag, len(ranks)) for tag in tags), default=len(ranks)), path

    document["paths"] = dict(sorted(document["paths"].items(), key=rank))
