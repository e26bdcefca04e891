"""Options: what the command line, files and assignments make of them."""

import datetime
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from zonda.ioloop import options as options_module
from zonda.ioloop.options import (
    DuplicateOption,
    Error,
    InvalidValue,
    MissingValue,
    OptionParser,
    UnknownOption,
)

KINDS: dict[str, dict[str, Any]] = {
    "s": {"type": str, "default": "d"},
    "i": {"type": int},
    "f": {"type": float},
    "b": {"type": bool},
    "dt": {"type": datetime.datetime},
    "td": {"type": datetime.timedelta},
    "upper": {"type": lambda text: text.upper()},
    "json": {"type": json.loads},
    "ints": {"type": int, "multiple": True},
    "strs": {"multiple": True},
    "bools": {"type": bool, "multiple": True},
    "floats": {"type": float, "multiple": True},
    "dates": {"type": datetime.datetime, "multiple": True},
    "guessed": {"default": 1.5},
    "two-words": {"type": int},
}


@pytest.fixture
def options() -> OptionParser:
    parser = OptionParser()
    for name, arguments in KINDS.items():
        parser.define(name, **arguments)
    return parser


def moment(*numbers: int) -> datetime.datetime:
    return datetime.datetime(*numbers)  # type: ignore[arg-type]


def span(**units: float) -> datetime.timedelta:
    return datetime.timedelta(**units)


VALUES: list[tuple[str, str, Any]] = [
    ("s", "x", "x"),
    ("s", "", ""),
    ("s", "a=b", "a=b"),
    ("i", "5", 5),
    ("i", "-5", -5),
    ("f", "1.5", 1.5),
    ("f", "1e3", 1000.0),
    ("guessed", "2", 2.0),
    *(("b", text, True) for text in ("true", "TRUE", "t", "1", "yes", "y", "on", "")),
    *(("b", text, False) for text in ("false", "False", "f", "0", "no", "n", "off")),
    ("dt", "2013-01-28 15:30", moment(2013, 1, 28, 15, 30)),
    ("dt", "2013-01-28T15:30", moment(2013, 1, 28, 15, 30)),
    ("dt", "2013-01-28 15:30:01", moment(2013, 1, 28, 15, 30, 1)),
    ("dt", "20130128 15:30", moment(2013, 1, 28, 15, 30)),
    ("dt", "20130128", moment(2013, 1, 28)),
    ("dt", "2013-01-28", moment(2013, 1, 28)),
    ("dt", "2013-1-8", moment(2013, 1, 8)),
    ("dt", "Mon Jan 28 15:30:00 2013", moment(2013, 1, 28, 15, 30)),
    ("dt", "15:30", moment(1900, 1, 1, 15, 30)),
    ("dt", "15:30:20", moment(1900, 1, 1, 15, 30, 20)),
    ("dt", "2013-01-28T15:30Z", moment(2013, 1, 28, 15, 30).replace(tzinfo=datetime.UTC)),
    ("td", "", span()),
    ("td", "5", span(seconds=5)),
    ("td", "1.5h", span(hours=1.5)),
    ("td", ".5s", span(seconds=0.5)),
    ("td", "1e3s", span(seconds=1000)),
    ("td", "1h30m", span(minutes=90)),
    ("td", "90m 5s", span(minutes=90, seconds=5)),
    ("td", "1 hour 30 minutes", span(minutes=90)),
    ("td", "1h -5m", span(minutes=55)),
    ("td", "-1h", span(hours=-1)),
    ("td", "3 weeks", span(weeks=3)),
    ("td", "2d", span(days=2)),
    ("td", "100ms", span(milliseconds=100)),
    ("td", "5us", span(microseconds=5)),
    ("upper", "abc", "ABC"),
    ("json", '{"a": [1]}', {"a": [1]}),
    ("ints", "1,2,3", [1, 2, 3]),
    ("ints", "1:4", [1, 2, 3, 4]),
    ("ints", "1:3,7,9:10", [1, 2, 3, 7, 9, 10]),
    ("ints", "-3:-1", [-3, -2, -1]),
    ("ints", "5:", [5]),
    ("ints", "3:1", []),
    ("strs", "a,b", ["a", "b"]),
    ("strs", "", [""]),
    ("bools", "1,no", [True, False]),
    ("floats", "1.5,2", [1.5, 2.0]),
    ("dates", "2013-01-28,2014-01-01", [moment(2013, 1, 28), moment(2014, 1, 1)]),
    ("two-words", "9", 9),
    ("two_words", "9", 9),
]


def by_argument(parser: OptionParser, name: str, text: str, folder: Path) -> None:
    assert parser.parse_command_line(["prog", f"--{name}={text}", "rest"]) == ["rest"]


def by_one_dash(parser: OptionParser, name: str, text: str, folder: Path) -> None:
    assert parser.parse_command_line(["prog", f"-{name}={text}", "--", "-rest"]) == ["-rest"]


def by_file(parser: OptionParser, name: str, text: str, folder: Path) -> None:
    path = folder / "file.conf"
    path.write_text(f"{name.replace('-', '_')} = {text!r}", "utf-8")
    parser.parse_config_file(path)


WAYS = pytest.mark.parametrize("way", [by_argument, by_one_dash, by_file])
Way = Callable[[OptionParser, str, str, Path], None]


@WAYS
@pytest.mark.parametrize(("name", "text", "value"), VALUES)
def test_values(
    options: OptionParser, way: Way, name: str, text: str, value: Any, tmp_path: Path
) -> None:
    way(options, name, text, tmp_path)
    assert options[name] == value
    assert type(options[name]) is type(value)


@WAYS
@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("i", "x", "must be an int, not 'x'"),
        ("i", "", "must be an int"),
        ("i", "1.5", "must be an int"),
        ("f", "x", "must be a float"),
        ("b", "maybe", r"must be a bool \(true or false\), not 'maybe'"),
        ("dt", "x", "must be a datetime"),
        ("td", "x", "must be a timedelta"),
        ("td", "1 fortnight", "must be a timedelta"),
        ("td", "1h,", "must be a timedelta"),
        ("json", "{", "must be a loads"),
        ("ints", "a", "must be a list of int"),
        ("ints", "1,,2", "must be a list of int"),
        ("ints", ":3", "must be a list of int"),
        ("ints", "1:2:3", "must be a list of int"),
        ("floats", "1:3", "must be a list of float"),
    ],
)
def test_texts_that_are_no_values(
    options: OptionParser, way: Way, name: str, text: str, expected: str, tmp_path: Path
) -> None:
    before = options[name]
    with pytest.raises(InvalidValue, match=expected) as error:
        way(options, name, text, tmp_path)
    assert isinstance(error.value, ValueError)
    assert (error.value.name, error.value.value) == (name, text)
    assert error.value.__cause__ is not None
    assert (error.value.path is not None) is (way is by_file)
    assert options[name] == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("i", "x"),
        ("i", 1.5),
        ("f", "1"),
        ("b", 1),
        ("dt", "2013-01-28"),
        ("td", 5),
        ("s", 5),
        ("ints", None),
        ("ints", 3),
        ("ints", (1,)),
        ("ints", ["1"]),
    ],
)
def test_assignments_are_checked(options: OptionParser, name: str, value: object) -> None:
    with pytest.raises(InvalidValue):
        setattr(options, name, value)
    with pytest.raises(Error):
        options[name] = value


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("i", None, None),
        ("i", 5, 5),
        ("f", 1, 1.0),
        ("upper", 5, 5),
        ("ints", [1, None], [1, None]),
        ("td", span(hours=1), span(hours=1)),
        ("two-words", 1, 1),
    ],
)
def test_assignments(options: OptionParser, name: str, value: object, kept: object) -> None:
    options[name] = value
    assert options[name] == kept
    assert getattr(options, name) == kept


# -- the command line


def test_parsing_ends_at_the_first_argument(options: OptionParser) -> None:
    assert options.parse_command_line(["p", "--i=5", "rest", "--f=1"]) == ["rest", "--f=1"]
    assert (options.i, options.f) == (5, None)
    assert options.parse_command_line(["p", "--i=6", "--", "--f=1"]) == ["--f=1"]
    assert options.parse_command_line([]) == []
    assert options.parse_command_line(["p", "--b", "x"]) == ["x"]
    assert options.b is True


def test_sys_argv_is_the_default(options: OptionParser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["p", "--i=7"])
    options.parse_command_line()
    assert options.i == 7


@pytest.mark.parametrize(
    ("argument", "error", "sentence"),
    [
        ("--nope", UnknownOption, "'nope': --help lists"),
        ("--two-word=1", UnknownOption, "did you mean --two-words?"),
        ("-", UnknownOption, "''"),
        ("--I=1", UnknownOption, "'I'"),
        ("--i", MissingValue, "'i' requires a value: write --i=VALUE"),
        ("--ints", MissingValue, "'ints' requires a value"),
    ],
)
def test_mistakes_on_the_command_line(
    options: OptionParser, argument: str, error: type[Error], sentence: str
) -> None:
    with pytest.raises(error) as caught:
        options.parse_command_line(["p", argument])
    assert sentence in str(caught.value)


# -- files


def test_a_file_is_python(options: OptionParser, tmp_path: Path) -> None:
    path = tmp_path / "file.conf"
    path.write_text(
        "import os\ns = os.path.basename(__file__)\nints = [n for n in range(3)]\n"
        "two_words = 1 + 1\nother = object()\ndt = None\n"
    )
    options.parse_config_file(str(path))
    assert (options.s, options.ints, options.two_words) == ("file.conf", [0, 1, 2], 2)


@pytest.mark.parametrize("source", ["port =", "raise KeyError(1)"])
def test_its_own_errors_come_through_with_their_place(
    options: OptionParser, tmp_path: Path, source: str
) -> None:
    path = tmp_path / "file.conf"
    path.write_text("\n" + source)
    with pytest.raises((SyntaxError, KeyError)) as caught:
        options.parse_config_file(path)
    if isinstance(caught.value, SyntaxError):
        assert (caught.value.filename, caught.value.lineno) == (str(path), 2)
    else:
        assert caught.traceback[-1].path == path
    with pytest.raises(FileNotFoundError):
        options.parse_config_file(tmp_path / "missing")


def test_the_coding_is_that_of_the_file(options: OptionParser, tmp_path: Path) -> None:
    path = tmp_path / "file.conf"
    for coding in ("utf-8", "latin-1"):
        path.write_bytes(f"# coding: {coding}\ns = 'é'\n".encode(coding))
        options.parse_config_file(path)
        assert options.s == "é"


def test_a_file_named_on_the_command_line(tmp_path: Path) -> None:
    parser = OptionParser()
    parser.define("config", callback=lambda path: parser.parse_config_file(path, final=False))
    parser.define("x", type=int)
    (tmp_path / "file.conf").write_text("x = '3'")
    parser.parse_command_line(["p", f"--config={tmp_path / 'file.conf'}"])
    assert parser.x == 3


# -- callbacks, groups, help


def test_callbacks() -> None:
    parser = OptionParser()
    seen: list[object] = []
    parser.define("one", type=int, callback=seen.append)
    parser.define("many", type=int, multiple=True, callback=seen.append)
    parser.parse_command_line(["p", "--one=1", "--many=1:2"])
    parser.one = 4
    assert seen == [1, [1, 2], 4]
    done: list[str] = []
    parser.add_parse_callback(lambda: done.append("a"))
    parser.add_parse_callback(lambda: done.append("b"))
    parser.parse_command_line(["p"], final=False)
    assert done == []
    parser.run_parse_callbacks()
    parser.parse_command_line(["p"])
    assert done == ["a", "b"] * 2


def test_names_are_taken_once(options: OptionParser) -> None:
    for name in ("i", "two_words", "two-words", "help"):
        with pytest.raises(DuplicateOption, match="already defined") as caught:
            options.define(name)
    options.define("mine")
    with pytest.raises(DuplicateOption) as caught:
        options.define("mine")
    assert caught.value.file_name == __file__


def test_options_as_a_mapping() -> None:
    parser = OptionParser()
    parser.define("a_b", default=1, group="one")
    parser.define("c", default="x")
    assert list(parser) == ["help", "a_b", "c"]
    assert parser.items() == [("help", None), ("a_b", 1), ("c", "x")]
    assert parser.as_dict() == {"help": None, "a_b": 1, "c": "x"}
    assert parser.groups() == {"", "one", __file__}
    assert parser.group_dict("one") == {"a_b": 1}
    assert parser.group_dict("") == parser.as_dict()
    assert "a-b" in parser
    assert "nope" not in parser
    assert set(parser._options) == {"help", "a-b", "c"}
    for use in (lambda: parser.nope, lambda: parser["nope"], lambda: setattr(parser, "nope", 1)):
        with pytest.raises(AttributeError, match="no option 'nope'"):
            use()


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    parser = OptionParser()
    parser.define("port", default=80, help="where to listen", metavar="PORT", group="app")
    parser.define("x" * 40, help="100% " + "long " * 30)
    parser.define("ints", multiple=True, type=int, default=[1, 2])
    file = io.StringIO()
    parser.print_help(file)
    text = file.getvalue()
    assert text.startswith(f"Usage: {sys.argv[0]} [OPTIONS]")
    assert (
        "\napp options:\n\n  --port=PORT                      where to listen (default 80)\n"
        in text
    )
    assert f"\n  --{'x' * 40}\n" in text
    assert "(default [1, 2])" in text
    assert max(map(len, text.splitlines()[1:])) < 80
    for final in (True, False):
        with pytest.raises(SystemExit) as caught:
            parser.parse_command_line(["p", "--help"], final=final)
        assert caught.value.code == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == text * 2
    parser.parse_command_line(["p", "--help=false"])


def test_mockable() -> None:
    parser = OptionParser()
    parser.define("name", default=5)
    with mock.patch.object(parser.mockable(), "name", 7):
        assert parser.name == 7
    assert parser.name == 5
    view = parser.mockable()
    view.name = 8
    assert view.name == 8
    with pytest.raises(AssertionError, match="patched already"):
        view.name = 9
    del view.name
    assert parser.name == 5


def test_the_shared_parser_is_behind_the_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    parser = OptionParser()
    monkeypatch.setattr(options_module, "options", parser)
    options_module.define("port", default=1, help="h", metavar="M", group="g", type=int)
    done: list[int] = []
    options_module.add_parse_callback(lambda: done.append(parser.port))
    assert options_module.parse_command_line(["p", "--port=2", "rest"]) == ["rest"]
    assert done == [2]
    file = io.StringIO()
    options_module.print_help(file)
    assert "--port=M" in file.getvalue()


def test_a_definition_names_the_file_that_calls_it() -> None:
    parser = OptionParser()
    parser.define("x")
    assert parser._options["x"].file_name == __file__


def test_an_unknown_option_shows_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    parser = OptionParser()
    parser.define("port", default=8888, help="where to listen")
    with pytest.raises(UnknownOption):
        parser.parse_command_line(["program", "--prot=1"])
    assert "where to listen" in capsys.readouterr().err
