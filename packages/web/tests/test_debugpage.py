"""The page for whoever is debugging: its formats, its frames, and that it escapes everything."""

import json
from typing import Any

import pytest

from zonda.web import Application, HTTPError, RequestHandler
from zonda.web.debugpage import MAX_FRAMES, choose_format, debug_page, problems
from zonda.web.template import DictLoader

EVIL = "<script>alert('&')</script>"
LOADER = DictLoader(
    {
        "page.html": "first\n<b>{{ name }}</b>\n{% include 'part.html' %}\nlast\n",
        "part.html": "one\n{{ 1 // zero }}\n<three>\n",
    }
)


class Broken(RequestHandler):
    def get(self) -> None:
        kind = self.get_argument("kind")
        if kind == "template":
            self.render("page.html", name="n", zero=0)
        elif kind == "chain":
            try:
                dict[str, str]()["key"]
            except KeyError as error:
                raise ValueError(EVIL) from error
        elif kind == "http":
            raise HTTPError(409, "with a reason")
        elif kind == "deep":
            self.get()
        raise ValueError(EVIL)


async def page(ask: Any, expect_log: Any, kind: str, accept: str, **settings: Any) -> Any:
    application = Application(
        [("/", Broken)], template_loader=LOADER, **{"serve_traceback": True, **settings}
    )
    logger = "zonda.general" if kind == "http" else "zonda.application"
    with expect_log(logger), expect_log("zonda.access"):
        return await ask(application, "GET", f"/?kind={kind}", f"Accept: {accept}")


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (BROWSER, "text/html"),
        ("*/*", "text/plain"),
        (None, "text/plain"),
        ("text/plain", "text/plain"),
        ("application/json", "application/json"),
        ("application/json, text/plain, */*;q=0.1", "text/plain"),
        ("image/png", "text/plain"),
    ],
)
def test_format(accept: str | None, media_type: str) -> None:
    assert choose_format(accept) == media_type


async def test_html(ask: Any, expect_log: Any) -> None:
    response = await page(ask, expect_log, "chain", BROWSER)
    assert response.status == 500
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    text = response.body.decode()
    assert "<script" not in text
    assert "&lt;script&gt;alert(&#x27;&amp;&#x27;)&lt;/script&gt;" in text
    assert text.index("<h1>KeyError") < text.index("direct cause") < text.index("<h1>ValueError")
    assert f"{__file__}:" in text
    assert "raise ValueError(EVIL) from error</b>" in text
    assert " open" in text


async def test_json(ask: Any, expect_log: Any) -> None:
    response = await page(ask, expect_log, "chain", "application/json")
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    told = json.loads(response.body)
    assert (told["status"], told["reason"]) == (500, "Internal Server Error")
    assert (told["error"]["kind"], told["error"]["message"]) == ("ValueError", EVIL)
    assert told["before"][0]["kind"] == "KeyError"
    frame = told["error"]["frames"][-1]
    assert (frame["file"], frame["function"]) == (__file__, "get")
    current = [line for line in frame["source"] if line["current"]]
    assert [line["text"].strip() for line in current] == ["raise ValueError(EVIL) from error"]
    assert current[0]["number"] == frame["line"]


async def test_text(ask: Any, expect_log: Any) -> None:
    response = await page(ask, expect_log, "plain", "*/*")
    assert response.body.startswith(b"Traceback (most recent call last):\n")
    assert response.body.endswith(f"ValueError: {EVIL}\n".encode())


async def test_the_line_of_a_template(ask: Any, expect_log: Any) -> None:
    response = await page(ask, expect_log, "template", "application/json")
    frame = json.loads(response.body)["error"]["frames"][-1]
    assert (frame["file"], frame["line"], frame["template"]) == ("part.html", 2, True)
    assert [line["text"] for line in frame["source"]] == ["one", "{{ 1 // zero }}", "<three>"]
    response = await page(ask, expect_log, "template", "text/html")
    assert b"<summary>part.html:2 <code>template</code></summary>" in response.body
    assert b"<b>    2 {{ 1 // zero }}</b>    3 &lt;three&gt;\n" in response.body


async def test_http_errors(ask: Any, expect_log: Any) -> None:
    response = await page(ask, expect_log, "http", "text/html")
    assert response.status == 409
    assert b"with a reason" in response.body


@pytest.mark.parametrize("accept", [BROWSER, "application/json", "*/*"])
async def test_endless_recursion(ask: Any, expect_log: Any, accept: str) -> None:
    response = await page(ask, expect_log, "deep", accept)
    assert len(response.body) < 200_000
    assert b"RecursionError" in response.body


@pytest.mark.parametrize("accept", [BROWSER, "application/json", "*/*"])
async def test_never_in_production(ask: Any, expect_log: Any, accept: str) -> None:
    response = await page(ask, expect_log, "plain", accept, serve_traceback=False)
    assert response.body == (
        b"<html><title>500: Internal Server Error</title>"
        b"<body>500: Internal Server Error</body></html>"
    )


def caught(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as raised:
        return raised


def test_strange_exceptions() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no")

    class Odd(Exception):
        __qualname__ = EVIL

    circle = caught(ValueError("a"))
    circle.__cause__ = circle
    for error in (caught(Mute()), caught(Odd(EVIL)), circle, ValueError("never raised")):
        assert EVIL not in debug_page("text/html", 500, EVIL, error)
        json.loads(debug_page("application/json", 500, EVIL, error))


def test_frames_are_bounded() -> None:
    def down(depth: int) -> None:
        if depth:
            down(depth - 1)
        raise ValueError

    with pytest.raises(ValueError) as caught:
        down(300)
    assert len(problems(caught.value)[0].frames) == MAX_FRAMES


def test_suppressed_context_is_not_told() -> None:
    def fail() -> None:
        try:
            raise KeyError("hidden")
        except KeyError:
            raise ValueError("shown") from None

    with pytest.raises(ValueError) as caught:
        fail()
    assert [problem.kind for problem in problems(caught.value)] == ["ValueError"]
