"""Loggers, the formatter and the logging options."""

import contextlib
import importlib
import io
import logging
import logging.handlers
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.ioloop import log
from zonda.ioloop.log import LogFormatter, define_logging_options, enable_pretty_logging, printable
from zonda.ioloop.optionparser import InvalidValue, OptionParser
from zonda.ioloop.optionparser import options as shared_options

FORMAT = "%(levelname)1.1s %(module)s:%(lineno)d %(message)s"


def record(msg: object, *args: object, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord("name", level, "/x/mod.py", 12, msg, args, None)


def formatted(msg: object, *args: object) -> str:
    return LogFormatter(FORMAT, color=False).format(record(msg, *args))


def test_the_three_loggers() -> None:
    names = [logger.name for logger in (log.access_log, log.app_log, log.gen_log)]
    assert names == ["zonda.access", "zonda.application", "zonda.general"]


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("hello", "hello"),
        ("één 漢字 😀", "één 漢字 😀"),
        ("a\nb", "a\n    b"),
        ("a\r\nb\tc", "a\\r\n    b\tc"),
        ("\x1b[31mred\x00", r"\x1b[31mred\x00"),
        ("\x7f\x85\x9b", r"\x7f\x85\x9b"),
        ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
        ("\u202eevil\u2069", r"\u202eevil\u2069"),
        ("\udc80", r"\udc80"),
        (b"bytes\xff", r"b'bytes\xff'"),
        ({"a": 1}, "{'a': 1}"),
    ],
)
def test_control_characters_are_escaped_and_further_lines_indented(
    message: object, line: str
) -> None:
    assert formatted(message) == f"I mod:12 {line}"
    assert formatted("%s", message) == f"I mod:12 {line}"


@given(st.text(st.characters()))
def test_no_text_can_forge_a_line(text: str) -> None:
    line = formatted("%s", text)
    first, *further = line.splitlines()
    assert first.startswith("I mod:12 ")
    assert all(more.startswith("    ") for more in further)
    line.encode("utf-8")
    assert not any((ord(c) < 32 and c not in "\t\n") or 0x7F <= ord(c) < 0xA0 for c in line)


def test_printable_returns_harmless_text_itself() -> None:
    text = "harmless"
    assert printable(text) is text


def test_a_broken_call_is_shown_and_not_raised() -> None:
    line = formatted("%d\n", "x")
    assert "Bad message (TypeError" in line
    assert "'msg': '%d" in line


def test_tracebacks_are_indented_and_harmless() -> None:
    formatter = LogFormatter(FORMAT, color=False)
    one = record("failed")
    try:
        raise ValueError("first\nsecond\x1b[31m")
    except ValueError:
        one.exc_info = sys.exc_info()
    first, *rest = formatter.format(one).split("\n")
    assert first == "I mod:12 failed"
    assert rest[0] == "    Traceback (most recent call last):"
    assert rest[-2:] == ["    ValueError: first", r"    second\x1b[31m"]
    assert all(line.startswith("    ") for line in rest)


def test_stack_info_is_shown() -> None:
    one = record("here")
    one.stack_info = "Stack (most recent call last):\n  File x"
    assert LogFormatter(FORMAT, color=False).format(one).split("\n")[1:] == [
        "    Stack (most recent call last):",
        "      File x",
    ]


@pytest.mark.parametrize("style", ["%", "{", "$"])
def test_styles(style: "str") -> None:
    formats = {"%": "%(message)s!", "{": "{message}!", "$": "$message!"}
    formatter = LogFormatter(formats[style], style=style, color=False)  # type: ignore[arg-type]
    assert formatter.format(record("hello")) == "hello!"


# -- colours


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    return monkeypatch


def colored(stream: object = None, **arguments: object) -> str:
    with contextlib.redirect_stderr(stream or Terminal()):  # type: ignore[type-var]
        formatter = LogFormatter("%(color)s[%(end_color)s%(message)s", **arguments)  # type: ignore[arg-type]
    return formatter.format(record("m", level=logging.WARNING))


def test_a_terminal_gets_colours(terminal: pytest.MonkeyPatch) -> None:
    assert colored() == "\x1b[33m[\x1b[0mm"
    assert colored(color=False) == "[m"
    assert colored(colors={logging.WARNING: 208}) == "\x1b[38;5;208m[\x1b[0mm"
    assert colored(colors={}) == "[m"


@pytest.mark.parametrize(
    ("variables", "shown"),
    [
        ({"NO_COLOR": "1"}, False),
        ({"NO_COLOR": ""}, True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="TERM is not what decides there")
def test_the_environment_decides(
    terminal: pytest.MonkeyPatch, variables: dict[str, str], shown: bool
) -> None:
    for name, value in variables.items():
        terminal.setenv(name, value)
    assert ("\x1b" in colored()) is shown


@pytest.mark.parametrize("stream", [io.StringIO(), object()])
def test_files_get_none(terminal: pytest.MonkeyPatch, stream: object) -> None:
    assert colored(stream) == "[m"


def test_a_program_without_standard_error_gets_none(terminal: pytest.MonkeyPatch) -> None:
    terminal.setattr(sys, "stderr", None)
    formatter = LogFormatter("%(color)s%(message)s")
    assert formatter.format(record("m")) == "m"


# -- options


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    one = logging.Logger("test_log")
    yield one
    for handler in one.handlers:
        handler.close()


@pytest.fixture
def options() -> OptionParser:
    parser = OptionParser()
    define_logging_options(parser)
    return parser


def test_the_defaults_log_to_standard_error(logger: logging.Logger, options: OptionParser) -> None:
    enable_pretty_logging(options, logger)
    assert logger.level == logging.INFO
    (handler,) = logger.handlers
    assert type(handler) is logging.StreamHandler
    assert type(handler.formatter) is LogFormatter
    # What is set up already is enough.
    enable_pretty_logging(options, logger)
    assert logger.handlers == [handler]
    options.log_to_stderr = True
    enable_pretty_logging(options, logger)
    assert len(logger.handlers) == 2


@pytest.mark.parametrize("level", ["none", "None", None])
def test_none_changes_nothing(
    logger: logging.Logger, options: OptionParser, level: str | None
) -> None:
    options.logging = level
    enable_pretty_logging(options, logger)
    assert (logger.level, logger.handlers) == (logging.NOTSET, [])


def test_files_rotate_by_size(
    logger: logging.Logger, options: OptionParser, tmp_path: Path
) -> None:
    path = tmp_path / "log"
    options.parse_command_line(
        ["", f"--log-file-prefix={path}", "--log-file-max-size=100", "--log-file-num-backups=2"],
        final=False,
    )
    enable_pretty_logging(options, logger)
    (handler,) = logger.handlers
    assert type(handler) is logging.handlers.RotatingFileHandler
    for number in range(10):
        logger.warning("line é %d %s", number, "x" * 60)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["log", "log.1", "log.2"]
    assert "line é 9" in path.read_text("utf-8")


def test_files_rotate_by_time(
    logger: logging.Logger, options: OptionParser, tmp_path: Path
) -> None:
    options.log_file_prefix = str(tmp_path / "log")
    options.log_rotate_mode = "time"
    options.log_rotate_when = "H"
    options.log_rotate_interval = 3
    enable_pretty_logging(options, logger)
    (handler,) = logger.handlers
    assert isinstance(handler, logging.handlers.TimedRotatingFileHandler)
    assert (handler.when, handler.interval, handler.backupCount) == ("H", 3 * 3600, 10)


def test_wrong_values_are_named(
    logger: logging.Logger, options: OptionParser, tmp_path: Path
) -> None:
    options.logging = "loud"
    with pytest.raises(ValueError, match=r"debug, info, warning.*not 'loud'"):
        enable_pretty_logging(options, logger)
    options.logging = "info"
    options.log_file_prefix = str(tmp_path / "log")
    options.log_rotate_mode = "moon"
    with pytest.raises(ValueError, match="'size' or 'time', not 'moon'"):
        enable_pretty_logging(options, logger)
    with pytest.raises(InvalidValue):
        options.log_file_max_size = "big"


def test_the_shared_options_have_them_from_the_start() -> None:
    assert "log_file_prefix" in shared_options
    assert shared_options.group_dict("logging")["log_rotate_mode"] == "size"


def test_the_module_can_be_reloaded() -> None:
    defined = shared_options.as_dict()
    before = dict(vars(log))
    try:
        importlib.reload(log)
        assert shared_options.as_dict() == defined
        assert log.app_log is before["app_log"]
    finally:
        vars(log).update(before)
