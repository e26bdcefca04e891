"""Languages: codes in, `Locale` objects out, which translate and write dates, lists and numbers.

The translations of a process are loaded once, at its start, by `load_translations` (CSV files) or
`load_gettext_translations`. A code is a language, or a language and a region: ``fr``, ``fr_CA``.

    load_translations("locales")
    user_locale = get("fr_CA", "fr")
    user_locale.translate("Sign out")

What has no translation stays as it is. `get` never fails: it falls back to the default, ``en_US``
unless `set_default_locale` names another.
"""

from __future__ import annotations

import datetime
import gettext
import os
import re
from collections.abc import Iterable, Mapping
from typing import ClassVar

from zonda.ioloop.log import gen_log
from zonda.web._locale_data import LOCALE_NAMES
from zonda.web.csvtranslations import Translations, read_translations

__all__ = [
    "CONTEXT_SEPARATOR",
    "LOCALE_NAMES",
    "CSVLocale",
    "GettextLocale",
    "Locale",
    "gen_log",
    "get",
    "get_supported_locales",
    "load_gettext_translations",
    "load_translations",
    "set_default_locale",
]

#: Between the context and the message in a gettext catalogue.
CONTEXT_SEPARATOR = "\x04"

_RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "iw", "ps", "sd", "ug", "ur", "yi"})
_CODE = re.compile(r"[a-z]+(?:_[A-Z]+)?")

_default_locale = "en_US"
_translations: Mapping[str, Translations | gettext.NullTranslations] = {}
_supported_locales = frozenset([_default_locale])
_use_gettext = False


def get(*locale_codes: str) -> Locale:
    """Return the locale of the first code for which, or for whose language, there is one.

    >>> get("xx", "en-us").code
    'en_US'
    """
    return Locale.get_closest(*locale_codes)


def set_default_locale(code: str) -> None:
    """Set the locale of those who ask for nothing that there is; it needs no translations.

    Args:
        code: The language in which the program's own texts are written.
    """
    global _default_locale
    _default_locale = code
    _support()


def get_supported_locales() -> Iterable[str]:
    """Return the codes of all locales that `get` may return."""
    return _supported_locales


def load_translations(directory: str, encoding: str | None = None) -> None:
    """Load the CSV files of a directory, one a locale: ``fr_CA.csv``.

    Rows are ``"message","translation"``; a third column, ``plural`` or ``singular``, says which
    form of a message with a plural is translated. Files with other names are logged and skipped.

    Args:
        directory: Where they are.
        encoding: Theirs; by default UTF-16 if a byte order mark says so, else UTF-8.

    Raises:
        OSError: if the directory or a file cannot be read.
        UnicodeDecodeError: if a file is in another encoding.
    """
    loaded = {}
    for file in sorted(os.listdir(directory)):
        code, extension = os.path.splitext(file)
        if extension != ".csv":
            continue
        path = os.path.join(directory, file)
        if not _CODE.fullmatch(code):
            gen_log.error("Not the name of a locale: %r (%s)", code, path)
            continue
        loaded[code] = read_translations(path, encoding)
    _use(loaded, is_gettext=False)


def load_gettext_translations(directory: str, domain: str) -> None:
    """Load compiled gettext catalogues: ``directory/fr_CA/LC_MESSAGES/domain.mo``.

    A catalogue that cannot be read is logged and skipped.

    Args:
        directory: Where the directories of the locales are.
        domain: The name of the catalogues.
    """
    loaded = {}
    codes = sorted(os.listdir(directory)) if os.path.isdir(directory) else []
    for code in codes:
        path = os.path.join(directory, code, "LC_MESSAGES", f"{domain}.mo")
        if code.startswith(".") or not os.path.isfile(path):
            continue
        try:
            with open(path, "rb") as file:
                loaded[code] = gettext.GNUTranslations(file)
        except Exception as error:  # struct.error, UnicodeDecodeError...: whatever is in the file
            gen_log.error("Cannot load the translations for %r: %s", code, error)
    _use(loaded, is_gettext=True)


def _use(
    loaded: Mapping[str, Translations | gettext.NullTranslations], *, is_gettext: bool
) -> None:
    global _translations, _use_gettext
    _translations = loaded
    _use_gettext = is_gettext
    Locale._cache = {}
    _support()
    gen_log.debug("Supported locales: %s", sorted(_supported_locales))


def _support() -> None:
    global _supported_locales
    _supported_locales = frozenset([*_translations, _default_locale])


class Locale:
    """A language as a user reads it. Get one through `get`.

    Attributes:
        code: Language and region.
        name: What the language calls itself.
        rtl: Whether it is written from right to left.
    """

    _cache: ClassVar[dict[str, Locale]] = {}

    def __init__(self, code: str) -> None:
        self.code = code
        self.name = LOCALE_NAMES.get(code, {}).get("name", "Unknown")
        self.rtl = code.partition("_")[0] in _RIGHT_TO_LEFT
        _ = self.translate
        self._months = [
            *(_("January"), _("February"), _("March"), _("April"), _("May"), _("June")),
            *(_("July"), _("August"), _("September"), _("October"), _("November"), _("December")),
        ]
        self._weekdays = [
            *(_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday")),
            *(_("Friday"), _("Saturday"), _("Sunday")),
        ]

    @classmethod
    def get_closest(cls, *locale_codes: str) -> Locale:
        """Return the locale of the first code for which, or for whose language, there is one.

        Codes may be written as browsers do, ``fr-ca``. A script between language and region is
        passed over (RFC 4647 §3.4).
        """
        for code in locale_codes:
            if code in _supported_locales:
                return cls.get(code)  # to the letter: that of all who have not chosen
            if not code:
                continue
            language, *rest = code.replace("-", "_").split("_")
            language = language.lower()
            if rest and (exact := f"{language}_{rest[-1].upper()}") in _supported_locales:
                return cls.get(exact)
            if language in _supported_locales:
                return cls.get(language)
        return cls.get(_default_locale)

    @classmethod
    def get(cls, code: str) -> Locale:
        """Return the locale of a code, the same object each time.

        Raises:
            LookupError: if there is none.
        """
        locale = Locale._cache.get(code)
        if locale is None:
            if code not in _supported_locales:
                raise LookupError(f"no translations for {code!r}")
            translations = _translations.get(code)
            if isinstance(translations, gettext.NullTranslations):
                locale = GettextLocale(code, translations)
            else:
                locale = CSVLocale(code, translations or {})
            Locale._cache[code] = locale
        return locale

    def translate(
        self, message: str, plural_message: str | None = None, count: int | None = None
    ) -> str:
        """Return the translation of a message.

        Args:
            message: In the language of the program.
            plural_message: Its form for other counts than one.
            count: How many; needed with ``plural_message``.
        """
        raise NotImplementedError

    def pgettext(
        self,
        context: str,
        message: str,
        plural_message: str | None = None,
        count: int | None = None,
    ) -> str:
        """Return the translation of a message that means different things in different places.

        Args:
            context: Where it stands, as the catalogue has it.
            message: As for `translate`.
            plural_message: As for `translate`.
            count: As for `translate`.
        """
        raise NotImplementedError

    def format_date(
        self,
        date: int | float | datetime.datetime,
        gmt_offset: int = 0,
        relative: bool = True,
        shorter: bool = False,
        full_format: bool = False,
    ) -> str:
        """Return a time in words, as precise as its distance asks for.

        ``2 minutes ago``, ``yesterday at 3:30 pm``, ``Monday at 3:30 pm``, ``April 28 at 3:30 pm``,
        ``April 28, 2013 at 3:30 pm``.

        Args:
            date: Seconds since the epoch, or a datetime; one without a zone is in UTC.
            gmt_offset: Minutes that the user's clock is behind UTC.
            relative: Say how long ago it was if that is less than a day, and ``yesterday``.
            shorter: Leave the time of day out of days further back.
            full_format: Always give the day, month and year.
        """
        if isinstance(date, (int, float)):
            date = datetime.datetime.fromtimestamp(date, datetime.UTC)
        elif date.tzinfo is None:
            date = date.replace(tzinfo=datetime.UTC)
        now = _now()
        if date > now:
            if relative and (date - now).total_seconds() < 60:
                date = now  # clocks differ a little
            else:
                full_format = True
        offset = datetime.timedelta(minutes=gmt_offset)
        local = date - offset
        age = now - date
        _ = self.translate
        if full_format:
            pattern = None
        elif relative and age.days == 0:
            return self._ago(age.seconds)
        elif age.days == 0:
            pattern = _("%(time)s")
        elif relative and age.days == 1 and local.date() == (now - offset).date() - _DAY:
            pattern = _("yesterday") if shorter else _("yesterday at %(time)s")
        elif age.days < 5:
            pattern = _("%(weekday)s") if shorter else _("%(weekday)s at %(time)s")
        elif age.days < 334:  # eleven months: the same month of last year would be ambiguous
            pattern = (
                _("%(month_name)s %(day)s") if shorter else _("%(month_name)s %(day)s at %(time)s")
            )
        else:
            pattern = None
        if pattern is None:
            if shorter:
                pattern = _("%(month_name)s %(day)s, %(year)s")
            else:
                pattern = _("%(month_name)s %(day)s, %(year)s at %(time)s")
        return pattern % {
            "month_name": self._months[local.month - 1],
            "weekday": self._weekdays[local.weekday()],
            "day": str(local.day),
            "year": str(local.year),
            "time": self._time(local),
        }

    def _ago(self, seconds: int) -> str:
        if seconds < 50:
            return self.translate("1 second ago", "%(seconds)d seconds ago", seconds) % {
                "seconds": seconds
            }
        if seconds < 50 * 60:
            minutes = round(seconds / 60)
            return self.translate("1 minute ago", "%(minutes)d minutes ago", minutes) % {
                "minutes": minutes
            }
        hours = round(seconds / 3600)
        return self.translate("1 hour ago", "%(hours)d hours ago", hours) % {"hours": hours}

    def _time(self, local: datetime.datetime) -> str:
        twelve = local.hour % 12 or 12
        afternoon = local.hour >= 12
        if self.code in ("en", "en_US"):
            return f"{twelve}:{local.minute:02} {'pm' if afternoon else 'am'}"
        if self.code == "zh_CN":
            return f"{'下午' if afternoon else '上午'}{twelve}:{local.minute:02}"
        return f"{local.hour}:{local.minute:02}"

    def format_day(self, date: datetime.datetime, gmt_offset: int = 0, dow: bool = True) -> str:
        """Return a day without its year: ``Monday, January 22``.

        Args:
            date: A time in UTC.
            gmt_offset: Minutes that the user's clock is behind UTC.
            dow: With the day of the week.
        """
        local = date - datetime.timedelta(minutes=gmt_offset)
        _ = self.translate
        pattern = _("%(weekday)s, %(month_name)s %(day)s") if dow else _("%(month_name)s %(day)s")
        return pattern % {
            "month_name": self._months[local.month - 1],
            "weekday": self._weekdays[local.weekday()],
            "day": str(local.day),
        }

    def list(self, parts: Iterable[str]) -> str:
        """Return parts in a row: ``A, B and C``, ``A and B``, ``A`` or nothing.

        >>> get("en_US").list(["A", "B", "C"])
        'A, B and C'
        """
        *first, last = [*parts] or [""]
        if not first:
            return last
        comma = " \u0648 " if self.code.startswith("fa") else ", "
        return self.translate("%(commas)s and %(last)s") % {
            "commas": comma.join(first),
            "last": last,
        }

    def friendly_number(self, value: int) -> str:
        """Return a number with commas between its thousands, if the language is English.

        >>> get("en_US").friendly_number(1234567)
        '1,234,567'
        """
        return f"{value:,}" if self.code in ("en", "en_US") else str(value)


_DAY = datetime.timedelta(days=1)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def _need(count: int | None) -> int:
    if count is None:
        raise TypeError("a message with a plural needs a count")
    return count


class CSVLocale(Locale):
    """A locale whose translations come from a CSV file, or that has none.

    Args:
        code: Language and region.
        translations: Plural form -> message -> translation.
    """

    def __init__(self, code: str, translations: Translations) -> None:
        self.translations = translations
        self._told = False
        super().__init__(code)

    def translate(
        self, message: str, plural_message: str | None = None, count: int | None = None
    ) -> str:
        """Return the translation of a message; see `Locale.translate`."""
        form = "unknown"
        if plural_message is not None:
            form = "singular"
            if _need(count) != 1:
                message, form = plural_message, "plural"
        return self.translations.get(form, {}).get(message, message)

    def pgettext(
        self,
        context: str,
        message: str,
        plural_message: str | None = None,
        count: int | None = None,
    ) -> str:
        """Return the translation of a message, whatever its context: CSV files have none."""
        if self.translations and not self._told:
            self._told = True
            gen_log.warning(
                "pgettext without its context: CSV translations of %s have none", self.code
            )
        return self.translate(message, plural_message, count)


class GettextLocale(Locale):
    """A locale whose translations come from a gettext catalogue.

    Args:
        code: Language and region.
        translations: The catalogue.
    """

    def __init__(self, code: str, translations: gettext.NullTranslations) -> None:
        self.ngettext = translations.ngettext
        self.gettext = translations.gettext
        super().__init__(code)

    def translate(
        self, message: str, plural_message: str | None = None, count: int | None = None
    ) -> str:
        """Return the translation of a message; see `Locale.translate`."""
        if plural_message is not None:
            return self.ngettext(message, plural_message, _need(count))
        return self.gettext(message)

    def pgettext(
        self,
        context: str,
        message: str,
        plural_message: str | None = None,
        count: int | None = None,
    ) -> str:
        """Return the translation in a context, or else of the message by itself."""
        prefix = context + CONTEXT_SEPARATOR
        if plural_message is not None:
            found = self.ngettext(prefix + message, prefix + plural_message, _need(count))
            if CONTEXT_SEPARATOR in found:
                found = self.ngettext(message, plural_message, _need(count))
            return found
        found = self.gettext(prefix + message)
        return message if CONTEXT_SEPARATOR in found else found
