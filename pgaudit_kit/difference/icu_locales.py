"""Locales of ICU as PostgreSQL stores them: up to 15 in the words of whoever made the collation, from 16 on as a language tag (BCP 47)."""

from __future__ import annotations

import re

TAGS_SINCE = 16
_LITERAL = re.compile(r"'((?:[^']|'')*)'")
_ICU = re.compile(r"([A-Za-z]{2,3}|root|)(?:[_-]([A-Za-z]{4}))?(?:[_-]([A-Za-z]{2}|\d{3}))?(?:@(.+))?")
# Unicode Technical Standard 35, "Key and Type Definitions": the keys of old and those of language tags, and values that have other names
_KEYS = {
    "collation": "co",
    "colalternate": "ka",
    "colbackwards": "kb",
    "colcaselevel": "kc",
    "colcasefirst": "kf",
    "colnormalization": "kk",
    "colnumeric": "kn",
    "colreorder": "kr",
    "colstrength": "ks",
}
_VALUES = {
    "co": {"dictionary": "dict", "gb2312han": "gb2312", "phonebook": "phonebk", "traditional": "trad"},
    "ka": {"non-ignorable": "noignore"},
    "ks": {
        "primary": "level1",
        "secondary": "level2",
        "tertiary": "level3",
        "quaternary": "level4",
        "quarternary": "level4",
        "identical": "identic",
    },
}
_FLAGS = {"yes": "true", "no": "false"}


def language_tag(literal: str) -> str | None:
    """The language tag, as SQL, of a locale of ICU that stands in *literal*: `'de_DE@collation=phonebook'` → `'de-DE-u-co-phonebk'`.

    None for one in any form but `language[_Script][_REGION][@key=value;…]` with the keys of collations.
    """
    quoted = _LITERAL.fullmatch(literal)
    found = _ICU.fullmatch(quoted[1]) if quoted else None
    if found is None:
        return None
    language, script, region, keywords = found.groups()
    tag = [language.lower() if language.lower() not in ("", "root") else "und"]
    tag += [script.title()] if script else []
    tag += [region.upper()] if region else []
    pairs = [keyword.lower().partition("=") for keyword in (keywords or "").split(";") if keyword]
    if any(key not in _KEYS for key, _, _ in pairs):
        return None
    for key, value in sorted((_KEYS[key], value) for key, _, value in pairs):
        named = _VALUES.get(key, {}).get(value, _FLAGS.get(value, value))
        tag += [] if "u" in tag else ["u"]
        tag += [key] if named == "true" else [key, *named.split("-")]  # "true" is what a key without a value means
    return f"'{'-'.join(tag)}'"
