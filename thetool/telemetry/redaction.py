"""What must never be in a log line: keys, tokens, signatures, passwords, wherever they turn up in its text."""

from __future__ import annotations

import re
from collections.abc import Iterable

MASK = "***"
SHORTEST_SECRET = 8

# A quote may be escaped (a repr inside JSON text), so backslashes may stand before it.
_quote = r"""\\*["']?"""
_value = r"""[^\s&"'\\,;)}\]]+"""
_rules = (
    # Authorization: Bearer abc    {"x-api-key": "abc"}    ('Cookie', 'session=abc')
    (
        re.compile(
            rf"""(?i)((?:authorization|x-api-key|api_key|set-cookie|cookie|password|passwd|secret_key|secret)"""
            rf"""{_quote}\s*[:,=]\s*{_quote}(?:basic\s+|bearer\s+)?){_value}"""
        ),
        rf"\1{MASK}",
    ),
    (re.compile(r"(?i)\b(bearer\s+)[\w.~+/=-]{8,}"), rf"\1{MASK}"),
    # ?key=abc&signature=abc, also percent-encoded; `dedupe_key=` and the like are no secrets
    (
        re.compile(
            r"(?i)(?<![\w-])((?:api_?|access_?)?(?:key|token)|ticket|sig|signature|x-amz-(?:signature|credential|security-token))="
            rf"{_value}"
        ),
        rf"\1={MASK}",
    ),
    (re.compile(r"""(://[^/\s:@"']*):[^/\s@"']+@"""), rf"\1:{MASK}@"),
    (re.compile(r"\b(ttm?)_[\w-]{20,}"), rf"\1_{MASK}"),
)


class Redactor:
    """Masks secrets in finished log lines.

    Args:
        secrets: values that are masked wherever they stand, such as the master key; short ones are left, because
            they would be found in innocent words.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({secret for secret in secrets if len(secret) >= SHORTEST_SECRET}, key=len, reverse=True)

    def __call__(self, line: str) -> str:
        """Give the line with its secrets masked."""
        for secret in self._secrets:
            line = line.replace(secret, MASK)
        for pattern, replacement in _rules:
            line = pattern.sub(replacement, line)
        return line
