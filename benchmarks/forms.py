"""Form bodies: what parsing one costs, against werkzeug, python-multipart and Tornado.

Run: ``python benchmarks/forms.py [--tornado PYTHON] [--rounds N]`` in an environment with
zonda-httputil, werkzeug and python-multipart. Tornado is measured in a process of its own, run by
the interpreter that ``--tornado`` names (it must have Tornado, nothing else). Each contender turns
a whole body into fields and files in memory; "in pieces" feeds 64 KiB at a time to a streaming
parser that keeps nothing. All run in turn within each round, so that a noisy machine hits them
alike; the table shows CPU time, the best round of each, and the ratio to zonda (the median of the
rounds' ratios).
"""

import argparse
import io
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
URLENCODED = "application/x-www-form-urlencoded"
PIECE = 64 * 1024

# Each contender imports what it measures: Tornado's process has nothing else.
Parse = Callable[[], object]


def upload(data: bytes) -> bytes:
    """Two fields and a file."""
    delimiter = f"--{BOUNDARY}\r\n".encode()
    disposition = b"Content-Disposition: form-data; name="
    return b"".join(
        [
            *(delimiter, disposition, b'"title"\r\n\r\nMy holidays\r\n'),
            *(delimiter, disposition, b'"public"\r\n\r\non\r\n'),
            *(delimiter, disposition, b'"file"; filename="film.mp4"\r\n'),
            *(b"Content-Type: video/mp4\r\n\r\n", data, f"\r\n--{BOUNDARY}--\r\n".encode()),
        ]
    )


def urlencoded() -> bytes:
    """About 1 KiB in twenty fields, some of it escaped."""
    values = [
        "on",
        "42",
        "jane.doe@example.com",
        "Some+words+in+a+row",
        "caf%C3%A9%2C+%2Fpath%3F" * 5,
    ]
    return "&".join(f"field_{i}={values[i % 5]}" for i in range(21)).encode()


RANDOM = bytes((i * 7919 + (i >> 8) * 31) & 0xFF for i in range(1 << 16)) * 160
BODIES = {
    "urlencoded, 1 KiB": (URLENCODED, urlencoded(), 500),
    "multipart, 1 KiB": (MULTIPART, upload(bytes(range(256)) * 2), 100),
    "multipart, 10 MiB": (MULTIPART, upload(RANDOM), 1),
    "multipart, 1 MiB of CRLF": (MULTIPART, upload(b"\r\n" * (1 << 19)), 1),
}


def zonda(content_type: str, body: bytes) -> Parse:
    from zonda.httputil.file import HTTPFile  # noqa: PLC0415
    from zonda.httputil.forms import parse_body_arguments  # noqa: PLC0415

    def parse() -> object:
        arguments: dict[str, list[bytes]] = {}
        files: dict[str, list[HTTPFile]] = {}
        parse_body_arguments(content_type, body, arguments, files)
        return arguments, files

    return parse


def zonda_in_pieces(content_type: str, body: bytes) -> Parse | None:
    from zonda.httputil.multipart import NEED_DATA, End, MultipartParser  # noqa: PLC0415

    def parse() -> None:
        parser = MultipartParser(BOUNDARY)
        for i in range(0, len(body), PIECE):
            parser.receive_data(body[i : i + PIECE])
            while (event := parser.next_event()) is not NEED_DATA:
                if isinstance(event, End):
                    return
        raise AssertionError("truncated")

    return parse if content_type == MULTIPART else None


def tornado(content_type: str, body: bytes) -> Parse:
    from tornado.httputil import parse_body_arguments  # noqa: PLC0415

    def parse() -> object:
        arguments: dict[str, list[bytes]] = {}
        files: dict[str, list[object]] = {}
        parse_body_arguments(content_type, body, arguments, files)
        return arguments, files

    return parse


def werkzeug(content_type: str, body: bytes) -> Parse:
    from werkzeug.formparser import FormDataParser  # noqa: PLC0415

    mimetype, _, parameter = content_type.partition("; boundary=")

    def parse() -> object:
        parser = FormDataParser(
            stream_factory=lambda *_, **__: io.BytesIO(),
            max_form_memory_size=None,
        )
        options = {"boundary": parameter}
        return parser.parse(io.BytesIO(body), mimetype, len(body), options)

    return parse


def werkzeug_in_pieces(content_type: str, body: bytes) -> Parse | None:
    from werkzeug.sansio.multipart import Epilogue, MultipartDecoder, NeedData  # noqa: PLC0415

    def parse() -> None:
        parser = MultipartDecoder(BOUNDARY.encode())
        for i in range(0, len(body), PIECE):
            parser.receive_data(body[i : i + PIECE])
            while not isinstance(event := parser.next_event(), NeedData):
                if isinstance(event, Epilogue):
                    return
        parser.receive_data(None)
        while not isinstance(parser.next_event(), Epilogue):
            pass

    return parse if content_type == MULTIPART else None


def python_multipart(content_type: str, body: bytes) -> Parse:
    from python_multipart import parse_form  # noqa: PLC0415

    headers = {"Content-Type": content_type.encode(), "Content-Length": str(len(body)).encode()}

    def parse() -> object:
        fields: list[object] = []
        files: list[object] = []
        parse_form(headers, io.BytesIO(body), fields.append, files.append, chunk_size=PIECE)
        return fields, files

    return parse


def python_multipart_in_pieces(content_type: str, body: bytes) -> Parse | None:
    from python_multipart import MultipartParser  # noqa: PLC0415

    def on_data(data: bytes, start: int, end: int) -> None:
        pass

    def parse() -> None:
        parser = MultipartParser(BOUNDARY.encode(), {"on_part_data": on_data})
        for i in range(0, len(body), PIECE):
            parser.write(body[i : i + PIECE])
        parser.finalize()

    return parse if content_type == MULTIPART else None


CONTENDERS: dict[str, Callable[[str, bytes], Parse | None]] = {
    "zonda": zonda,
    "tornado": tornado,
    "werkzeug": werkzeug,
    "python-multipart": python_multipart,
    "zonda, in pieces": zonda_in_pieces,
    "werkzeug, in pieces": werkzeug_in_pieces,
    "python-multipart, in pieces": python_multipart_in_pieces,
}


def measure(parse: Parse, number: int) -> float:
    """Microseconds of CPU time for one body."""
    numbers = range(number)
    start = time.process_time()
    for _ in numbers:
        parse()
    return (time.process_time() - start) / number * 1e6


class Elsewhere:
    """Tornado in a process of its own: a line with the body's name in, a line with the time out."""

    def __init__(self, interpreter: str) -> None:
        self._process = subprocess.Popen(
            [interpreter, __file__, "--worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def measure(self, name: str) -> float:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(name) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the interpreter given by --tornado failed")
        return float(line)

    def close(self) -> None:
        self._process.communicate()


def work() -> None:
    """Be the process of `Elsewhere`."""
    parses: dict[str, Parse] = {}
    for line in sys.stdin:
        name = json.loads(line)
        content_type, body, number = BODIES[name]
        if name not in parses:
            parses[name] = tornado(content_type, body)
            parses[name]()
        print(measure(parses[name], number), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tornado", metavar="PYTHON", help="an interpreter that has Tornado")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        work()
        return 0
    elsewhere = Elsewhere(arguments.tornado) if arguments.tornado else None
    for name, (content_type, body, number) in BODIES.items():
        measures: dict[str, Callable[[], float]] = {}
        for contender, make in CONTENDERS.items():
            if contender == "tornado":
                if elsewhere is not None:
                    measures[contender] = lambda name=name: elsewhere.measure(name)  # type: ignore[misc]
                continue
            parse = make(content_type, body)
            if parse is not None:
                parse()
                measures[contender] = lambda parse=parse, number=number: measure(parse, number)  # type: ignore[misc]
        times: dict[str, list[float]] = {contender: [] for contender in measures}
        for _ in range(arguments.rounds):
            for contender, take in measures.items():
                times[contender].append(take())
        print(f"\n### {name}\n\n| parser | µs a body | zonda = 1 |\n|---|---:|---:|")
        for contender, values in sorted(times.items(), key=lambda item: min(item[1])):
            ratios = [a / b for a, b in zip(values, times["zonda"], strict=True)]
            print(f"| {contender} | {min(values):,.1f} | {statistics.median(ratios):.2f} |")
    if elsewhere is not None:
        elsewhere.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
