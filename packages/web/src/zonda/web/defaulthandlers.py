"""Handlers that come with the framework."""

from zonda.web.errors import HTTPError
from zonda.web.handler import RequestHandler


class ErrorHandler(RequestHandler):
    """Answers every request with an error status; 404 for what no rule matches."""

    def initialize(self, status_code: int) -> None:
        """Take the status."""
        self.set_status(status_code)

    def prepare(self) -> None:
        """Raise it."""
        raise HTTPError(self._status_code)
