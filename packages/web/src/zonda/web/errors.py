"""The exceptions of the web layer.

Exception
├── HTTPError              ends a request with a status code
│   └── MissingArgumentError   400: a required argument is not there
└── Finish                 ends a request with what has been written so far
"""

from http.client import responses
from typing import Any


class HTTPError(Exception):
    """Ends a request with a status code; raise it anywhere in a handler.

    Args:
        status_code: The status, 500 by default.
        log_message: For the log only, never sent; ``%``-placeholders are filled from ``args``.
        *args: Values for ``log_message``.
        reason: The reason phrase in place of the status's usual one.

    >>> error = HTTPError(404, "no user %s", "ann")
    >>> error.status_code, str(error)
    (404, 'HTTP 404: Not Found (no user ann)')
    """

    def __init__(
        self,
        status_code: int = 500,
        log_message: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        super().__init__(status_code, log_message, *args)
        self.status_code = status_code
        self._log_message = log_message
        self.args = args
        self.reason: str | None = kwargs.get("reason")

    @property
    def log_message(self) -> str | None:
        """The message with its placeholders; without ``args`` any ``%`` is doubled."""
        if self._log_message and not self.args:
            return self._log_message.replace("%", "%%")
        return self._log_message

    def get_message(self) -> str:
        """Return the message with its placeholders filled, empty if there is none."""
        if self._log_message and self.args:
            return self._log_message % self.args
        return self._log_message or ""

    def __str__(self) -> str:
        reason = self.reason or responses.get(self.status_code, "Unknown")
        text = f"HTTP {self.status_code}: {reason}"
        message = self.get_message()
        return f"{text} ({message})" if message else text


class MissingArgumentError(HTTPError):
    """400: an argument without a default is missing.

    Attributes:
        arg_name: Its name.
    """

    def __init__(self, arg_name: str) -> None:
        # Formatted: programs show log_message, of which Tornado makes the whole sentence.
        super().__init__(400, f"Missing argument {arg_name}")
        self.arg_name = arg_name


class Finish(Exception):
    """Ends a request without an error: what has been written is sent.

    With an argument, that is passed to ``RequestHandler.finish``.
    """
