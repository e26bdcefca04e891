"""The examples do what they say: each runs as it is, on a free port, and answers over a socket."""

import concurrent.futures
import contextlib
import gzip
import hashlib
import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
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

    def __init__(
        self, name: str, folder: Path, *python: str, arguments: tuple[str, ...] = ()
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        # The port is a part of the program, as it is in the programs that these stand for.
        text = (EXAMPLES / name).read_text(encoding="utf-8")
        assert text.count(f"listen({PORT}") == 1
        program = folder / name
        if program.parent != folder:
            shutil.copytree((EXAMPLES / name).parent, program.parent)
        program.write_text(text.replace(f"listen({PORT}", f"listen({self.port}"), "utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", *python, str(program), *arguments],
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
def running(
    name: str, folder: Path, *python: str, arguments: tuple[str, ...] = ()
) -> Iterator[Example]:
    example = Example(name, folder, *python, arguments=arguments)
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


def check_catalogue(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    with contextlib.closing(connection):
        for path, field, status, text in (
            ("/", "", 200, '<li><a href="/things/teapot">teapot</a></li>'),
            ("/things/teapot", "", 200, "<p>Short &amp; stout</p>"),
            ("/things/teapot", '"2"', 200, '<a href="/">all</a>'),
            ("/things/teapot", 'W/"3"', 304, ""),
            ("/things/spoon", "", 404, "404: Not Found"),
        ):
            connection.request("GET", path, headers={"If-None-Match": field} if field else {})
            response = connection.getresponse()
            assert response.status == status
            assert text in response.read().decode()
            if path == "/things/teapot":
                assert response.headers["Etag"] == '"3"'


def test_catalogue(tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    with running("catalogue.py", tmp_path) as catalogue:
        check_catalogue(catalogue.port)


def test_catalogue_under_uvicorn() -> None:
    pytest.importorskip("jinja2")
    pytest.importorskip("uvicorn")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLES), "--port", str(port)]
    with subprocess.Popen(
        [*command, "catalogue:app"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                except OSError:
                    time.sleep(0.02)
                else:
                    break
            check_catalogue(port)
        finally:
            process.terminate()


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


class Browser:
    """Keeps cookies and knows the XSRF token of the last page."""

    def __init__(self, example: Example) -> None:
        self.example = example
        self.cookies: dict[str, str] = {}
        self.token = ""

    def open(self, path: str, **form: str) -> tuple[int, str, str]:
        """Status, Location and page; a POST if there is a form."""
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items())}
        body = None
        if form:
            body = urllib.parse.urlencode({"_xsrf": self.token, **form})
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        with self.example.request("POST" if form else "GET", path, body, headers) as response:
            for cookie in response.headers.get_all("Set-Cookie", []):
                name, _, value = cookie.partition(";")[0].partition("=")
                self.cookies[name] = value
            page = response.read().decode()
            if token := re.search('name="_xsrf" value="([^"]+)"', page):
                self.token = token[1]
            return response.status, response.headers.get("Location", ""), page


def test_blog(tmp_path: Path) -> None:
    database = str(tmp_path / "blog.db")
    with running("blog/blog.py", tmp_path, arguments=(database,)) as blog:
        author, reader = Browser(blog), Browser(blog)
        assert "Nothing has been written yet" in author.open("/")[2]
        assert author.open("/write")[:2] == (302, "/login?next=%2Fwrite")
        assert "no author yet" in author.open("/login")[2]
        assert author.open("/login", name="Ada", password="tea")[:2] == (302, "/")
        reader.open("/login")
        status, _, page = reader.open("/login", name="Eve", password="x")
        assert status == 403
        assert "not the name and password" in page
        author.open("/write")
        entry = {"title": "Crème & tea", "text": "One <b>\n\nTwo"}
        assert author.open("/write", **entry)[:2] == (302, "/entry/creme-tea")
        assert author.open("/write", **entry)[:2] == (302, "/entry/creme-tea-2")
        page = reader.open("/entry/creme-tea")[2]
        assert "<h1>Crème &amp; tea</h1>" in page
        assert re.search(r"<p>One &lt;b&gt;</p>\s*<p>Two</p>", page)
        assert "Change" not in page
        assert 'value="Crème &amp; tea"' in author.open("/write?entry=creme-tea")[2]
        change = {"slug": "creme-tea", "title": "Tea", "text": "No more"}
        assert author.open("/write", **change)[:2] == (302, "/entry/creme-tea")
        assert "No more" in reader.open("/")[2]
        assert reader.open("/entry/nothing")[0] == 404
        sheet = re.search(r'href="(/static/blog.css\?v=\w+)"', page)
        assert sheet is not None
        with blog.request("GET", sheet[1]) as response:
            assert response.headers["Content-Type"] == "text/css"
            assert "max-age" in response.headers["Cache-Control"]
        assert author.open("/logout", out="1")[:2] == (302, "/")
        reader.token = ""
        assert reader.open("/write", title="x", text="y")[0] == 403


def test_progress(tmp_path: Path) -> None:
    with running("progress.py", tmp_path) as progress:
        assert "<progress" in progress.ask("GET", "/")[1]
        number = json.loads(progress.ask("POST", "/uploads")[1])["id"]
        with progress.request("GET", f"/uploads/{number}/progress") as events:
            states = (json.loads(line[6:]) for line in events if line.startswith(b"data: "))
            assert next(states) == {"received": 0, "size": 0, "done": False}
            with progress.request("PUT", f"/uploads/{number}", "x" * 300_000) as response:
                assert json.loads(response.read()) == {"received": 300_000}
            told = list(states)
        assert told[-1] == {"received": 300_000, "size": 300_000, "done": True}
        received = [state["received"] for state in told]
        assert received == sorted(received)
        assert progress.ask("GET", "/uploads/99/progress")[0] == 404


def test_proxy(tmp_path: Path) -> None:
    with running("greetings.py", tmp_path) as origin:
        url = f"http://127.0.0.1:{origin.port}"
        with running("proxy.py", tmp_path, arguments=(url,)) as proxy:
            assert proxy.ask("GET", "/greet/Ada?times=2") == (200, "Hello, Ada\nHello, Ada\n")
            assert proxy.ask("POST", "/greet", "name=Ada") == (200, "Hello, Ada\n")
            assert proxy.ask("GET", "/elsewhere")[0] == 404
            with proxy.request("HEAD", "/greet/Ada") as response:
                assert response.status == 405
            origin.stop()
            assert proxy.ask("GET", "/greet/Ada")[0] == 502


def test_mixed(tmp_path: Path) -> None:
    pytest.importorskip("fastapi")
    with running("mixed.py", tmp_path) as mixed:
        assert mixed.ask("GET", "/") == (200, "Hello from a handler")
        assert mixed.ask("GET", "/api/items/7") == (200, '{"number":7}')
        assert mixed.ask("GET", "/api/items/x")[0] == 422


def test_echo(tmp_path: Path) -> None:
    with running("echo.py", tmp_path) as echo:
        with socket.create_connection(("127.0.0.1", echo.port), timeout=PATIENCE) as client:
            client.sendall(b"one\ntwo\nthr")
            with client.makefile("rb") as lines:
                assert [lines.readline(), lines.readline()] == [b"one\n", b"two\n"]
                client.sendall(b"ee\n")
                assert lines.readline() == b"three\n"


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="ports cannot be shared here")
def test_processes(tmp_path: Path) -> None:
    supervisor = ("-m", "zonda.ioloop.supervisor", "-n", "2")
    with running("processes.py", tmp_path, *supervisor) as processes:

        def serving() -> set[int]:
            found = set()
            for _ in range(20):
                try:
                    answer = processes.ask("GET", "/")[1]
                except ConnectionResetError:
                    # Linux resets a connection that it makes for a listener in the moment in which
                    # that is closed. Nothing was answered: clients and proxies ask again.
                    answer = processes.ask("GET", "/")[1]
                found.add(json.loads(answer)["process"])
            return found

        deadline = time.monotonic() + PATIENCE
        while len(before := serving()) < 2:
            assert time.monotonic() < deadline
        with concurrent.futures.ThreadPoolExecutor() as pool:
            slow = pool.submit(processes.ask, "GET", "/?seconds=1")
            processes.process.send_signal(signal.SIGHUP)
            while before & serving():  # every answer is a good one all the time
                assert time.monotonic() < deadline
            assert slow.result()[0] == 200


def test_every_example_is_run_by_a_test() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    # The chat has a file of its own: tests/test_chat.py.
    for file in (*EXAMPLES.glob("*.py"), EXAMPLES / "blog" / "blog.py"):
        assert f'"{file.relative_to(EXAMPLES)}"' in here
