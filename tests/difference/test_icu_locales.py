"""The language tags of ICU's locales are those that PostgreSQL makes of them, and of what is not known there is none."""

from __future__ import annotations

from ctypes import CDLL, byref, c_int, c_int8, create_string_buffer
from ctypes.util import find_library

import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.difference.icu_locales import language_tag
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DatabaseObject, ObjectKey
from pgaudit_kit.records.provenance import Provenance
from tests.conftest import missing
from tests.fakes import FakeSource

LOCALES = (
    *("de_DE@collation=phonebook", "de_DE", "en_us", "en-US", "de", "root", "@collation=emoji", "zh_Hant_TW", "es@collation=traditional"),
    *("@colStrength=primary", "@colStrength=secondary;colCaseLevel=yes", "en@colNumeric=yes;colCaseFirst=upper", "zh@collation=gb2312han"),
    *("@colAlternate=shifted", "@colAlternate=non-ignorable", "fr_CA@colBackwards=yes", "de@colNormalization=no", "@colReorder=grek-latn"),
    *("en@colNumeric=no", "@colStrength=identical", "@colStrength=quaternary", "zh@collation=dictionary"),
)


def _language_tag_of_icu(locale: str) -> str:
    """What PostgreSQL stores from 16 on: pg_locale.c, icu_language_tag, calls this function of the library."""
    name = find_library("icuuc")
    if name is None:
        missing("the library of ICU")
    to_tag = getattr(CDLL(name), f"uloc_toLanguageTag_{str(name).rpartition('.')[2]}")
    tag, error = create_string_buffer(200), c_int(0)
    length = to_tag(locale.encode(), tag, len(tag), c_int8(1), byref(error))
    assert error.value <= 0, locale
    return tag.raw[:length].decode()


def test_every_locale_has_the_tag_that_icu_makes_of_it() -> None:
    assert {locale: language_tag(f"'{locale}'") for locale in LOCALES} == {
        locale: f"'{_language_tag_of_icu(locale)}'" for locale in LOCALES
    }


@pytest.mark.parametrize("locale", ["de_DE@calendar=buddhist", "de-u-co-phonebk", "de_DE_POSIX", "de__PHONEBOOK", "C", "it''s"])
def test_of_other_locales_nothing_is_known(locale: str) -> None:
    assert language_tag(f"'{locale}'") is None


@pytest.mark.parametrize(
    ("versions", "newer", "status"),
    [
        (("15.1", "16.1"), "de-DE-u-co-phonebk", "equivalent"),
        (("15.1", "16.1"), "de-AT-u-co-phonebk", "changed"),
        (("16.1", "17.1"), "de-DE-u-co-phonebk", "changed"),
    ],
)
def test_a_collation_is_the_same_across_16_only_with_its_own_tag(versions: tuple[str, str], newer: str, status: str) -> None:
    sides = [
        FakeSource(
            inventory=Inventory((DatabaseObject(ObjectKey("COLLATION", "s", "c"), {"provider": "icu", "locale": f"'{locale}'"}),)),
            provenance=Provenance("x", server_version=version),
        )
        for version, locale in zip(versions, ("de_DE@collation=phonebook", newer), strict=True)
    ]
    for pair in (sides, sides[::-1]):
        assert [d.status for d in diff(*pair).object_differences] == [status]
