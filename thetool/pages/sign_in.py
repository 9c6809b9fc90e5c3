"""The page that takes a key and signs the browser in, and the way out."""

from __future__ import annotations

from flask import make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue

from thetool.access import sign_in as session
from thetool.pages.layout import blueprint, page
from thetool.web.body_limit import limit_body
from thetool.web.problems import Problem

FORM_BYTES = 16_384  # anybody may send this form, so what it may cost is little


@blueprint.get("/sign-in", endpoint="sign_in")
def show() -> ResponseReturnValue:
    """The form, or straight on for those who are signed in."""
    onward = _own_page(request.args.get("next", ""))
    if session.session_caller() is not None:
        return redirect(onward, 303)
    return page("sign_in.html", script="sign_in.js", next=onward)


@blueprint.post("/sign-in", endpoint="sign_in_with_key")
@limit_body(FORM_BYTES)
def take_key() -> ResponseReturnValue:
    """Sign in with the form's key; what is wrong with it is said in the form."""
    onward = _own_page(request.form.get("next", ""))
    response = make_response(redirect(onward, 303))
    try:
        session.sign_in(response, request.form.get("key", ""))
    except Problem as problem:
        return page("sign_in.html", problem.status, script="sign_in.js", next=onward, problem=problem)
    return response


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """Forget the browser's session."""
    response = make_response(redirect(url_for("pages.sign_in"), 303))
    session.sign_out(response)
    return response


def _own_page(address: str) -> str:
    """`address` when it is a path of this very service, else the first page; a link may hold anything there."""
    is_path = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if is_path else url_for("pages.home")
