"""What UI modules need in the page around them, put into its head and before its end.

Bytes in, bytes out. A page without ``</head>`` gets styles in front, one without ``</body>`` gets
scripts behind; browsers take both for what they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from zonda.httputil.escape import utf8, xhtml_escape


class Part(Protocol):
    """The hooks of a UI module that say what it needs."""

    def embedded_javascript(self) -> str | None:
        """A script."""

    def javascript_files(self) -> Iterable[str] | None:
        """Paths of scripts."""

    def embedded_css(self) -> str | None:
        """Styles."""

    def css_files(self) -> Iterable[str] | None:
        """Paths of style sheets."""

    def html_head(self) -> str | None:
        """Markup."""

    def html_body(self) -> str | None:
        """Markup."""


class Resolver(Protocol):
    """Makes markup of what was collected: `RequestHandler` and its hooks."""

    def render_linked_js(self, js_files: Iterable[str]) -> str:
        """Markup of scripts."""

    def render_embed_js(self, js_embed: Iterable[bytes]) -> bytes:
        """Markup of embedded scripts."""

    def render_linked_css(self, css_files: Iterable[str]) -> str:
        """Markup of style sheets."""

    def render_embed_css(self, css_embed: Iterable[bytes]) -> bytes:
        """Markup of embedded styles."""


def add_parts(page: bytes, modules: Iterable[Part], resolver: Resolver) -> bytes:
    """Return a page with what its modules need.

    Args:
        page: The page as rendered.
        modules: Those in use.
        resolver: Makes the markup.
    """
    scripts: list[bytes] = []
    script_files: list[str] = []
    styles: list[bytes] = []
    style_files: list[str] = []
    heads: list[bytes] = []
    bodies: list[bytes] = []
    for module in modules:
        for embedded, into in (
            (module.embedded_javascript(), scripts),
            (module.embedded_css(), styles),
            (module.html_head(), heads),
            (module.html_body(), bodies),
        ):
            if embedded:
                into.append(utf8(embedded))
        for files, names in (
            (module.javascript_files(), script_files),
            (module.css_files(), style_files),
        ):
            if files:
                names.extend([files] if isinstance(files, str) else files)
    end = []
    if script_files:
        end.append(utf8(resolver.render_linked_js(script_files)))
    if scripts:
        end.append(utf8(resolver.render_embed_js(scripts)))
    if bodies:
        end.append(b"".join(bodies))
    if end:
        position = page.rfind(b"</body>")
        page = _insert(page, len(page) if position < 0 else position, end)
    head = []
    if style_files:
        head.append(utf8(resolver.render_linked_css(style_files)))
    if styles:
        head.append(utf8(resolver.render_embed_css(styles)))
    if heads:
        head.append(b"".join(heads))
    if head:
        page = _insert(page, max(page.find(b"</head>"), 0), head)
    return page


def _insert(page: bytes, position: int, parts: Sequence[bytes]) -> bytes:
    return page[:position] + b"\n".join(parts) + b"\n" + page[position:]


def linked_scripts(urls: Iterable[str]) -> str:
    """Return the markup of scripts, each URL once.

    >>> linked_scripts(["/a.js", "/a.js"])
    '<script src="/a.js" type="text/javascript"></script>'
    """
    return "".join(
        f'<script src="{xhtml_escape(url)}" type="text/javascript"></script>'
        for url in dict.fromkeys(urls)
    )


def linked_styles(urls: Iterable[str]) -> str:
    """Return the markup of style sheets, each URL once.

    >>> linked_styles(["/a.css"])
    '<link href="/a.css" type="text/css" rel="stylesheet"/>'
    """
    return "".join(
        f'<link href="{xhtml_escape(url)}" type="text/css" rel="stylesheet"/>'
        for url in dict.fromkeys(urls)
    )


def embedded_scripts(scripts: Iterable[bytes]) -> bytes:
    """Return the markup of scripts, as HTML and XHTML both understand it."""
    return (
        b'<script type="text/javascript">\n//<![CDATA[\n'
        + b"\n".join(scripts)
        + b"\n//]]>\n</script>"
    )


def embedded_styles(styles: Iterable[bytes]) -> bytes:
    """Return the markup of styles.

    >>> embedded_styles([b"p {}"])
    b'<style type="text/css">\\np {}\\n</style>'
    """
    return b'<style type="text/css">\n' + b"\n".join(styles) + b"\n</style>"


def is_absolute(path: str) -> bool:
    """Say whether a path needs no ``static_url``: it begins at the root or with a scheme.

    >>> is_absolute("/a.css"), is_absolute("https://a.example/a.css"), is_absolute("a.css")
    (True, True, False)
    """
    return path.startswith(("/", "http:", "https:"))


def urls(paths: Iterable[str], static_url: Callable[[str], str]) -> list[str]:
    """Return the URLs of scripts or styles.

    Args:
        paths: Absolute ones, and those that are not.
        static_url: Makes a URL of the latter.
    """
    return [path if is_absolute(path) else static_url(path) for path in paths]
