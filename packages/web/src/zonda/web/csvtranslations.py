"""CSV files of translations in, dicts out.

A row is ``message, translation`` or ``message, translation, indicator`` where the indicator says
which form of a message with a plural it is: ``plural``, ``singular`` or, as without one,
``unknown``. Rows with fewer columns are skipped; a row with another indicator is logged and
skipped.
"""

import codecs
import csv
import os

from zonda.ioloop.log import gen_log

#: Indicator -> message -> translation.
Translations = dict[str, dict[str, str]]

_INDICATORS = ("plural", "singular", "unknown")


def detect_encoding(head: bytes) -> str:
    """Return the encoding that a file's first bytes tell: UTF-16 with a mark, else UTF-8.

    >>> detect_encoding(b"a,b"), detect_encoding(b"\\xff\\xfea")
    ('utf-8-sig', 'utf-16')
    """
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"  # with a mark or without


def read_translations(path: str, encoding: str | None = None) -> Translations:
    """Return what is in the file ``path``.

    Args:
        path: A CSV file.
        encoding: Its encoding; None to tell from a byte order mark.

    Raises:
        OSError: if it cannot be read.
        UnicodeDecodeError: if it is in another encoding.
    """
    if encoding is None:
        with open(path, "rb") as raw:
            encoding = detect_encoding(raw.read(2))
    translations: Translations = {}
    with open(path, encoding=encoding, newline="") as file:
        reader = csv.reader(file)
        for row in reader:
            if len(row) < 2:
                continue
            message, translation, *rest = (column.strip() for column in row)
            indicator = (rest[0] if rest else "") or "unknown"
            if indicator not in _INDICATORS:
                name = os.path.basename(path)
                gen_log.error(
                    "%s line %d: no such plural form: %r", name, reader.line_num, indicator
                )
                continue
            translations.setdefault(indicator, {})[message] = translation
    return translations
