"""What a column's name suggests. A name decides nothing alone: it only breaks a tie that the values leave."""

from __future__ import annotations

import re

from thetool.tables.profile.schemas import SemanticType

_words: dict[SemanticType, str] = {
    "identifier": "id ids key code ref reference nr no number num sku ean uid guid account acct konto kundennr",
    "phone": "phone tel telephone telefon mobile mobil handy cell cellphone fax telefono telefone telephone rufnummer",
    "postal_code": "zip zipcode postal postcode postalcode plz postleitzahl cap cep cp pincode postnr codepostal",
    "country_code": "country land pays pais paese nation iso iso2 iso3 nationality",
    "state": "state bundesstaat province region st",
    "currency_code": "currency waehrung währung devise moneda valuta ccy",
    "currency": "price amount cost total revenue sales salary income fee payment balance preis betrag summe umsatz "
    "prix montant precio importe prezzo importo profit budget spend usd eur gbp",
    "percentage": "percent percentage pct prozent discount rabatt",
    "latitude": "lat latitude breite breitengrad",
    "longitude": "lon lng long longitude länge laenge längengrad",
    "year": "year jahr année annee año ano anno rok yr yyyy",
    "name": "name firstname lastname surname fullname vorname nachname nom prénom prenom nombre apellido nome cognome "
    "contact customer employee person author owner",
}
_hints = {kind: frozenset(words.split()) for kind, words in _words.items()}
_parts = re.compile(r"[^\W\d_]+|\d+")
_humps = re.compile(r"(?<=[a-zäöüß\d])(?=[A-ZÄÖÜ])")


def tokens(name: str) -> frozenset[str]:
    """The words of a column's name in small letters: `customerId`, `customer_id` and `Customer ID` have the same."""
    words = [word.lower() for word in _parts.findall(_humps.sub(" ", name))]
    return frozenset([*words, "".join(words)])


def suggests(name: str, kind: SemanticType) -> bool:
    """Whether a column's name has a word for this."""
    return not _hints[kind].isdisjoint(tokens(name))
