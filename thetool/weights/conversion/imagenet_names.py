"""One readable name for each class of ImageNet, out of two lists: curated names, and WordNet's synonyms.

The curated names are the usual ones ("American robin"), but for two kinds, for which WordNet's first synonym is taken:
whole descriptions ("a cat having a striped coat": tiger cat), and names that two classes share ("missile": projectile).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

from thetool.weights.conversion.problems import ConversionError

CLASSES = 1000

_describes = re.compile(r"(a|an|the) |.*,").match  # an article in front, or several things


def convert(curated: Path, synonyms: Path, target: Path) -> None:
    """Write the list of names, in the order of the classes.

    Args:
        curated: a JSON list of one name for each class.
        synonyms: a JSON object of WordNet's synonyms by class number, comma lists.
        target: what is written.

    Raises:
        ConversionError: these are no such lists, or two classes would still have one name.
    """
    try:
        names: list[str] = json.loads(curated.read_text("utf-8"))
        by_number: dict[str, str] = json.loads(synonyms.read_text("utf-8"))
        firsts = [by_number[str(number)].split(",")[0].strip() for number in range(CLASSES)]
        shared = {name for name, count in Counter(names).items() if count > 1}
        chosen = [
            first if name in shared or _describes(name) else name for name, first in zip(names, firsts, strict=True)
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConversionError(f"these are no names of ImageNet's classes: {error}") from error
    if len(set(chosen)) != CLASSES:
        raise ConversionError("two classes have the same name")
    target.write_text(json.dumps(chosen, ensure_ascii=False), "utf-8")
