"""Numbers that carry a check digit. Each takes the text as written, blanks and hyphens included."""

from __future__ import annotations

import ipaddress


def is_iban(text: str) -> bool:
    """Whether the remainder of an IBAN is 1 (ISO 7064, MOD 97-10)."""
    compact = "".join(text.split()).upper()
    if not compact.isascii() or not compact.isalnum() or not 15 <= len(compact) <= 34:
        return False
    digits = "".join(str(int(letter, 36)) for letter in compact[4:] + compact[:4])
    return int(digits) % 97 == 1


def is_payment_card(text: str) -> bool:
    """Whether a card's number has the right last digit (ISO/IEC 7812-1, Luhn), and the first of a payment card."""
    digits = [int(letter) for letter in text if letter.isascii() and letter.isdigit()]
    if not 13 <= len(digits) <= 19 or digits[0] not in (2, 3, 4, 5, 6):
        return False
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_isbn(text: str) -> bool:
    """Whether an ISBN of 10 or 13 digits has the right last digit (ISO 2108)."""
    letters = [letter for letter in text.upper() if letter not in "- "]
    if not all(letter in "0123456789X" for letter in letters) or "X" in letters[:-1]:
        return False
    digits = [10 if letter == "X" else int(letter) for letter in letters]
    if len(digits) == 10:
        return sum((10 - place) * digit for place, digit in enumerate(digits)) % 11 == 0
    if len(digits) == 13 and digits[:2] == [9, 7] and digits[2] in (8, 9):
        return sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(digits)) % 10 == 0
    return False


def is_ip_address(text: str) -> bool:
    """Whether it is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text.strip())
    except ValueError:
        return False
    return True
