"""``python -m zonda.httpclient URL``: fetches a URL.

In: the command line. Out: the body on standard output or in a file, errors on standard error, and
an exit status, which is that of curl for the same failure: 0, 22 for a status of 400 and above
with ``--fail``, 6 for a name that is not known, 7 for no connection, 28 for a time-out...
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, Final

from zonda.httpclient.client import AsyncHTTPClient
from zonda.httpclient.errors import (
    HTTPCertificateError,
    HTTPClientError,
    HTTPConnectError,
    HTTPDecodeError,
    HTTPProtocolError,
    HTTPProxyError,
    HTTPRedirectError,
    HTTPResolveError,
    HTTPStreamClosedError,
    HTTPTimeoutError,
    HTTPTLSError,
    HTTPTooLargeError,
)
from zonda.httpclient.progress import ProgressBar
from zonda.httpclient.proxies import Proxies
from zonda.httpclient.request import HTTPRequest
from zonda.httpclient.retry import Retry
from zonda.httpclient.streaming import ResponseStream
from zonda.httputil import HTTPHeaders
from zonda.httputil.errors import HTTPInputError

if TYPE_CHECKING:
    import argparse

# The first that fits counts.
_STATUSES: Final[tuple[tuple[type[BaseException], int], ...]] = (
    (HTTPCertificateError, 60),
    (HTTPTLSError, 35),
    (HTTPResolveError, 6),
    (HTTPProxyError, 97),
    (HTTPTimeoutError, 28),
    (HTTPConnectError, 7),
    (HTTPTooLargeError, 63),
    (HTTPDecodeError, 61),
    (HTTPProtocolError, 8),
    (HTTPStreamClosedError, 56),
    (HTTPRedirectError, 1),
    (HTTPClientError, 1),
    (ValueError, 3),
)
_FAILED: Final = 22
_TOO_MANY_REDIRECTS: Final = 47
_WRITE_ERROR: Final = 23
_INTERRUPTED: Final = 130

# A download may be of any size: it is not in memory.
_NO_LIMIT: Final = sys.maxsize


def _parser() -> argparse.ArgumentParser:
    import argparse  # noqa: PLC0415 - start-up time: whoever imports the package gets main too

    parser = argparse.ArgumentParser(
        prog="python -m zonda.httpclient", description="Fetch a URL over HTTP."
    )
    add = parser.add_argument
    add("url", metavar="URL", help="what to fetch; http:// may be left out")
    add("-X", "--method", help="method of the request (default: GET, or POST with --data)")
    add("-H", "--header", action="append", default=[], help="'Name: value', may be repeated")
    add(
        "-d",
        "--data",
        help="body of the request; @FILE for a file's content, @- for standard input",
    )
    add("-A", "--user-agent", help="value of the User-Agent field")
    add("-u", "--user", help="USER:PASSWORD for HTTP authentication")
    add("--digest", action="store_true", help="authenticate by Digest, not Basic")
    add("-i", "--include", action="store_true", help="print the head of the response too")
    add("-I", "--head", action="store_true", help="HEAD: print the head of the response only")
    add("-o", "--output", metavar="FILE", help="write the body to FILE ('-': standard output)")
    add(
        "--follow",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="follow redirects (default: yes)",
    )
    add("--max-redirects", type=int, default=20, metavar="N", help="at most (default: 20)")
    add("-k", "--insecure", action="store_true", help="accept any certificate")
    add("--cacert", metavar="FILE", help="authorities to trust in place of the system's")
    add("-E", "--cert", metavar="FILE", help="certificate to show to the server")
    add("--key", metavar="FILE", help="key of that certificate")
    add("-m", "--timeout", type=float, default=0.0, metavar="SECONDS", help="for everything")
    add("--connect-timeout", type=float, default=20.0, metavar="SECONDS", help="default: 20")
    add("-x", "--proxy", metavar="URL", help="in place of what the environment says; '' for none")
    add("--retry", type=int, default=0, metavar="N", help="try again so often")
    add("-f", "--fail", action="store_true", help="a status of 400 and above is an error (22)")
    add("-s", "--silent", action="store_true", help="no progress bar, no messages")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: In place of ``sys.argv[1:]``.

    Returns:
        The exit status.
    """
    options = _parser().parse_args(arguments)
    try:
        return asyncio.run(_run(options))
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Python would complain once more while it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _WRITE_ERROR
    except Exception as error:
        for kind, status in _STATUSES:
            if isinstance(error, kind):
                return _complain(options, str(error) or kind.__name__, status)
        if isinstance(error, OSError):
            return _complain(options, str(error), _WRITE_ERROR)
        raise


def _complain(options: argparse.Namespace, message: str, status: int) -> int:
    if not options.silent:
        print(f"zonda.httpclient: {message}", file=sys.stderr)  # noqa: T201
    return status


def _request(options: argparse.Namespace) -> HTTPRequest:
    url = options.url if "://" in options.url else f"http://{options.url}"
    headers = HTTPHeaders()
    for line in options.header:
        try:
            headers.parse_line(line)
        except HTTPInputError as error:
            raise ValueError(f"no header field: {line!r}") from error
    body = None
    if options.data is not None:
        body = _content(options.data)
    method = options.method or ("HEAD" if options.head else "GET" if body is None else "POST")
    username = password = None
    if options.user is not None:
        username, _, password = options.user.partition(":")
    return HTTPRequest(
        url,
        method,
        headers,
        body,
        username,
        password,
        "digest" if options.digest else "basic",
        connect_timeout=options.connect_timeout,
        request_timeout=options.timeout,
        follow_redirects=options.follow,
        max_redirects=options.max_redirects,
        user_agent=options.user_agent,
        allow_nonstandard_methods=True,
        validate_cert=not options.insecure,
        ca_certs=options.cacert,
        client_cert=options.cert,
        client_key=options.key,
        retry=Retry(attempts=options.retry + 1) if options.retry > 0 else None,
    )


def _content(data: str) -> bytes:
    if data == "@-":
        return sys.stdin.buffer.read()
    if data.startswith("@"):
        with open(data[1:], "rb") as file:
            return file.read()
    return data.encode()


async def _run(options: argparse.Namespace) -> int:
    try:
        request = _request(options)
    except OSError as error:  # the file of --data
        return _complain(options, str(error), 26)
    proxies = Proxies.from_setting(
        "environment" if options.proxy is None else options.proxy or None
    )
    # This implementation, whatever the program that calls main() has configured.
    implementation = AsyncHTTPClient.configurable_default()
    client: AsyncHTTPClient = implementation(  # type: ignore[assignment]
        force_instance=True, max_body_size=_NO_LIMIT, proxies=proxies
    )
    async with client, client.stream(request) as response:
        if options.fail and response.code >= 400:
            message = f"the server answered {response.code} {response.reason}"
            return _complain(options, message, _FAILED)
        if options.follow and 300 <= response.code < 400 and "Location" in response.headers:
            return _complain(options, "too many redirects", _TOO_MANY_REDIRECTS)
        await _save(options, response)
    return 0


async def _save(options: argparse.Namespace, response: ResponseStream) -> None:
    with _output(options) as file:
        if options.include or options.head:
            head = f"HTTP/1.1 {response.code} {response.reason}\r\n"
            head += "".join(f"{name}: {value}\r\n" for name, value in response.headers.get_all())
            file.write(head.encode("latin-1") + b"\r\n")
        bar = _bar(options, response.headers)
        async for chunk in response:
            file.write(chunk)
            if bar is not None:
                bar.add(len(chunk))
        if bar is not None:
            bar.finish()
        file.flush()


@contextlib.contextmanager
def _output(options: argparse.Namespace) -> Iterator[BinaryIO]:
    if options.output in (None, "-"):
        sys.stdout.flush()
        yield sys.stdout.buffer
    else:
        with open(options.output, "wb") as file:
            yield file


def _bar(options: argparse.Namespace, headers: HTTPHeaders) -> ProgressBar | None:
    if options.silent or options.output in (None, "-") or not sys.stderr.isatty():
        return None
    length = headers.get("Content-Length", "")
    # Of a compressed body nobody knows how long it will be.
    known = length.isdecimal() and "X-Consumed-Content-Encoding" not in headers

    def write(text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()

    try:
        width = os.get_terminal_size(sys.stderr.fileno()).columns
    except OSError:
        width = 80
    return ProgressBar(write, int(length) if known else None, width)
