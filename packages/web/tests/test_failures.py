"""Exceptions that escape a handler: a row for each kind, with its log and its answer."""

from typing import Any

import pytest

from zonda.httputil import HTTPInputError
from zonda.iostream import StreamClosedError
from zonda.web import Application, Finish, HTTPError, MissingArgumentError, RequestHandler

GENERAL, APPLICATION = "zonda.general", "zonda.application"


@pytest.mark.parametrize(
    ("error", "status", "logger", "line"),
    [
        (Finish(), 200, None, ""),
        (Finish(" and more"), 200, None, ""),
        (HTTPError(404), 404, None, ""),
        (HTTPError(404, "no %s", "ann"), 404, GENERAL, r"404 GET /a\?b \(127.0.0.1\): no ann$"),
        (HTTPError(409, "100%"), 409, GENERAL, "100%$"),
        (MissingArgumentError("q"), 400, GENERAL, "Missing argument q$"),
        # A line of the access log is enough.
        (HTTPInputError("too many fields", 413), 413, None, ""),
        (ZeroDivisionError("of a kind"), 500, APPLICATION, "Uncaught exception GET"),
        # The client is there: somebody else's stream.
        (StreamClosedError(), 500, APPLICATION, "Uncaught exception GET"),
        # What a client has sent takes one line, without control characters.
        (
            HTTPError(404, "no %s", "x\r\nERROR \x1b[31m"),
            404,
            GENERAL,
            r"no x\\r\\nERROR \\x1b\[31m$",
        ),
    ],
)
async def test_kinds(
    ask: Any, expect_log: Any, error: Exception, status: int, logger: str | None, line: str
) -> None:
    class Failing(RequestHandler):
        def get(self) -> None:
            self.write("written")
            raise error

    async def request() -> Any:
        return await ask(Application([("/a", Failing)]), "GET", "/a?b")

    if status == 200:
        response = await request()
        assert response.body == b"written" + "".join(error.args).encode()
        return
    with expect_log("zonda.access", f"{status} GET"):
        if logger is None:
            response = await request()
        else:
            with expect_log(logger, line):
                response = await request()
    assert response.status == status
    assert b"written" not in response.body
    assert b"ann" not in response.body


async def test_why_a_request_is_malformed_is_told_who_looks_for_it(
    ask: Any, expect_log: Any, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(RequestHandler):
        def get(self) -> None:
            raise HTTPInputError("too many\nfields", 413)

    with expect_log("zonda.access"), caplog.at_level("DEBUG", GENERAL):
        await ask(Application([("/", Failing)]), "GET", "/")
    [message] = [record.getMessage() for record in caplog.records if record.name == GENERAL]
    assert message == r"413 GET / (127.0.0.1): too many\nfields"


async def test_a_logger_that_fails(ask: Any, expect_log: Any) -> None:
    class Failing(RequestHandler):
        def get(self) -> None:
            raise HTTPError(404)

        def log_exception(self, *exc_info: object) -> None:
            raise ZeroDivisionError

    with expect_log(APPLICATION, "Error in exception logger"), expect_log("zonda.access"):
        assert (await ask(Application([("/", Failing)]), "GET", "/")).status == 404


async def test_behind_the_end_only_the_log_can_tell(ask: Any, expect_log: Any) -> None:
    class Failing(RequestHandler):
        def get(self) -> None:
            self.finish("sent")
            raise ZeroDivisionError

    with expect_log(APPLICATION, "Uncaught"):
        response = await ask(Application([("/", Failing)]), "GET", "/")
    assert (response.status, response.body) == (200, b"sent")
