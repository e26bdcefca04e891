"""Fuzz the multipart parser: any split gives the same, and nothing but HTTPInputError is raised.

Run: ``python3 dev fuzz multipart [libFuzzer options]``.
"""

import sys

import atheris

with atheris.instrument_imports():
    from zonda.httputil.errors import HTTPInputError
    from zonda.httputil.form_config import ParseMultipartConfig
    from zonda.httputil.forms import parse_body_arguments
    from zonda.httputil.multipart import NEED_DATA, End, MultipartParser, PartBegin, PartData

CONFIG = ParseMultipartConfig(max_parts=5, max_part_header_size=200, max_fields_size=50)


def outcome(body: bytes, step: int) -> tuple[list[object], str]:
    """The parts with their data joined, and the error, if any."""
    parser = MultipartParser("X", CONFIG)
    parts: list[object] = []
    data = b""
    position = 0
    try:
        while not isinstance(event := parser.next_event(), End):
            if event is NEED_DATA:
                if position < len(body):
                    parser.receive_data(body[position : position + step])
                    position += step
                else:
                    parser.receive_eof()
            elif isinstance(event, PartBegin):
                parts.append((event.name, event.filename, list(event.headers.get_all())))
                data = b""
            elif isinstance(event, PartData):
                data += event.data
            else:
                parts.append(data)
    except HTTPInputError as error:
        return [], str(error)
    return parts, ""


def one_input(data: bytes) -> None:
    """What atheris calls."""
    if not data:
        return
    step, body = data[0] + 1, data[1:]
    bodies = [
        body,
        b'--X\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + body,
        b"--X\r\nContent-Disposition: form-data; " + body + b"\r\n\r\n1\r\n--X--",
    ]
    for each in bodies:
        whole = outcome(each, len(each) or 1)
        assert whole == outcome(each, step), (each, step)
        assert whole == outcome(each, 1), each
        try:
            parse_body_arguments("multipart/form-data; boundary=X", each, {}, {})
        except HTTPInputError:
            pass


if __name__ == "__main__":
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
