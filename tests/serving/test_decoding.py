"""Large bodies of JSON, of which a few are decoded at a time."""

from __future__ import annotations

import pytest

from thetool.serving import decoding as decoding_module
from thetool.serving.decoding import AT_ONCE, LARGE_BYTES, decoding
from thetool.serving.runtime.problems import PredictionsBusy


def test_no_more_large_bodies_are_decoded_at_once_than_memory_has_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding_module, "WAIT_SECONDS", 0.0)
    assert AT_ONCE == 2
    with decoding(LARGE_BYTES), decoding(LARGE_BYTES):
        with pytest.raises(PredictionsBusy, match=r"as \.npy"), decoding(LARGE_BYTES):
            pass
        with decoding(LARGE_BYTES - 1):  # small ones wait for nobody
            pass
    with pytest.raises(ValueError, match="broken"), decoding(LARGE_BYTES):
        raise ValueError("broken")
    with decoding(LARGE_BYTES), decoding(LARGE_BYTES):  # both places are free again
        pass
