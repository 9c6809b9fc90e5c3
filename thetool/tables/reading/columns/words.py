"""Words that stand for nothing, for yes, for no; in small letters."""

from __future__ import annotations

NULL_WORDS = frozenset(
    (
        *("", "-", "--", "---", "–", "—", ".", "?", "\\n"),
        *("n/a", "na", "n.a.", "n.a", "nan", "<na>", "null", "(null)", "<null>", "none", "nil", "missing"),
        *("nd", "n.d.", "k.a.", "k. a.", "s/o", "(blank)", "(empty)", "not available", "nicht verfügbar", "нет данных"),
        *("#n/a", "#na", "#null!", "#div/0!", "#value!", "#ref!", "#name?", "#num!"),
    )
)

PAIRS = (
    ("true", "false"),
    ("yes", "no"),
    ("y", "n"),
    ("t", "f"),
    ("on", "off"),
    ("ja", "nein"),
    ("j", "n"),
    ("wahr", "falsch"),
    ("oui", "non"),
    ("o", "n"),
    ("vrai", "faux"),
    ("sí", "no"),
    ("si", "no"),
    ("s", "n"),
    ("verdadero", "falso"),
    ("vero", "falso"),
    ("sim", "não"),
    ("verdadeiro", "falso"),
    ("ja", "nee"),
    ("waar", "onwaar"),
    ("ja", "nej"),
    ("ja", "nei"),
    ("tak", "nie"),
    ("prawda", "fałsz"),
    ("ano", "ne"),
    ("da", "ne"),
    ("igen", "nem"),
    ("kyllä", "ei"),
    ("evet", "hayır"),
    ("да", "нет"),
    ("так", "ні"),
    ("истина", "ложь"),
    ("はい", "いいえ"),
    ("是", "否"),
    ("✓", "✗"),
    ("1", "0"),
)
TRUE = frozenset(true for true, _ in PAIRS)
FALSE = frozenset(false for _, false in PAIRS)


def are_yes_and_no(words: set[str]) -> bool:
    """Whether these words, all that a column has, are one for yes and one for no at least, which belong together.

    `1` and `0` alone are numbers; `true` alone, or `false`, is clear enough.
    """
    if not words or not words <= TRUE | FALSE or words <= {"1", "0"}:
        return False
    return words <= {"true", "false"} or any(true in words and false in words for true, false in PAIRS)
