"""Operations that mend a defect: the names and the parameters that the registry of table operations has."""

from __future__ import annotations

from typing import Any

from thetool.tables.profile.issue_schemas import Mend, Operation

PARAMETERS: dict[Operation, frozenset[str]] = {
    "remove_duplicates": frozenset({"subset", "keep"}),
    "remove_columns": frozenset({"columns"}),
    "filter_rows": frozenset({"conditions", "logic", "keep"}),
    "fill_blanks": frozenset({"column", "method", "value"}),
    "change_column_type": frozenset({"column", "to_type", "errors"}),
    "trim_whitespace": frozenset({"columns", "trim_type"}),
    "change_text_casing": frozenset({"column", "case"}),
    "standardize_values": frozenset({"column", "mapping", "case_sensitive"}),
    "regex_replace": frozenset({"column", "pattern", "replacement"}),
    "handle_outliers": frozenset({"column", "method", "threshold_method"}),
    "is_duplicate": frozenset({"subset", "keep", "new_column"}),
    "validate_pattern": frozenset({"column", "pattern_type", "new_column"}),
    "repair_encoding": frozenset({"columns"}),
    "replace_with_null": frozenset({"column", "values"}),
}


def mend(operation: Operation, effect: str, /, **parameters: Any) -> Mend:
    """The operation with these parameters, which it must have; `effect` is what it would do, in words."""
    unknown = parameters.keys() - PARAMETERS[operation]
    if unknown:
        raise TypeError(f"{operation} has no {', '.join(sorted(unknown))}")
    return Mend(operation=operation, parameters=parameters, effect=effect)


def listed(names: list[str], most: int = 5) -> str:
    """`a, b and c`; of many the first, and how many more there are."""
    shown = names[:most] if len(names) <= most else [*names[:most], f"{len(names) - most:,} more"]
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else "".join(shown)
