"""Numbers, dates and values as people read them."""

from __future__ import annotations

from datetime import datetime

from thetool.tables.profile.schemas import Profile

_ABOUT_TEN = 0.1
_SHORTEST = 0.001


def number(value: float | int | None) -> str:
    """`1,234`, `0.0012`, `1.5e+12`: six digits that count."""
    if value is None:
        return "–"
    if isinstance(value, int) or (value.is_integer() and abs(value) < 10**15):
        return f"{int(value):,}"
    return f"{value:,.6g}"


def percent(share: float) -> str:
    """`12 %`, `1.2 %`, `under 0.1 %`."""
    if share == 0 or share >= _ABOUT_TEN:
        return f"{100 * share:.0f} %" if share == 1 or share < 0.995 else "over 99 %"  # noqa: PLR2004
    return f"{100 * share:.1f} %" if share >= _SHORTEST else "under 0.1 %"


def count(many: int, one: str, several: str) -> str:
    """`1 row`, `2,000 rows`."""
    return f"1 {one}" if many == 1 else f"{many:,} {several}"


def size(many: int) -> str:
    """`512 bytes`, `1.2 MiB`."""
    value, unit = float(many), "bytes"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:  # noqa: PLR2004
            break
        value, unit = value / 1024, larger
    return f"{value:.0f} {unit}" if unit == "bytes" else f"{value:.1f} {unit}"


def moment(at: datetime, kind: str = "datetime") -> str:
    """A date, with the time of day where the column has one."""
    if kind == "date":
        return at.date().isoformat()
    return at.strftime("%Y-%m-%d %H:%M:%S").removesuffix(" 00:00:00")


def visible(value: object) -> str:
    """A value with what cannot be seen written out: control characters, marks that turn the direction of writing."""
    text = str(value)
    return "".join(letter if letter.isprintable() or letter in "\n\t" else f"\\u{ord(letter):04x}" for letter in text)


def plain(name: str) -> str:
    """`free_text` as `free text`."""
    return name.replace("_", " ")


def issues_of(profile: Profile) -> dict[str, int]:
    """How many issues each column has."""
    found: dict[str, int] = {}
    for issue in profile.issues:
        for name in issue.columns:
            found[name] = found.get(name, 0) + 1
    return found
