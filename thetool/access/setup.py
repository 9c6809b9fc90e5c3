"""init_app(): gives an application its keys and its limits."""

from __future__ import annotations

from flask import Flask

from thetool.access import limits
from thetool.access.state import EXTENSION, Access
from thetool.config import Settings


def init_app(app: Flask, settings: Settings) -> None:
    """Prepare keys, sessions and rate limits; opens no connection and starts no thread.

    Raises:
        SettingsError: when there is no master key and a local one cannot be kept.
    """
    app.extensions[EXTENSION] = Access.of(settings)
    limits.init_app(app, settings)
