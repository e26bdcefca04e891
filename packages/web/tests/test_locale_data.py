"""The table of languages."""

import re

import pytest

from zonda.web._locale_data import LOCALE_NAMES


def test_each_has_both_names() -> None:
    for code, names in LOCALE_NAMES.items():
        assert re.fullmatch("[a-z]{2}_[A-Z]{2}", code)
        assert sorted(names) == ["name", "name_en"]
        assert all(name == name.strip() != "" for name in names.values())


def test_has_all_that_tornado_has() -> None:
    theirs = pytest.importorskip("tornado._locale_data").LOCALE_NAMES
    for code, names in theirs.items():
        assert LOCALE_NAMES[code]["name"] == names["name"]
