"""Security headers, made once: most answers get the same list."""

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
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"
ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "geolocation=(), microphone=(), payment=()"),
)
HSTS = "max-age=31536000; includeSubDomains"


class SecurityHeaders:
    """Adds the headers to an answer; a view that has set its own policy or caching keeps it."""

    def __init__(self, settings: Settings) -> None:
        self._hsts = settings.production
        self._page_policy = PAGE_POLICY.format(nonce="")

    def add_to(self, response: Response) -> None:
        """Add them in place."""
        headers = response.headers
        headers.extend(ALWAYS)
        if "Content-Security-Policy" not in headers:
            headers["Content-Security-Policy"] = self._policy(response)
        if "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-store"
        if self._hsts and request.is_secure:
            headers["Strict-Transport-Security"] = HSTS

    def _policy(self, response: Response) -> str:
        if response.mimetype != "text/html":
            return DATA_POLICY
        nonce = g.get("csp_nonce")
        return PAGE_POLICY.format(nonce=f" 'nonce-{nonce}'") if nonce else self._page_policy
