"""The settings of the application that answers the present request."""

from __future__ import annotations

from typing import cast

from flask import current_app

from thetool.config import Settings


def settings() -> Settings:
    """The settings that the current application was made with (needs an application context)."""
    return cast(Settings, current_app.config["THETOOL_SETTINGS"])
