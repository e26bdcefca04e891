"""Fuzz redirects: what stays on this site does so for a URL parser that reads as browsers do.

Run: ``python3 dev fuzz redirects [libFuzzer options]``.
"""

import re
import sys

import atheris

with atheris.instrument_imports():
    from zonda.web.redirects import as_location, leads_away, same_place

HERE = "https://a.example/x/y"
# The host of a URL of a special scheme, resolved against `HERE` (WHATWG URL standard, states
# "no scheme" to "authority"), put as one expression.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:")


def host_of(url: str) -> str:
    """Where a browser goes from `HERE`."""
    url = url.strip("".join(map(chr, range(33))))
    url = re.sub("[\t\r\n]", "", url).replace("\\", "/")
    if _SCHEME.match(url):
        return "elsewhere"
    return "elsewhere" if url[:2] == "//" else "a.example"


def one_input(data: bytes) -> None:
    """What atheris calls."""
    text = data.decode("utf-8", "replace")
    assert leads_away(text) is (host_of(text) != "a.example")
    for template in ("{0}", "/{0}", "/x/{0}", "{0}/x"):
        url = template.format(text)
        if same_place(template, url):
            location = as_location(url)
            assert host_of(url) == host_of(location) == "a.example", (template, location)
            assert location.isascii()
            assert not re.search(r"[\x00-\x20\x7f]", location)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
