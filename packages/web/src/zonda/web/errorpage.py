"""The plain page that goes with an error status."""

from http.client import responses

from zonda.httputil.escape import xhtml_escape


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
