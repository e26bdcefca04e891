"""What is asked of every server, and the answer that it must give.

One row per workload; a server that answers otherwise is not measured.
"""

import html
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.servers.winds import TITLE, USER, WINDS

#: A browser's twelve, besides Host.
BROWSER_HEADERS = {
    "Connection": "keep-alive",
    "sec-ch-ua": '"Chromium";v="142", "Google Chrome";v="142", "Not_A Brand";v="99"',
    "sec-ch-ua-mobile": "?0",
    "sec-ch-ua-platform": '"Linux"',
    "Upgrade-Insecure-Requests": "1",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Safari/537.36",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
    "image/apng,*/*;q=0.8",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-Mode": "navigate",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en-GB,en;q=0.9",
    "Cookie": "session=0f3a9c77d1e24b6c; theme=dark",
}


def order() -> bytes:
    """A JSON document of 1 KiB: the body that is posted."""
    items = [{"id": n, "name": f"article {n:03}", "price": 100 + n} for n in range(19)]
    document = {"items": items, "note": ""}
    document["note"] = "x" * (1024 - len(json.dumps(document)))
    return json.dumps(document).encode()


def static_file(size: int) -> bytes:
    """What the file of so many bytes holds that is served from the disk."""
    lines = (f"{number:07}".encode() + b"\n" for number in range(size // 8))
    return b"".join(lines)


#: Where the servers find the files, and their names.
STATIC_FOLDER = Path(__file__).parent / ".cache" / "static"
STATIC_FILES = {"1k.txt": static_file(1024), "100k.txt": static_file(100 * 1024)}


def write_static_files() -> None:
    """Put the files where the servers look for them."""
    STATIC_FOLDER.mkdir(parents=True, exist_ok=True)
    for name, content in STATIC_FILES.items():
        file = STATIC_FOLDER / name
        if not file.exists() or file.read_bytes() != content:
            file.write_bytes(content)


def page() -> str:
    """The page of `servers/templates/winds.html`, without the white space between its tags."""
    strong = ' class="strong"'
    rows = [
        f"<tr{strong if wind['speed'] > 60 else ''}><td>{wind['id']}</td>"
        f"<td>{html.escape(wind['name'])}</td><td>{wind['speed']}</td></tr>"
        for wind in WINDS
    ]
    title = html.escape(TITLE)
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<link rel="stylesheet" href="/static/site.css"></head><body>'
        '<nav><a href="/">Home</a><a href="/winds">Winds</a><a href="/about">About</a></nav>'
        f"<h1>{title}</h1><table>{''.join(rows)}</table>"
        f"<footer>Signed in as {html.escape(USER)}</footer></body></html>"
    )


@dataclass(frozen=True)
class Workload:
    """One kind of request.

    Attributes:
        title: What the table says.
        path: Request target.
        answer: The body expected; text is compared but for white space around tags, anything
            but text and bytes as a JSON value.
        method: Request method.
        headers: Request fields besides Host.
        body: Request body.
    """

    title: str
    path: str
    answer: object
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None

    def accepts(self, body: bytes) -> bool:
        """True if this is the answer expected."""
        if isinstance(self.answer, bytes):
            return body == self.answer
        if isinstance(self.answer, str):
            return re.sub(r"\s*([<>])\s*", r"\1", body.decode()) == self.answer
        try:
            return bool(json.loads(body) == self.answer)
        except ValueError:
            return False


WORKLOADS = {
    "hello": Workload("hello world", "/", b"Hello, world"),
    "browser": Workload(
        "hello world, a browser's 12 headers", "/", b"Hello, world", headers=BROWSER_HEADERS
    ),
    "json": Workload("JSON answer", "/json", {"message": "Hello, world", "n": [1, 2, 3]}),
    "arguments": Workload(
        "path and query arguments",
        "/users/42/posts/first-light?q=zonda%20wind&page=3",
        b"user=42 post=first-light q=zonda wind page=3",
    ),
    "post": Workload(
        "POST of 1 KiB JSON",
        "/orders",
        {"count": 19, "total": sum(range(100, 119))},
        method="POST",
        headers={"Content-Type": "application/json"},
        body=order(),
    ),
    "page": Workload("template page", "/page", page()),
    "async": Workload("async def handler", "/async", b"Hello, world"),
    "static_1k": Workload("static file of 1 KiB", "/static/1k.txt", STATIC_FILES["1k.txt"]),
    "static_100k": Workload("static file of 100 KiB", "/static/100k.txt", STATIC_FILES["100k.txt"]),
    "suspend": Workload("async def handler that suspends once", "/suspend", b"Hello, world"),
}
