"""Whether a short text, such as an id, gives a person away: in any usual or unusual writing.

A phone number, an Italian tax code (also one whose digits became letters), an IBAN, an e-mail
address. What stands between the characters makes no difference: `347-883-1234` is a number.
"""

import re

_BETWEEN = r"[^A-Za-z0-9]*"
_MOBILE = re.compile(
    rf"(?<![0-9])(?:(?:0{_BETWEEN}0{_BETWEEN})?3{_BETWEEN}9{_BETWEEN})?"
    rf"3(?:{_BETWEEN}[0-9]){{8,9}}(?![0-9])"
)
# Letters replace digits where two people would share a code: LMNPQRSTUV for 0 to 9.
_TAX_DIGIT = "[0-9LMNPQRSTUV]"
_TAX_DAY = f"(?:[04LQ][1-9MNPQRSTUV]|[1256MNRS]{_TAX_DIGIT}|[37PT][01LM])"  # 1 to 31, 41 to 71
_TAX_CODE = re.compile(
    f"[A-Z]{{6}}{_TAX_DIGIT}{{2}}[ABCDEHLMPRST]{_TAX_DAY}[A-Z]{_TAX_DIGIT}{{3}}[A-Z]"
)
_ITALIAN_IBAN = re.compile("(?:IT|SM)[0-9]{2}[A-Z][0-9]{10}[A-Z0-9]{12}")
_IBAN_COUNTRIES = (
    "AD AE AL AT AZ BA BE BG BH BR BY CH CR CY CZ DE DK DO EE EG ES FI FO FR GB GE GI GL GR GT HR "
    "HU IE IL IQ IS JO KW KZ LB LC LI LT LU LV LY MC MD ME MK MN MR MT MU NI NL NO OM PK PL PS PT "
    "QA RO RS RU SA SC SD SE SI SK SO ST SV TL TN TR UA VA VG XK YE"
).split()
_IBAN_START = re.compile(rf"(?=(?:{'|'.join(_IBAN_COUNTRIES)})[0-9]{{2}}[A-Z0-9]{{11,30}}$)")
_RANDOM = re.compile("[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # a UUID
_PROVIDERS = "gmail|googlemail|hotmail|outlook|libero|virgilio|tiscali|yahoo|icloud|pec|alice"
_ADDRESS = re.compile(rf"@|(?<![a-z])(?:{_PROVIDERS})(?![a-z])")


def gives_a_person_away(text: str) -> bool:
    """Whether a phone number, a tax code, an IBAN or an e-mail address stands in the text."""
    joined = re.sub("[^A-Za-z0-9]", "", text).upper()
    return bool(
        _MOBILE.search(text)
        or _TAX_CODE.search(joined)
        or _ADDRESS.search(text.lower())
        or (_RANDOM.fullmatch(text) is None and _has_iban(joined))
    )


def _has_iban(joined: str) -> bool:
    if _ITALIAN_IBAN.search(joined):
        return True
    return any(_is_iban(joined[found.start() :]) for found in _IBAN_START.finditer(joined))


def _is_iban(candidate: str) -> bool:
    """By its two check digits (ISO 13616)."""
    rotated = candidate[4:] + candidate[:4]
    return int("".join(str(int(char, 36)) for char in rotated)) % 97 == 1
