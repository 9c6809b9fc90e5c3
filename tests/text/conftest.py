"""The real embeddings model, loaded once."""

from __future__ import annotations

from pathlib import Path

import pytest

from thetool.config import Settings
from thetool.text.embeddings import SentenceEncoder, load_encoder


@pytest.fixture(scope="session")
def embeddings_settings(weights_dir: Path) -> Settings:
    """Settings whose weights folder holds the model."""
    return Settings(WEIGHTS_DIR=weights_dir)


@pytest.fixture(scope="session")
def encoder(embeddings_settings: Settings) -> SentenceEncoder:
    """The encoder of the catalogue's model."""
    return load_encoder(embeddings_settings)
