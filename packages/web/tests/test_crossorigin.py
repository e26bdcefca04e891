"""``cross_origin_protection``: every combination of fields, as a function and over the wire."""

from typing import Any

import pytest

from zonda.httputil import HTTPHeaders
from zonda.web import Application, ErrorHandler, RequestHandler
from zonda.web.crossorigin import is_same_host, why_refused

GOOD = "https://good.example"

# What Tornado 6.6.1 answers to each (passes or 403).
ROWS: list[tuple[str | None, str | None, bool]] = [
    (None, None, True),  # no browser
    (None, "https://evil.example", False),
    (None, "https://a.example", True),
    (None, "http://A.example", True),  # the scheme does not count, nor does the case
    (None, "https://a.example:444", False),
    (None, GOOD, True),
    (None, "https://GOOD.example", False),
    (None, GOOD + ":444", False),
    (None, "null", False),
    (None, "", False),
    (None, "https://", False),
    (None, "a.example", False),
    (None, "https://[", False),
    ("same-origin", None, True),
    ("same-origin", "https://evil.example", True),
    ("none", None, True),
    ("same-site", None, False),
    ("cross-site", None, False),
    ("cross-site", "https://a.example", False),
    ("cross-site", GOOD, True),
    ("", None, False),
    ("", "https://evil.example", False),
    ("SAME-ORIGIN", None, False),
]


def headers_of(site: str | None, origin: str | None) -> dict[str, str]:
    given = {"Sec-Fetch-Site": site, "Origin": origin}
    return {name: value for name, value in given.items() if value is not None}


@pytest.mark.parametrize(("site", "origin", "passes"), ROWS)
def test_rows(site: str | None, origin: str | None, passes: bool) -> None:
    reason = why_refused(HTTPHeaders(headers_of(site, origin)), "a.example", GOOD.__eq__)
    assert (reason is None) is passes


class Anything(RequestHandler):
    def prepare(self) -> None:
        self.write("prepared")

    def get(self) -> None:
        pass

    head = options = post = put = patch = delete = get


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(("site", "origin", "passes"), ROWS)
async def test_over_the_wire(
    ask: Any, expect_log: Any, method: str, site: str | None, origin: str | None, passes: bool
) -> None:
    application = Application(
        [("/", Anything)], cross_origin_protection=True, trusted_origins=[GOOD]
    )
    fields = [f"{name}: {value}" for name, value in headers_of(site, origin).items()]
    if passes:
        assert (await ask(application, method, "/", *fields)).body == b"prepared"
        return
    with expect_log("zonda.general", "403"), expect_log("zonda.access"):
        response = await ask(application, method, "/", *fields)
    assert response.status == 403
    assert b"prepared" not in response.body


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_never_checked(ask: Any, method: str) -> None:
    application = Application([("/", Anything)], cross_origin_protection=True)
    assert (await ask(application, method, "/", "Sec-Fetch-Site: cross-site")).status == 200


async def test_off_unless_asked_for(ask: Any) -> None:
    application = Application([("/", Anything)])
    assert (await ask(application, "POST", "/", "Sec-Fetch-Site: cross-site")).status == 200


async def test_hook(ask: Any) -> None:
    class Open(Anything):
        def check_trusted_origin(self, origin: str) -> bool:
            return origin.endswith(".a.example")

    application = Application([("/", Open)], cross_origin_protection=True)
    response = await ask(
        application, "POST", "/", "Sec-Fetch-Site: same-site", "Origin: https://b.a.example"
    )
    assert response.status == 200


async def test_errors_are_for_everybody(ask: Any, expect_log: Any) -> None:
    application = Application(
        [("/", ErrorHandler, {"status_code": 410})], cross_origin_protection=True
    )
    with expect_log("zonda.access", "410"):
        response = await ask(
            application, "POST", "/", "Sec-Fetch-Site: cross-site", "Origin: https://b.example"
        )
    assert response.status == 410


def test_same_host() -> None:
    assert is_same_host("https://a.example:8000", "A.example:8000")
    assert not is_same_host("https://a.example:8000", "a.example")
    assert not is_same_host("https://a.example@b.example", "a.example")
