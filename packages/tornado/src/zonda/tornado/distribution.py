"""The distribution that ``importlib.metadata`` finds by the name ``tornado`` under the drop-in."""

import os
from importlib.metadata import Distribution
from typing import NoReturn

from zonda.tornado.names import VERSION

_METADATA = f"""\
Metadata-Version: 2.1
Name: tornado
Version: {VERSION}
Summary: Zonda's drop-in (zonda-tornado) answering for Tornado {VERSION}
"""


class TornadoDistribution(Distribution):
    """Name and version; no files, no requirements, no entry points.

    >>> TornadoDistribution().version
    '6.6.1'
    """

    def read_text(self, filename: str) -> str | None:
        """The text of one metadata file, None for a file it does not have."""
        return _METADATA if filename == "METADATA" else None

    def locate_file(self, path: str | os.PathLike[str]) -> NoReturn:
        """Always raises: there are no files.

        Raises:
            FileNotFoundError: Always.
        """
        raise FileNotFoundError(f"the drop-in has no file of Tornado: {os.fspath(path)}")
