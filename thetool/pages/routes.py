"""All pages, on the one `blueprint` that the app joins: importing a page's module puts its routes there."""

from __future__ import annotations

from thetool.pages import analyze, errors, job, jobs, models, restyle, settings, sign_in, status  # noqa: F401
from thetool.pages.layout import blueprint

__all__ = ["blueprint"]
