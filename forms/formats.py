"""Texts that carry their own proof: Chinese identity numbers, organisation codes, telephones."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

_EARLIEST = date(1900, 1, 1)
_LATEST = date(2100, 12, 31)

_ID_NUMBER = re.compile(r"[1-9][0-9]{16}[0-9Xx]")
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"

_USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")
_USCC_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))

_SEPARATORS = re.compile(r"[\s\-()]")
_PHONES = (
    re.compile(r"(\+?86)?1[3-9][0-9]{9}"),
    re.compile(r"(\+860?|0)[1-9][0-9]{1,2}[2-9][0-9]{6,7}([0-9]{1,5})?"),
    re.compile(r"[48]00[0-9]{7}"),
    re.compile(r"\+(?!86)[1-9][0-9]{6,14}"),
)
_PHONE_CHARACTERS = re.compile(r"\+?[0-9()][0-9 \-()]*")


def half_width(text: str) -> str:
    """`text` with full-width digits, letters and marks as an input method leaves them, narrowed."""
    return unicodedata.normalize("NFKC", text).strip()


def is_id_number(text: str, today: date | None = None) -> bool:
    """Whether `text` is an 18-character resident identity number (GB 11643-1999).

    The birth date must exist, not lie before 1900 and, where `today` is given, not after it.
    """
    if not _ID_NUMBER.fullmatch(text):
        return False
    try:
        born = date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    if not _EARLIEST <= born <= (today or _LATEST):
        return False
    return id_number_check(text[:17]) == text[17].upper()


def id_number_check(first17: str) -> str:
    """The check character of an identity number (ISO 7064, MOD 11-2)."""
    total = sum(int(digit) * weight for digit, weight in zip(first17, _ID_WEIGHTS, strict=True))
    return _ID_CHECKS[total % 11]


def is_uscc(text: str) -> bool:
    """Whether `text` is a unified social credit code (GB 32100-2015)."""
    text = text.upper()
    return bool(_USCC.fullmatch(text)) and uscc_check(text[:17]) == text[17]


def uscc_check(first17: str) -> str:
    """The check character of a unified social credit code (GB 32100-2015, annex B)."""
    total = sum(
        _USCC_ALPHABET.index(character) * weight
        for character, weight in zip(first17, _USCC_WEIGHTS, strict=True)
    )
    return _USCC_ALPHABET[-total % 31]


def is_phone(text: str) -> bool:
    """Whether `text` is a mainland mobile, landline or 400/800 number, or one with +country."""
    if len(text) > 30 or not _PHONE_CHARACTERS.fullmatch(text):
        return False
    digits = _SEPARATORS.sub("", text)
    return any(pattern.fullmatch(digits) for pattern in _PHONES)


def is_document_id(text: str) -> bool:
    """Whether `text` can be the id of an uploaded document."""
    return bool(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text))
