"""Where a text changes its language: at the ends of sentences, and only where a detector sees enough of a reason.

A sentence alone is often too short for a detector: it takes "I met Giovanni Rossi in Milano." for Italian. So all
sentences are judged together: of all ways to give each its language the one is taken with the highest sum of scores,
where each change costs something (the Viterbi algorithm on a hidden Markov model with equal changes; Viterbi 1967).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from thetool.text.sentences import Span, sentences, windows

Scores = Callable[[str], dict[str, float]]
"""How well a short text fits the languages that it fits best, 0 to 1; with a language left out it fits not at all."""

CHANGE_COSTS = 8.0
"""So many letters must fit the other language perfectly and this one not at all, for a change to be worth its while."""
_LONGEST = 250


def passages(text: str, scores: Scores) -> list[Span]:
    """The passages of `text` in order, each in one language; together they are the whole text."""
    pieces = [piece for span in sentences(text) for piece in windows(text, span, _LONGEST)]
    if len(pieces) < 2:
        return [(0, len(text))]
    gains = []
    for start, end in pieces:
        piece = text[start:end]
        letters = sum(map(str.isalpha, piece))
        gains.append({code: letters * score for code, score in scores(piece).items()} if letters else {})
    codes = _likeliest(gains)
    cuts = [start for (start, _), code, before in zip(pieces[1:], codes[1:], codes, strict=False) if code != before]
    return list(zip([0, *cuts], [*cuts, len(text)], strict=True))


def _likeliest(gains: Sequence[dict[str, float]]) -> list[str]:
    """The language of each piece: the way through them with the highest gain, less the costs of its changes."""
    known = {max(gain, key=gain.__getitem__) for gain in gains if gain} or {""}
    totals = dict.fromkeys(known, 0.0)
    changed: list[tuple[str, set[str]]] = []  # where a change would come from, and the languages that it leads to
    for gain in gains:
        best = max(totals, key=totals.__getitem__)
        least = totals[best] - CHANGE_COSTS
        to = {code for code, total in totals.items() if total < least}
        changed.append((best, to))
        totals = {code: (least if code in to else total) + gain.get(code, 0.0) for code, total in totals.items()}
    code = max(totals, key=totals.__getitem__)
    codes = []
    for best, to in reversed(changed):
        codes.append(code)
        code = best if code in to else code
    return codes[::-1]
