"""Countries, US states and currencies by name and code."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Any


@cache
def _table() -> dict[str, Any]:
    text = resources.files("thetool.tables.profile.semantics").joinpath("places.toml").read_text("utf-8")
    return tomllib.loads(text)


@cache
def countries() -> dict[str, str]:
    """The two-letter code of each country by its names and codes, all in small letters."""
    found: dict[str, str] = {}
    for code, names in _table()["countries"].items():
        for name in (code, *names):
            found.setdefault(name.lower(), code)
    return found


@cache
def country_names() -> frozenset[str]:
    """The names of countries in small letters; `usa` and `uk` are names, ISO's codes are none."""
    return frozenset(name.lower() for _, *names in _table()["countries"].values() for name in names)


@cache
def country_codes() -> frozenset[str]:
    """The codes of ISO 3166-1, of two and of three letters."""
    return frozenset(code for short, names in _table()["countries"].items() for code in (short, names[0]))


@cache
def us_states() -> frozenset[str]:
    """Postal codes of the states of the USA."""
    return frozenset(_table()["us_states"])


@cache
def currencies() -> frozenset[str]:
    """The codes of ISO 4217."""
    return frozenset(_table()["currencies"])
