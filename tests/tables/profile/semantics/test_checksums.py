"""Check digits: published examples are right, and any other digit in their place is wrong."""

from __future__ import annotations

import pytest

from thetool.tables.profile.semantics.checksums import is_iban, is_ip_address, is_isbn, is_payment_card


@pytest.mark.parametrize(
    "text",
    ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "FR14 2004 1010 0505 0001 3M02 606", "NO9386011117947"],
)
def test_ibans_of_the_registry(text: str) -> None:
    assert is_iban(text)
    assert not is_iban(text[:-1] + ("1" if text[-1] != "1" else "2"))


@pytest.mark.parametrize("text", ["4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005"])
def test_cards_that_networks_publish_for_tests(text: str) -> None:
    assert is_payment_card(text)
    assert not is_payment_card(text[:-1] + str((int(text[-1]) + 1) % 10))


@pytest.mark.parametrize("text", ["978-3-16-148410-0", "0-306-40615-2", "080442957X"])
def test_isbns(text: str) -> None:
    assert is_isbn(text)
    assert not is_isbn(text[:-1] + ("1" if text[-1] != "1" else "2"))


def test_what_is_none_of_them() -> None:
    assert not is_iban("DE89")
    assert not is_iban("")
    assert not is_payment_card("1234567812345670")
    assert not is_isbn("X804429570")
    assert not is_isbn("12")
    assert is_ip_address("2001:db8::1")
    assert not is_ip_address("256.1.1.1")
