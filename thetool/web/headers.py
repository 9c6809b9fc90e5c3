"""Security headers, made once: most answers get the same few."""

from __future__ import annotations

from flask import Response, g, request

from thetool.config import Settings

# A page may show and call what is ours and nothing else. `style-src` has no 'unsafe-inline': scripts may set
# `element.style.x`, which the policy does not touch, but no `style` attribute in markup.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'{nonce}; style-src 'self'{nonce}; img-src 'self' data: blob:; "
    "font-src 'self'; connect-src 'self'; media-src 'self' blob:; manifest-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
POLICY, CACHE = "Content-Security-Policy", "Cache-Control"
EVERYWHERE = (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "same-origin"))
ON_DATA = (*EVERYWHERE, (POLICY, "default-src 'none'; frame-ancestors 'none'"))
ON_PAGES = (
    *EVERYWHERE,
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()"),
)
HSTS = ("Strict-Transport-Security", "max-age=31536000")


class SecurityHeaders:
    """Adds the headers to an answer; a view that has set its own policy or caching keeps it."""

    def __init__(self, settings: Settings) -> None:
        self._hsts = settings.production

    def add_to(self, response: Response) -> None:
        """Add them in place."""
        headers = response.headers
        if response.mimetype == "text/html":
            headers.extend(ON_PAGES)
            headers.setdefault(POLICY, _page_policy())
        elif POLICY in headers:
            headers.extend(EVERYWHERE)
        else:
            headers.extend(ON_DATA)
        headers.setdefault(CACHE, "no-store")
        if self._hsts and request.is_secure:
            headers.add(*HSTS)


def _page_policy() -> str:
    nonce = g.get("csp_nonce")
    return PAGE_POLICY.format(nonce=f" 'nonce-{nonce}'" if nonce else "")
