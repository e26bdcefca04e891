"""Languages. A row is run by Tornado too, where it is installed."""

import datetime
import struct
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from zonda.web import locale as ours

ExpectLog = Callable[..., AbstractContextManager[object]]
NOW = datetime.datetime(2026, 11, 23, 3, 31, 30, tzinfo=datetime.UTC)


@pytest.fixture(params=["zonda.web.locale", "tornado.locale"])
def locale(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The module, as fresh as after import when the test is over."""
    module: ModuleType = pytest.importorskip(request.param)
    for name in ("_translations", "_supported_locales", "_use_gettext", "_default_locale"):
        monkeypatch.setattr(module, name, getattr(module, name))
    module.Locale._cache = {}
    yield module
    module.Locale._cache = {}


@pytest.fixture
def loaded(locale: ModuleType, tmp_path: Path) -> ModuleType:
    (tmp_path / "fr.csv").write_text(
        'school,\xe9cole\n"%(n)d school","une \xe9cole",singular\n'
        '"%(n)d schools","%(n)d \xe9coles",plural\nMonday,lundi\nApril,avril\n'
        '"%(weekday)s, %(month_name)s %(day)s","%(weekday)s %(day)s %(month_name)s"\n',
        encoding="utf-8",
    )
    (tmp_path / "fr_CA.csv").write_text("school,colle\n")
    (tmp_path / "pt_BR.csv").write_text("school,escola\n")
    (tmp_path / "readme.txt").write_text("nothing to see")
    locale.load_translations(str(tmp_path))
    return locale


CLOSEST = [
    # codes asked for, code found
    ((), "en_US"),
    (("xx",), "en_US"),
    (("",), "en_US"),
    (("fr",), "fr"),
    (("FR",), "fr"),
    (("fr_CA",), "fr_CA"),
    (("fr-ca",), "fr_CA"),
    (("FR_ca",), "fr_CA"),
    (("fr_BE",), "fr"),
    (("fr_",), "fr"),
    (("pt",), "en_US"),
    (("pt_PT",), "en_US"),
    (("de", "pt-br", "fr"), "pt_BR"),
    (("de-de", "fr-ch"), "fr"),
    (("_",), "en_US"),
    (("en",), "en_US"),
]


@pytest.mark.parametrize(("codes", "found"), CLOSEST)
def test_closest(loaded: ModuleType, codes: tuple[str, ...], found: str) -> None:
    assert loaded.get(*codes).code == found
    assert loaded.Locale.get_closest(*codes) is loaded.get(found)


def test_supported(loaded: ModuleType) -> None:
    assert set(loaded.get_supported_locales()) == {"en_US", "fr", "fr_CA", "pt_BR"}
    loaded.set_default_locale("de_DE")
    assert set(loaded.get_supported_locales()) == {"de_DE", "fr", "fr_CA", "pt_BR"}
    assert loaded.get("xx").code == "de_DE"
    assert loaded.get("xx").translate("school") == "school"
    loaded.set_default_locale("fr")
    assert loaded.get("xx").translate("school") == "\xe9cole"


def test_script_between_language_and_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "_supported_locales", frozenset({"en_US", "zh_TW", "sr"}))
    monkeypatch.setattr(ours.Locale, "_cache", {})
    assert ours.get("zh-Hant-TW").code == "zh_TW"
    assert ours.get("sr-Latn-RS").code == "sr"


@pytest.mark.parametrize(
    ("code", "arguments", "translation"),
    [
        ("fr", ("school",), "\xe9cole"),
        ("fr", ("school", None), "\xe9cole"),
        ("fr", ("nothing",), "nothing"),
        ("fr", ("%(n)d school", "%(n)d schools", 1), "une \xe9cole"),
        ("fr", ("%(n)d school", "%(n)d schools", 0), "%(n)d \xe9coles"),
        ("fr", ("%(n)d school", "%(n)d schools", 2), "%(n)d \xe9coles"),
        ("fr", ("school", "schools", 1), "school"),
        ("fr", ("school", "schools", 2), "schools"),
        ("fr_CA", ("school",), "colle"),
        ("en_US", ("school",), "school"),
        ("en_US", ("school", "schools", 2), "schools"),
    ],
)
def test_translate(
    loaded: ModuleType, code: str, arguments: tuple[Any, ...], translation: str
) -> None:
    found = loaded.get(code)
    assert isinstance(found, loaded.CSVLocale)
    assert found.translate(*arguments) == translation


def test_plural_needs_a_count(loaded: ModuleType) -> None:
    with pytest.raises((TypeError, AssertionError)):
        loaded.get("fr").translate("a", "b")


def test_unknown_code(loaded: ModuleType) -> None:
    with pytest.raises((LookupError, AssertionError)):
        loaded.Locale.get("xx")


def test_loading_again_replaces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_translations", "_supported_locales", "_use_gettext"):
        monkeypatch.setattr(ours, name, getattr(ours, name))
    monkeypatch.setattr(ours.Locale, "_cache", {})
    for text in ("one", "two"):
        (tmp_path / "fr.csv").write_text(f"a,{text}")
        ours.load_translations(str(tmp_path))
        assert ours.get("fr").translate("a") == text


@pytest.mark.parametrize("name", ["fr-FR.csv", "DE.csv", "zh_Hans_CN.csv", "b c.csv"])
def test_file_that_is_no_locale(
    locale: ModuleType, tmp_path: Path, name: str, expect_log: ExpectLog
) -> None:
    (tmp_path / name).write_text("a,b")
    logger = locale.gen_log.name
    with expect_log(logger, "locale"):
        locale.load_translations(str(tmp_path))
    assert set(locale.get_supported_locales()) == {"en_US"}


def test_no_directory(locale: ModuleType) -> None:
    with pytest.raises(FileNotFoundError):
        locale.load_translations("/nonexistent/locales")


def test_pgettext_of_csv(loaded: ModuleType, expect_log: ExpectLog) -> None:
    with expect_log(loaded.gen_log.name, "pgettext"):
        assert loaded.get("fr").pgettext("building", "school") == "\xe9cole"
    assert loaded.get("en_US").pgettext("building", "school") == "school"
    assert loaded.get("en_US").pgettext("building", "school", "schools", 2) == "schools"


def test_pgettext_of_csv_is_told_once(expect_log: ExpectLog) -> None:
    csv = ours.CSVLocale("fr", {"unknown": {"a": "b"}})
    with expect_log("zonda.general", "pgettext", count=1):
        assert [csv.pgettext("x", "a") for _ in range(3)] == ["b", "b", "b"]


# gettext


def catalogue(messages: dict[str, str]) -> bytes:
    """A compiled catalogue, in the format of GNU gettext's manual §10.3."""
    keys = sorted(messages)
    ids = [key.encode() for key in keys]
    texts = [messages[key].encode() for key in keys]
    count = len(keys)
    at = 28 + 16 * count
    tables: list[list[int]] = []
    body = b""
    for strings in (ids, texts):
        table: list[int] = []
        for each in strings:
            table += [len(each), at + len(body)]
            body += each + b"\0"
        tables.append(table)
    head = struct.pack("<7I", 0x950412DE, 0, count, 28, 28 + 8 * count, 0, 0)
    return head + struct.pack(f"<{4 * count}I", *tables[0], *tables[1]) + body


HEADER = "Content-Type: text/plain; charset=utf-8\nPlural-Forms: nplurals=2; plural=(n != 1);\n"
FRENCH = {
    "": HEADER,
    "school": "\xe9cole",
    "law\x04right": "le droit",
    "good\x04right": "le bien",
    "organization\x04club\0organization\x04clubs": "le club\0les clubs",
    "stick\x04club\0stick\x04clubs": "le b\xe2ton\0les b\xe2tons",
    "%d day\0%d days": "%d jour\0%d jours",
}


@pytest.fixture
def catalogues(locale: ModuleType, tmp_path: Path) -> ModuleType:
    for code in ("fr_FR", ".hidden"):
        folder = tmp_path / code / "LC_MESSAGES"
        folder.mkdir(parents=True)
        (folder / "site.mo").write_bytes(catalogue(FRENCH))
    (tmp_path / "de" / "LC_MESSAGES").mkdir(parents=True)
    (tmp_path / "file").write_text("x")
    locale.load_gettext_translations(str(tmp_path), "site")
    return locale


def test_gettext_supported(catalogues: ModuleType) -> None:
    assert set(catalogues.get_supported_locales()) == {"en_US", "fr_FR"}
    french = catalogues.get("fr_FR")
    assert isinstance(french, catalogues.GettextLocale)
    assert (french.code, french.name, french.rtl) == ("fr_FR", "Fran\xe7ais", False)
    assert catalogues.get("en_US").translate("school") == "school"


@pytest.mark.parametrize(
    ("arguments", "translation"),
    [
        (("school",), "\xe9cole"),
        (("nothing",), "nothing"),
        (("%d day", "%d days", 1), "%d jour"),
        (("%d day", "%d days", 2), "%d jours"),
        (("cat", "cats", 2), "cats"),
    ],
)
def test_gettext_translate(
    catalogues: ModuleType, arguments: tuple[Any, ...], translation: str
) -> None:
    assert catalogues.get("fr_FR").translate(*arguments) == translation


@pytest.mark.parametrize(
    ("arguments", "translation"),
    [
        (("law", "right"), "le droit"),
        (("good", "right"), "le bien"),
        (("left", "right"), "right"),
        (("organization", "club", "clubs", 1), "le club"),
        (("organization", "club", "clubs", 2), "les clubs"),
        (("stick", "club", "clubs", 1), "le b\xe2ton"),
        (("cards", "club", "clubs", 1), "club"),
        (("cards", "club", "clubs", 2), "clubs"),
        (("time", "%d day", "%d days", 2), "%d jours"),
        (("time", "school"), "school"),
    ],
)
def test_gettext_pgettext(
    catalogues: ModuleType, arguments: tuple[Any, ...], translation: str
) -> None:
    assert catalogues.get("fr_FR").pgettext(*arguments) == translation


def test_gettext_plural_needs_a_count(catalogues: ModuleType) -> None:
    french = catalogues.get("fr_FR")
    with pytest.raises((TypeError, AssertionError)):
        french.translate("a", "b")
    with pytest.raises((TypeError, AssertionError)):
        french.pgettext("a", "b", "c")


def test_broken_catalogue_is_told(
    locale: ModuleType, tmp_path: Path, expect_log: ExpectLog
) -> None:
    folder = tmp_path / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "site.mo").write_bytes(b"xx")
    with expect_log(locale.gen_log.name, "Cannot load .*'fr'"):
        locale.load_gettext_translations(str(tmp_path), "site")
    assert set(locale.get_supported_locales()) == {"en_US"}


def test_no_directory_of_catalogues(locale: ModuleType) -> None:
    locale.load_gettext_translations("/nonexistent/locales", "site")
    assert set(locale.get_supported_locales()) == {"en_US"}


# Dates, lists, numbers


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "_now", lambda: NOW)


def ago(**distance: float) -> datetime.datetime:
    return NOW - datetime.timedelta(**distance)


DATES: list[tuple[datetime.datetime, dict[str, Any], str]] = [
    # date, arguments, in words
    (ago(), {}, "0 seconds ago"),
    (ago(seconds=1), {}, "1 second ago"),
    (ago(seconds=49), {}, "49 seconds ago"),
    (ago(seconds=50), {}, "1 minute ago"),
    (ago(seconds=89), {}, "1 minute ago"),
    (ago(seconds=90), {}, "2 minutes ago"),
    (ago(minutes=49), {}, "49 minutes ago"),
    (ago(minutes=50), {}, "1 hour ago"),
    (ago(seconds=5399), {}, "1 hour ago"),
    (ago(seconds=5400), {}, "2 hours ago"),
    (ago(hours=23), {}, "23 hours ago"),
    (ago(seconds=86399), {}, "24 hours ago"),
    (ago(days=1), {}, "yesterday at 3:31 am"),
    (ago(days=1), {"shorter": True}, "yesterday"),
    (ago(days=1), {"relative": False}, "Sunday at 3:31 am"),
    (ago(days=1, hours=4), {}, "Saturday at 11:31 pm"),
    (ago(days=1, hours=4), {"gmt_offset": -240}, "yesterday at 3:31 am"),
    (ago(hours=3), {"relative": False}, "12:31 am"),
    (ago(hours=3), {"relative": False, "shorter": True}, "12:31 am"),
    (ago(days=2), {}, "Saturday at 3:31 am"),
    (ago(days=4), {"shorter": True}, "Thursday"),
    (ago(days=5), {}, "November 18 at 3:31 am"),
    (ago(days=5), {"shorter": True}, "November 18"),
    (ago(days=333), {}, "December 25 at 3:31 am"),
    (ago(days=334), {}, "December 24, 2025 at 3:31 am"),
    (ago(days=400), {"shorter": True}, "October 19, 2025"),
    (ago(hours=1), {"full_format": True}, "November 23, 2026 at 2:31 am"),
    (ago(hours=1), {"full_format": True, "shorter": True}, "November 23, 2026"),
    # a clock that is a little behind, and the future
    (ago(seconds=-59), {}, "0 seconds ago"),
    (ago(seconds=-61), {}, "November 23, 2026 at 3:32 am"),
    (ago(seconds=-30), {"relative": False}, "November 23, 2026 at 3:32 am"),
    (ago(days=-3), {"shorter": True}, "November 26, 2026"),
]


@pytest.mark.parametrize(("date", "arguments", "words"), DATES)
def test_format_date(
    frozen: None, date: datetime.datetime, arguments: dict[str, Any], words: str
) -> None:
    english = ours.CSVLocale("en_US", {"plural": {}, "singular": {}})
    assert english.format_date(date, **arguments) == words
    assert english.format_date(date.replace(tzinfo=None), **arguments) == words
    assert english.format_date(date.timestamp(), **arguments) == words


@pytest.mark.parametrize(("date", "arguments", "words"), DATES)
def test_format_date_as_tornado(
    date: datetime.datetime, arguments: dict[str, Any], words: str
) -> None:
    """Tornado has no clock to stop, so both are asked about now; a second may end in between."""
    theirs = pytest.importorskip("tornado.locale")
    for _ in range(3):
        then = datetime.datetime.now(datetime.UTC) - (NOW - date)
        one, other = (
            module.CSVLocale("en_US", {}).format_date(then, **arguments)
            for module in (ours, theirs)
        )
        if one == other:
            break
    assert one == other


AT = datetime.datetime(2013, 4, 28, 18, 35)
CLOCKS = [
    # code, time, in words
    ("en_US", AT, "April 28, 2013 at 6:35 pm"),
    ("en", AT, "April 28, 2013 at 6:35 pm"),
    ("en_GB", AT, "April 28, 2013 at 18:35"),
    ("xx", AT.replace(hour=2), "April 28, 2013 at 2:35"),
    ("zh_CN", AT, "April 28, 2013 at \u4e0b\u53486:35"),
    ("zh_CN", AT.replace(hour=0, minute=5), "April 28, 2013 at \u4e0a\u534812:05"),
    ("zh_CN", AT.replace(hour=12, minute=5), "April 28, 2013 at \u4e0b\u534812:05"),
    ("en_US", AT.replace(hour=0, minute=5), "April 28, 2013 at 12:05 am"),
    ("en_US", AT.replace(hour=12, minute=5), "April 28, 2013 at 12:05 pm"),
]


@pytest.mark.parametrize(("code", "date", "words"), CLOCKS)
def test_clocks(locale: ModuleType, code: str, date: datetime.datetime, words: str) -> None:
    assert locale.CSVLocale(code, {}).format_date(date, full_format=True) == words


def test_zone_of_the_user(locale: ModuleType) -> None:
    english = locale.CSVLocale("en_US", {})
    assert english.format_date(AT, 480) == "April 28, 2013 at 10:35 am"
    assert english.format_date(AT, -480, full_format=True) == "April 29, 2013 at 2:35 am"
    assert english.format_date(1300000000) == "March 13, 2011 at 7:06 am"
    assert english.format_date(1300000000.7) == "March 13, 2011 at 7:06 am"


def test_format_day(loaded: ModuleType) -> None:
    english = loaded.get("en_US")
    assert english.format_day(AT) == "Sunday, April 28"
    assert english.format_day(AT, dow=False) == "April 28"
    assert english.format_day(AT, gmt_offset=-480) == "Monday, April 29"
    assert loaded.get("fr").format_day(AT, gmt_offset=-480) == "lundi 29 avril"


@pytest.mark.parametrize(
    ("code", "parts", "words"),
    [
        ("en_US", [], ""),
        ("en_US", ["A"], "A"),
        ("en_US", ["A", "B"], "A and B"),
        ("en_US", ["A", "B", "C"], "A, B and C"),
        ("en_US", ("A", "B", "C", "D"), "A, B, C and D"),
        ("fa_IR", ["A", "B", "C"], "A \u0648 B and C"),
        ("fa_IR", ["A", "B"], "A and B"),
    ],
)
def test_list(locale: ModuleType, code: str, parts: list[str], words: str) -> None:
    assert locale.CSVLocale(code, {}).list(parts) == words


@pytest.mark.parametrize(
    ("code", "value", "words"),
    [
        ("en", 0, "0"),
        ("en", 123, "123"),
        ("en_US", 1234, "1,234"),
        ("en_US", 1234567, "1,234,567"),
        ("en_GB", 1234567, "1234567"),
        ("fr_FR", 1234, "1234"),
    ],
)
def test_friendly_number(locale: ModuleType, code: str, value: int, words: str) -> None:
    assert locale.CSVLocale(code, {}).friendly_number(value) == words


def test_friendly_number_below_zero() -> None:
    assert ours.CSVLocale("en_US", {}).friendly_number(-123) == "-123"


@pytest.mark.parametrize(
    ("code", "rtl", "name"),
    [
        ("en_US", False, "English (US)"),
        ("fa_IR", True, "\u0641\u0627\u0631\u0633\u06cc"),
        ("ar_SA", True, "Unknown"),
        ("ar", True, "Unknown"),
        ("he_IL", True, "\u05e2\u05d1\u05e8\u05d9\u05ea"),
        ("xx", False, "Unknown"),
    ],
)
def test_direction_and_name(locale: ModuleType, code: str, rtl: bool, name: str) -> None:
    found = locale.CSVLocale(code, {})
    assert (found.rtl, found.name) == (rtl, name)


def test_right_to_left_beyond_tornado_s() -> None:
    assert ours.CSVLocale("ur_PK", {}).rtl
    assert not ours.CSVLocale("arn_CL", {}).rtl  # Mapuche, which is no Arabic


def test_to_translate_is_up_to_the_kind(locale: ModuleType) -> None:
    with pytest.raises(NotImplementedError):
        locale.Locale("en_US")
