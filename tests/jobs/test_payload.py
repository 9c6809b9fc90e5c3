from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from thetool.jobs import payload
from thetool.jobs.payload import NotStorable, TooLargeToStore, clean, to_json_text


class Holder(BaseModel):
    value: Any = None
    number: float | None = None


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(categories=["L"])), inner),
)


@given(plain)
def test_what_can_be_stored_comes_back(value: Any) -> None:
    assert json.loads(to_json_text(Holder(value=value)))["value"] == value


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_nan_is_not_quietly_made_null(number: float) -> None:
    with pytest.raises(NotStorable, match="NaN"):
        to_json_text(Holder(number=number))
    with pytest.raises(NotStorable, match="NaN"):
        to_json_text(Holder(value={"deep": [1, {"down": number}]}))


@pytest.mark.parametrize("text", ["\0", "a\0", "\\\0", "\\\\\0"])
def test_nul_is_refused(text: str) -> None:
    with pytest.raises(NotStorable, match="NUL"):
        to_json_text(Holder(value=text))
    with pytest.raises(NotStorable, match="NUL"):
        to_json_text(Holder(value={text: 1}))


@pytest.mark.parametrize("text", ["\\u0000", "\\\\u0000", "\\" * 5 + "u0000"])
def test_the_words_for_nul_are_not_nul(text: str) -> None:
    assert json.loads(to_json_text(Holder(value=text)))["value"] == text


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(NotStorable):
        to_json_text(Holder(value="\ud800"))


def test_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payload, "MAX_PAYLOAD_BYTES", 1000)
    to_json_text(Holder(value="x" * 900))
    with pytest.raises(TooLargeToStore, match="at most 1,000"):
        to_json_text(Holder(value="x" * 1000))


def test_a_circle_is_refused() -> None:
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(NotStorable):
        to_json_text(Holder.model_construct(value=circle))


def test_text_is_cleaned_and_cut() -> None:
    assert clean("a\0b\ud800", 10) == "a\N{REPLACEMENT CHARACTER}b?"
    assert clean("x" * 20, 10) == "x" * 9 + "…"
