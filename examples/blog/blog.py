"""A blog: templates and static files beside this file, users and entries in SQLite.

Open http://localhost:8888/ in a browser. The first visitor to sign up is the author.

    .venv/bin/python examples/blog/blog.py [database]
"""

import asyncio
import hashlib
import hmac
import os
import re
import sqlite3
import sys
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from zonda import ioloop, web

HERE = Path(__file__).resolve().parent
SCHEMA = """
CREATE TABLE IF NOT EXISTS author (
    id INTEGER PRIMARY KEY CHECK (id = 1), name TEXT NOT NULL, salt BLOB NOT NULL,
    password BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS entry (
    slug TEXT PRIMARY KEY, title TEXT NOT NULL, text TEXT NOT NULL,
    written TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);
"""


@dataclass
class Entry:
    slug: str
    title: str
    text: str
    written: str


def digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


class Blog:
    """The database. Its methods block: handlers call them in another thread."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.executescript(SCHEMA)

    def close(self) -> None:
        self._connection.close()

    def has_author(self) -> bool:
        return self._connection.execute("SELECT 1 FROM author").fetchone() is not None

    def sign_up(self, name: str, password: str) -> bool:
        """Make the author; False if there is one already."""
        salt = os.urandom(16)
        values = (name, salt, digest(password, salt))
        try:
            self._connection.execute("INSERT INTO author VALUES (1, ?, ?, ?)", values)
        except sqlite3.IntegrityError:
            return False
        return True

    def log_in(self, name: str, password: str) -> bool:
        query = "SELECT salt, password FROM author WHERE name = ?"
        row = self._connection.execute(query, (name,)).fetchone()
        return row is not None and hmac.compare_digest(digest(password, row[0]), row[1])

    def entries(self, limit: int) -> list[Entry]:
        query = "SELECT slug, title, text, written FROM entry ORDER BY written DESC, rowid DESC"
        rows = self._connection.execute(f"{query} LIMIT ?", (limit,))
        return [Entry(*row) for row in rows]

    def entry(self, slug: str) -> Entry | None:
        query = "SELECT slug, title, text, written FROM entry WHERE slug = ?"
        row = self._connection.execute(query, (slug,)).fetchone()
        return None if row is None else Entry(*row)

    def write(self, slug: str | None, title: str, text: str) -> str:
        """Change an entry, or add one; its slug."""
        if slug is not None:
            change = "UPDATE entry SET title = ?, text = ? WHERE slug = ?"
            self._connection.execute(change, (title, text, slug))
            return slug
        plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
        slug = base = re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "entry"
        number = 1
        while self.entry(slug) is not None:
            number += 1
            slug = f"{base}-{number}"
        addition = "INSERT INTO entry (slug, title, text) VALUES (?, ?, ?)"
        self._connection.execute(addition, (slug, title, text))
        return slug


class BaseHandler(web.RequestHandler):
    blog: Blog

    def initialize(self, blog: Blog) -> None:
        self.blog = blog

    def get_current_user(self) -> str | None:
        name = self.get_signed_cookie("author")
        return None if name is None else name.decode()


class HomeHandler(BaseHandler):
    async def get(self) -> None:
        entries = await asyncio.to_thread(self.blog.entries, 10)
        self.render("home.html", entries=entries)


class EntryHandler(BaseHandler):
    async def get(self, slug: str) -> None:
        entry = await asyncio.to_thread(self.blog.entry, slug)
        if entry is None:
            raise web.HTTPError(404)
        self.render("entry.html", entry=entry)


class WriteHandler(BaseHandler):
    @web.authenticated
    async def get(self) -> None:
        slug = self.get_query_argument("entry", None)
        entry = None if slug is None else await asyncio.to_thread(self.blog.entry, slug)
        self.render("write.html", entry=entry)

    @web.authenticated
    async def post(self) -> None:
        title, text = self.get_body_argument("title"), self.get_body_argument("text")
        slug = self.get_body_argument("slug", None)
        slug = await asyncio.to_thread(self.blog.write, slug, title, text)
        self.redirect(self.reverse_url("entry", slug))


class LoginHandler(BaseHandler):
    async def get(self) -> None:
        await self.show("")

    async def post(self) -> None:
        name, password = self.get_body_argument("name"), self.get_body_argument("password")
        enter = self.blog.log_in
        if not await asyncio.to_thread(self.blog.has_author):
            enter = self.blog.sign_up
        if await asyncio.to_thread(enter, name, password):
            self.set_signed_cookie("author", name, httponly=True, samesite="Lax")
            self.redirect("/")
        else:
            self.set_status(403)
            await self.show("That is not the name and password of the author.")

    async def show(self, message: str) -> None:
        known = await asyncio.to_thread(self.blog.has_author)
        self.render("login.html", known=known, message=message)


class LogoutHandler(BaseHandler):
    def post(self) -> None:
        self.clear_cookie("author")
        self.redirect("/")


class Paragraphs(web.UIModule):
    """Text with empty lines between paragraphs."""

    def render(self, text: str) -> bytes:
        return self.handler.render_string("paragraphs.html", paragraphs=re.split(r"\n\s*\n", text))


def make_app(blog: Blog) -> web.Application:
    shared = {"blog": blog}
    return web.Application(
        [
            web.url(r"/", HomeHandler, shared),
            web.url(r"/entry/([a-z0-9-]+)", EntryHandler, shared, name="entry"),
            web.url(r"/write", WriteHandler, shared),
            web.url(r"/login", LoginHandler, shared),
            web.url(r"/logout", LogoutHandler, shared),
        ],
        template_path=str(HERE / "templates"),
        static_path=str(HERE / "static"),
        ui_modules={"Paragraphs": Paragraphs},
        cookie_secret=os.environ.get("COOKIE_SECRET") or os.urandom(32).hex(),
        login_url="/login",
        xsrf_cookies=True,
    )


if __name__ == "__main__":
    make_app(Blog(sys.argv[1] if len(sys.argv) > 1 else "blog.db")).listen(8888)
    ioloop.IOLoop.current().start()
