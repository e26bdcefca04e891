"""The plain page that goes with an error status."""

import re
from http.client import responses
from typing import Final

from zonda.httputil.escape import xhtml_escape

# "<" is nothing that a page made of the phrase should ever hold, however it is made.
_SAFE: Final = re.compile(r"[\t\x20-;=-\x7e\x80-\xff]*")


def error_page(status: int, reason: str) -> str:
    """Return an HTML page that names the status.

    Args:
        status: The status code.
        reason: Its phrase; may have come from anywhere and is escaped.
    """
    text = xhtml_escape(f"{status}: {reason}")
    return f"<html><title>{text}</title><body>{text}</body></html>"


def reason_phrase(status: int) -> str:
    """Return the usual reason phrase of a status, ``Unknown`` for one that has none."""
    return responses.get(status, "Unknown")


def safe_reason(reason: str) -> str:
    """Return a reason phrase, ``Unknown`` for one with characters that may not be sent."""
    return reason if _SAFE.fullmatch(reason) else "Unknown"
