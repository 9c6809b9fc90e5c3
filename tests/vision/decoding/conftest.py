"""One decoder for all tests that do not harm it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from thetool.vision.decoder import Decoder


@pytest.fixture(scope="session")
def decoder() -> Iterator[Decoder]:
    decoder = Decoder()
    yield decoder
    decoder.close()
