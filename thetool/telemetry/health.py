"""Probes: small questions to each room ("are you well?"), asked in the background and never for too long."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Probe = Callable[[], Mapping[str, Any]]


def register_probe(name: str, probe: Probe, *, required: bool = False) -> None:
    """Ask `probe` whenever health is asked for; a probe of the same name takes its place.

    Args:
        name: what it is about: `database`, `storage`, `queue`, `workers`, `cache`, `gpu`.
        probe: gives its values as plain JSON types; raises when it is not well. It runs in a thread of its own, with
            no application context, at most once at a time and about once a second.
        required: the service is not ready while this probe fails.
    """
    raise NotImplementedError
