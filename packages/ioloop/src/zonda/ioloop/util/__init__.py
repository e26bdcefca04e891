"""Small tools the rest of the framework, and applications written for it, stand on.

Nothing here touches the loop or does I/O. Each tool raises built-in exceptions only.
"""

from zonda.ioloop.util.argreplacer import ArgReplacer
from zonda.ioloop.util.configurable import Configurable
from zonda.ioloop.util.exceptions import TimeoutError, errno_from_exception, raise_exc_info
from zonda.ioloop.util.gzip import GzipDecompressor
from zonda.ioloop.util.importing import exec_in, import_object, is_finalizing
from zonda.ioloop.util.objectdict import ObjectDict
from zonda.ioloop.util.text import basestring_type, bytes_type, re_unescape, unicode_type
from zonda.ioloop.util.time import timedelta_to_seconds

__all__ = [
    "ArgReplacer",
    "Configurable",
    "GzipDecompressor",
    "ObjectDict",
    "TimeoutError",
    "basestring_type",
    "bytes_type",
    "errno_from_exception",
    "exec_in",
    "import_object",
    "is_finalizing",
    "raise_exc_info",
    "re_unescape",
    "timedelta_to_seconds",
    "unicode_type",
]
