"""The examples do what they say: each runs as it is, on a free port, and answers over a socket."""

import concurrent.futures
import contextlib
import gzip
import hashlib
import http.client
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
PORT = "8888"  # what every example listens on
PATIENCE = 30.0

Answer = tuple[int, str]
Ask = Callable[..., Answer]


class Example:
    """One running example."""

    def __init__(self, name: str, folder: Path, *python: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        # The port is a part of the program, as it is in the programs that these stand for.
        text = (EXAMPLES / name).read_text(encoding="utf-8")
        assert text.count(f"listen({PORT})") == 1
        program = folder / name
        program.write_text(text.replace(f"listen({PORT})", f"listen({self.port})"), "utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", *python, str(program)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        pytest.fail(f"nothing listens on port {self.port}: {self.stop()}")

    def ask(self, method: str, path: str, body: str | None = None, form: bool = True) -> Answer:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form and body else {}
        with self.request(method, path, body, headers) as response:
            return response.status, response.read().decode()

    @contextlib.contextmanager
    def request(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            yield connection.getresponse()

    def stop(self) -> str:
        self.process.terminate()
        return self.process.communicate(timeout=PATIENCE)[0]


@contextlib.contextmanager
def running(name: str, folder: Path, *python: str) -> Iterator[Example]:
    example = Example(name, folder, *python)
    said = ""
    try:
        example.wait()
        yield example
    finally:
        said = example.stop()
    assert "Traceback" not in said
    assert "Warning" not in said


@pytest.fixture
def ask(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ask]:
    """Starts the example that the test's parameter names; ``ask("GET", "/")`` -> status, body."""
    with running(request.param[0], tmp_path, *request.param[1:]) as example:
        yield example.ask


def example(name: str, *python: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("ask", [(name, *python)], indirect=True, ids=[name])


def test_the_demo_is_the_program_letter_for_letter() -> None:
    text = (EXAMPLES / "hello_tornado.py").read_bytes()
    assert hashlib.sha256(text).hexdigest() == (
        "e1575cbd733150887b37303edfa8adaf4ffc8f160456b88da50208af49437696"
    )


@pytest.mark.parametrize(
    "ask",
    [("hello_tornado.py", "-m", "zonda.tornado"), ("hello.py",)],
    indirect=True,
    ids=["tornado", "zonda"],
)
def test_hello(ask: Ask) -> None:
    assert ask("GET", "/") == (200, "Hello, world")
    assert ask("HEAD", "/") == (405, "")
    assert ask("GET", "/elsewhere")[0] == 404


@example("greetings.py")
def test_greetings(ask: Ask) -> None:
    assert ask("GET", "/greet/Ada?times=2") == (200, "Hello, Ada\nHello, Ada\n")
    assert ask("GET", "/greet/J%C3%BCrgen") == (200, "Hello, Jürgen\n")
    assert ask("GET", "/greet/Ada?times=many")[0] == 400
    assert ask("POST", "/greet", "name=Ada&name=Grace") == (200, "Hello, Ada and Grace\n")
    assert ask("POST", "/greet", "nobody=1")[0] == 400


@example("notes.py")
def test_notes(ask: Ask) -> None:
    def api(method: str, path: str, body: str | None = None) -> tuple[int, object]:
        status, text = ask(method, path, body, form=False)
        return status, json.loads(text) if text else None

    assert api("GET", "/notes") == (200, {"notes": []})
    milk = {"id": 1, "text": "buy milk"}
    assert api("POST", "/notes", '{"text": "buy milk"}') == (201, milk)
    assert api("GET", "/notes") == (200, {"notes": [milk]})
    assert api("GET", "/notes/1") == (200, milk)
    assert api("GET", "/notes/2") == (404, {"error": "No such note"})
    for wrong in ("no JSON", "[]", "{}", '"text"'):
        expected = {"error": "Expected a JSON object with a text"}
        assert api("POST", "/notes", wrong) == (400, expected)
    assert api("DELETE", "/notes/1") == (204, None)
    assert api("DELETE", "/notes/1") == (404, {"error": "No such note"})
    assert api("PUT", "/notes/1", "{}") == (405, {"error": "Method Not Allowed"})


@example("news.py")
def test_news(ask: Ask) -> None:
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = [pool.submit(ask, "GET", "/news?after=0") for _ in range(5)]
        assert ask("POST", "/news", "text=It+rains") == (204, "")
        for answer in waiting:
            assert answer.result(PATIENCE) == (200, '{"news": ["It rains"]}')
        more = pool.submit(ask, "GET", "/news?after=1")
        ask("POST", "/news", "text=It+stopped")
        assert more.result(PATIENCE) == (200, '{"news": ["It stopped"]}')
    assert ask("GET", "/news") == (200, '{"news": ["It rains", "It stopped"]}')


def test_languages(tmp_path: Path) -> None:
    def read(language: str, letters: int) -> str:
        headers = {"Accept-Language": language}
        with languages.request("GET", f"/?letters={letters}&name=<A>", headers=headers) as page:
            return page.read().decode()

    with running("languages.py", tmp_path) as languages:
        french = read("fr-CA,en;q=0.5", 3)
        assert '<html lang="fr"><p>Bonjour, &lt;A&gt;.</p>' in french
        assert "Vous avez 3 lettres\n28 avril 2013" in french
        assert "Vous avez une lettre" in read("de, fr;q=0.1", 1)
        assert "You have 3 letters\nApril 28, 2013" in read("de", 3)


def test_files(tmp_path: Path) -> None:
    def read(path: str, **headers: str) -> tuple[int, str | None, bytes]:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        with files.request("GET", path, headers=fields) as answer:
            return answer.status, answer.getheader("Content-Encoding"), answer.read()

    with running("files.py", tmp_path) as files:
        page = read("/")[2].decode()
        url = re.search(r'href="(/static/site\.css\?v=[0-9a-f]{128})"', page)
        assert url is not None
        status, coding, style = read(url[1], Accept_Encoding="gzip")
        assert (status, coding) == (200, "gzip")
        assert gzip.decompress(style) == read(url[1])[2] == b"body { font: 1.2em serif }\n" * 50
        assert read("/static/site.css", Range="bytes=0-3") == (206, None, b"body")
        assert read("/reports/primes.txt", Range="bytes=-5") == (206, None, b"1999\n")
        assert read("/reports/other")[0] == 404


def test_signin(tmp_path: Path) -> None:
    """As far as it goes without a provider: tests/test_signing_in.py has one."""
    with running("signin.py", tmp_path) as signin:
        with signin.request("GET", "/") as response:
            assert response.status == 302
            assert response.headers["Location"] == "/login?next=%2F"


def test_accounts(tmp_path: Path) -> None:
    with running("accounts.py", tmp_path) as accounts:
        with accounts.request("GET", "/") as response:
            assert (response.status, response.headers["Location"]) == (302, "/login?next=%2F")
        with accounts.request("GET", "/login") as response:
            match = re.search('name="_xsrf" value="([^"]+)"', response.read().decode())
            assert match is not None
            cookie = response.headers["Set-Cookie"].partition(";")[0]

        def post(path: str, body: str, cookie: str) -> tuple[int, str, str]:
            headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
            with accounts.request("POST", path, body, headers) as response:
                got = response.headers
                return response.status, got.get("Location", ""), got.get("Set-Cookie", "")

        form = f"_xsrf={match[1]}&name=%3CAda%3E&password="
        assert post("/login", form + "coffee", cookie)[0] == 403
        assert post("/login", "name=Ada&password=tea", cookie)[0] == 403
        status, location, signed = post("/login", form + "tea", cookie)
        assert (status, location) == (302, "/")
        cookie += "; " + signed.partition(";")[0]
        with accounts.request("GET", "/", headers={"Cookie": cookie}) as response:
            page = response.read().decode()
        assert "<h1>Good day, &lt;Ada&gt;</h1>" in page
        assert "h1 { font-weight: normal }" in page
        assert post("/logout", f"_xsrf={match[1]}", cookie)[:2] == (302, "/login")


def test_stock(tmp_path: Path) -> None:
    with running("stock.py", tmp_path) as stock:
        assert stock.ask("GET", "/stock/tea")[0] == 404
        assert stock.ask("PUT", "/stock/tea?count=3") == (204, "")
        with stock.request("GET", "/stock/tea", headers={"Origin": "https://shop.example"}) as got:
            assert json.loads(got.read()) == {"name": "tea", "count": 3, "unit": "boxes"}
            assert got.headers["Access-Control-Allow-Origin"] == "https://shop.example"
            assert got.headers["Server-Timing"].startswith("app;dur=")


def test_ticker(tmp_path: Path) -> None:
    with running("ticker.py", tmp_path) as ticker:
        with ticker.request("GET", "/ticks", headers={"Last-Event-ID": "5"}) as response:
            assert response.headers["Content-Type"].startswith("text/event-stream")
            lines = [response.readline() for _ in range(8)]
        assert b"".join(lines) == (
            b'retry: 1000\n\nid: 6\ndata: {"tick": 6}\n\nid: 7\ndata: {"tick": 7}\n\n'
        )


def test_uploads(tmp_path: Path) -> None:
    content = "0123456789" * 100_000
    body = (
        '--x\r\nContent-Disposition: form-data; name="comment"\r\n\r\nmine\r\n'
        '--x\r\nContent-Disposition: form-data; name="f"; filename="d.txt"\r\n\r\n'
        f"{content}\r\n--x--\r\n"
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    with running("uploads.py", tmp_path) as uploads:
        with uploads.request("POST", "/digests", body, headers) as response:
            told = json.loads(response.read())
    digest = hashlib.sha256(content.encode()).hexdigest()
    assert told == {"comment": "mine", "digests": {"d.txt": digest}}


def test_every_example_is_run_by_a_test() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    for file in EXAMPLES.glob("*.py"):
        assert f'"{file.name}"' in here
