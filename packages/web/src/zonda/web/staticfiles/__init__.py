"""Files of a folder over HTTP: `StaticFileHandler`, with ranges, versions and compressed variants.

Each noun has a module: `paths` (what may be served), `openfile` (a file), `ranges`, `conditions`,
`versions` and `hashing` (what they are, and when they are computed), `variants` (``.br``, ``.zst``,
``.gz`` beside a file), `sending` (from the file to the connection). `handler` is what applications
use and override.
"""

from zonda.web.staticfiles.handler import StaticFileHandler

__all__ = ["StaticFileHandler"]
