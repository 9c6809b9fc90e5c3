"""How long the caller wants to wait: `Prefer: respond-async`, `Prefer: wait=N` (RFC 7240) or `?wait=N`."""

from __future__ import annotations

from flask import request

from thetool.web.problems import ValidationFailed

MAX_WAIT_SECONDS = 300.0


def wait_seconds(default: float) -> float:
    """Seconds that this request wants to wait for its result, between 0 and `MAX_WAIT_SECONDS`.

    `Prefer` outranks `?wait=`. As RFC 7240 asks, a preference that cannot be read is as if it were not there, and one
    that cannot be met (a longer wait) is met as far as it can be. With both of them in `Prefer`, `wait` says how long
    and `respond-async` what happens then.

    Raises:
        ValidationFailed: `?wait=` is not a number of seconds, is negative, or is above `MAX_WAIT_SECONDS`.
    """
    preferred = _preferred(",".join(request.headers.getlist("Prefer")))
    if preferred is not None:
        return min(preferred, MAX_WAIT_SECONDS)
    asked = request.args.get("wait")
    if asked is None:
        return min(default, MAX_WAIT_SECONDS)
    seconds = _seconds(asked)
    if seconds is None or seconds > MAX_WAIT_SECONDS:
        wrong = f"must be a number of seconds from 0 to {MAX_WAIT_SECONDS:g}"
        raise ValidationFailed.of_fields([("wait", wrong, "query")])
    return seconds


def _preferred(header: str) -> float | None:
    """The first `wait` wins (RFC 7240: later ones are ignored); `respond-async` alone is not to wait."""
    wait: float | None = None
    respond_async = False
    for preference in header.split(","):
        name, _, value = preference.split(";", 1)[0].partition("=")
        name = name.strip().lower()
        if name == "wait" and wait is None:
            wait = _seconds(value.strip().strip('"'))
        elif name == "respond-async":
            respond_async = True
    return 0.0 if wait is None and respond_async else wait


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if seconds >= 0 else None  # also refuses NaN
