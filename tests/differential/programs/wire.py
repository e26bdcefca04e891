"""Bytes to a server and the bytes that come back, for the programs beside this one."""

import asyncio
import logging
import re
import sys

_VARYING = [
    (re.compile(rb"(?m)^Date: [^\r]*"), b"Date: D"),
    (re.compile(rb"(?m)^Server: [^\r]*"), b"Server: S"),
    (re.compile(rb"127\.0\.0\.1:\d+"), b"127.0.0.1:PORT"),
    (re.compile(rb"localhost:\d+"), b"localhost:PORT"),
    (re.compile(rb"(?m)^(Last-Modified|Expires): [^\r]*"), rb"\1: D"),
    (re.compile(rb'"2\|1:0\|[^"]*"'), b'"SIGNED"'),
    (re.compile(rb"user=2\|[^;\r]*"), b"user=SIGNED"),
    (re.compile(rb"_xsrf=2\|[0-9a-f|]+"), b"_xsrf=TOKEN"),
]


async def exchange(port, sent, *, half_close=False, wait=0.0):
    """All that a server sends back, with what varies replaced."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    if wait:
        for part in sent if isinstance(sent, list) else [sent]:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(wait)
    else:
        writer.write(sent if isinstance(sent, bytes) else b"".join(sent))
    if half_close and writer.can_write_eof():
        writer.write_eof()
    try:
        answer = await asyncio.wait_for(reader.read(), 5)
    except asyncio.TimeoutError:
        answer = b"<still open>"
    except ConnectionResetError:
        answer = b"<reset>"
    writer.close()
    for pattern, replacement in _VARYING:
        answer = pattern.sub(replacement, answer)
    return answer


def request(target, *fields, method="GET", body=None, version="HTTP/1.1"):
    """One request that asks for the connection to be closed."""
    lines = [f"{method} {target} {version}", "Host: a.example", "Connection: close", *fields]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


async def show(port, title, sent, **options):
    """Print an exchange, line by line; fields keep their order."""
    print("##", title)
    answer = await exchange(port, sent, **options)
    print(answer.decode("utf-8", "backslashreplace").replace("\r\n", "\n"))


class Records(logging.Handler):
    """Prints every record: logger, level, first line, and the exception's type and text."""

    def emit(self, record):
        text = record.getMessage().split("\n")[0]
        text = re.sub(r"\d+\.\d+ms", "T ms", text)
        text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", text)
        text = re.sub(r"/tmp/\w+", "FOLDER", text)
        text = re.sub(r"0x[0-9a-f]+", "0xADDRESS", text)
        error = ""
        if record.exc_info and record.exc_info[0]:
            error = f" [{record.exc_info[0].__name__}: {record.exc_info[1]}]"
        error = re.sub(r"/tmp/\w+", "FOLDER", error)
        print(f"LOG {record.name} {record.levelname}: {text}{error}")
        sys.stdout.flush()


def show_records(level=logging.INFO):
    """Print what is logged, in its order among what is printed."""
    root = logging.getLogger()
    root.handlers[:] = [Records()]
    root.setLevel(level)
