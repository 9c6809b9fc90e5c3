"""How long the caller wants to wait: `Prefer: respond-async`, `Prefer: wait=N` (RFC 7240) or `?wait=N`."""

from __future__ import annotations

from flask import request

from thetool.web.problems import ValidationFailed

MAX_WAIT_SECONDS = 300.0


def wait_seconds(default: float) -> float:
    """Seconds that this request wants to wait for its result, between 0 and `MAX_WAIT_SECONDS`.

    `Prefer` outranks `?wait=`. As RFC 7240 asks, a preference that cannot be read is as if it were not there;
    with both of them in `Prefer`, `wait` says how long and `respond-async` what happens then.

    Raises:
        ValidationFailed: `?wait=` is not a number of seconds, or is negative.
    """
    preferred = _preferred(",".join(request.headers.getlist("Prefer")))
    if preferred is not None:
        return min(preferred, MAX_WAIT_SECONDS)
    asked = request.args.get("wait")
    if asked is None:
        return min(default, MAX_WAIT_SECONDS)
    seconds = _seconds(asked)
    if seconds is None:
        raise ValidationFailed.of_fields([("wait", "must be a number of seconds, 0 or more", "query")])
    return min(seconds, MAX_WAIT_SECONDS)


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
