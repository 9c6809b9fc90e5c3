"""Whether anybody can restyle just now, and what to do where nobody can."""

from __future__ import annotations

from thetool.config import Settings
from thetool.jobs.admission import is_offered
from thetool.jobs.local import local
from thetool.restyle.jobs import KIND, has_packages
from thetool.restyle.problems import RestyleUnavailable
from thetool.weights.repositories import is_here

INSTALL = "pip install -r requirements-gpu.txt"
PULL = "thetool weights pull restyle"
_RETRY_AFTER_SECONDS = "30"


def require_somebody(settings: Settings) -> None:
    """Refuse when nobody anywhere can restyle just now; nothing has been stored then.

    Raises:
        RestyleUnavailable: no live worker offers it (503).
    """
    if not is_available():
        words = how_to(settings)
        headers = {"Retry-After": _RETRY_AFTER_SECONDS}
        raise RestyleUnavailable(f"No live worker can restyle. {words}", headers=headers, how_to=words)


def is_available() -> bool:
    """Whether a live worker offers it."""
    runner = local.runner
    return (runner is not None and runner.takes(KIND)) or is_offered(KIND)


def missing_here(settings: Settings) -> list[str]:
    """The commands that this machine still needs before it can restyle; none when packages and models are here."""
    return [command for command, done in ((INSTALL, has_packages()), (PULL, is_here(settings, "restyle"))) if not done]


def how_to(settings: Settings) -> str:
    """What to do where nobody can, in words."""
    commands = missing_here(settings)
    if not commands:
        return (
            "Packages and models are here, but no worker has a device: they are starting, or another service of this "
            "machine holds it. Try again in a moment."
        )
    then = "start TheTool again" if INSTALL in commands else "wait a second: its workers notice"
    return (
        f"Run: {', then: '.join(commands)}, then {then}. That may be on this machine or on another one with the same "
        "DATABASE_URL, best one with a GPU: without one a picture takes minutes."
    )
