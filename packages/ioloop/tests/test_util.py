"""The small tools of zonda.ioloop.util."""

import copy
import datetime
import gzip
import pickle
import sys
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zonda.ioloop import util
from zonda.ioloop.util import (
    ArgReplacer,
    Configurable,
    GzipDecompressor,
    ObjectDict,
    errno_from_exception,
    exec_in,
    import_object,
    raise_exc_info,
    re_unescape,
    timedelta_to_seconds,
)

# -- Configurable


class Base(Configurable):
    position: object
    named: dict[str, object]

    @classmethod
    def configurable_base(cls) -> type[Configurable]:
        return Base

    @classmethod
    def configurable_default(cls) -> type[Configurable]:
        return First

    def initialize(self, position: object = None, **named: object) -> None:
        self.position = position
        self.named = named


class First(Base):
    pass


class Second(Base):
    pass


class Below(Second):
    pass


@pytest.fixture(autouse=True)
def _configuration() -> Any:
    saved = Base._save_configuration()
    yield
    Base._restore_configuration(saved)


def test_the_default_is_made_with_the_arguments_of_the_call() -> None:
    made = Base(1, x=2)
    assert type(made) is First
    assert (made.position, made.named) == (1, {"x": 2})
    assert Base.configured_class() is First


@pytest.mark.parametrize("impl", [Second, Below, f"{__name__}.Second"])
def test_the_configured_class_is_made(
    impl: type[Configurable] | str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, __name__, sys.modules[Second.__module__])
    Base.configure(impl, k=5)
    expected = Second if isinstance(impl, str) else impl
    assert type(Base()) is expected
    assert Base().named == {"k": 5}
    assert Base(k=6).named == {"k": 6}
    # Made by their own names they know nothing of what was configured.
    assert [kind().named for kind in (First, Second, Below)] == [{}, {}, {}]
    Base.configure(None, z=1)
    assert type(Base()) is First
    assert Base().named == {"z": 1}


@pytest.mark.parametrize(
    ("impl", "error"),
    [(int, ValueError), ("os.path", TypeError), (5, TypeError), ("no_such_module.x", ImportError)],
)
def test_other_things_cannot_be_configured(impl: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        Base.configure(impl)
    assert Base.configured_class() is First


def test_an_implementation_may_be_an_interface_itself() -> None:
    class Inner(Base):
        @classmethod
        def configurable_base(cls) -> type[Configurable]:
            return Inner

        @classmethod
        def configurable_default(cls) -> type[Configurable]:
            return Innermost

    class Innermost(Inner):
        pass

    Base.configure(Inner, a=1)
    made = Base(b=2)
    assert type(made) is Innermost
    assert made.named == {"a": 1, "b": 2}


def test_instances_pickle_and_copy() -> None:
    made = Base(1, x=2)
    for other in (pickle.loads(pickle.dumps(made)), copy.copy(made), copy.deepcopy(made)):
        assert type(other) is First
        assert (other.position, other.named) == (1, {"x": 2})


def test_an_interface_must_say_what_it_is() -> None:
    class Silent(Configurable):
        @classmethod
        def configurable_base(cls) -> type[Configurable]:
            return Silent

        @classmethod
        def configurable_default(cls) -> type[Configurable]:
            return None  # type: ignore[return-value]

    with pytest.raises(NotImplementedError, match="configurable_base"):
        Configurable()
    with pytest.raises(ValueError, match="neither a configured nor a default"):
        Silent()


# -- ArgReplacer


def _call(url: str, method: str = "GET", callback: object = None) -> None: ...


def _keyword(url: str, *, callback: object = None) -> None: ...


def _anything(*args: object, **kwargs: object) -> None: ...


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "old", "new_args", "new_kwargs"),
    [
        (_call, ("u", "m", "cb"), {}, "cb", ["u", "m", "new"], {}),
        (_call, ("u",), {"callback": "cb"}, "cb", ("u",), {"callback": "new"}),
        (_call, ("u",), {}, None, ("u",), {"callback": "new"}),
        (_keyword, ("u",), {}, None, ("u",), {"callback": "new"}),
        (_anything, ("u", "v", "w"), {}, None, ("u", "v", "w"), {"callback": "new"}),
    ],
)
def test_an_argument_is_replaced(
    function: Callable[..., object],
    args: tuple[object, ...],
    kwargs: dict[str, object],
    old: object,
    new_args: object,
    new_kwargs: object,
) -> None:
    replacer = ArgReplacer(function, "callback")
    assert replacer.get_old_value(args, kwargs, "default") == ("default" if old is None else old)
    assert replacer.replace("new", args, kwargs) == (old, new_args, new_kwargs)


# -- GzipDecompressor


def whole(data: bytes, limit: int) -> bytes:
    """Decompress in pieces of at most ``limit`` bytes (0: all at once)."""
    decompressor = GzipDecompressor()
    out = []
    while data:
        piece = decompressor.decompress(data, limit)
        assert not limit or len(piece) <= limit
        out.append(piece)
        data = decompressor.unconsumed_tail
    assert decompressor.flush() == b""
    return b"".join(out)


def bytewise(data: bytes, limit: int) -> bytes:
    decompressor = GzipDecompressor()
    out = []
    for byte in data:
        rest = bytes([byte])
        while rest:
            out.append(decompressor.decompress(rest, limit))
            rest = decompressor.unconsumed_tail
    assert decompressor.flush() == b""
    return b"".join(out)


WAYS = pytest.mark.parametrize("decompress", [whole, bytewise])
TEXT = b"hello world " * 200


@WAYS
@pytest.mark.parametrize("limit", [0, 1, 100, 10**6])
@pytest.mark.parametrize("members", [1, 2, 5])
def test_members_are_decompressed(
    decompress: Callable[[bytes, int], bytes], limit: int, members: int
) -> None:
    assert decompress(gzip.compress(TEXT) * members, limit) == TEXT * members


@WAYS
@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(TEXT) + b"garbage",
        gzip.compress(TEXT) + b"\0\0",
        gzip.compress(TEXT) + b"\x1f",
        gzip.compress(TEXT)[:-1],
        gzip.compress(TEXT)[:5],
        gzip.compress(TEXT)[:-8] + bytes(8),
        zlib.compress(TEXT),
        b"x",
    ],
)
def test_anything_but_whole_members_is_an_error(
    decompress: Callable[[bytes, int], bytes], data: bytes
) -> None:
    with pytest.raises(zlib.error):
        decompress(data, 0)


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(0, 50), st.integers(1, 40))
def test_any_split_gives_the_same(parts: list[bytes], limit: int, step: int) -> None:
    data = b"".join(gzip.compress(part) for part in parts)
    decompressor = GzipDecompressor()
    out = b""
    for start in range(0, len(data), step):
        rest = data[start : start + step]
        while rest:
            out += decompressor.decompress(rest, limit)
            rest = decompressor.unconsumed_tail
    # What zlib still holds when the input ends with a limit comes with the next call.
    assert decompressor.flush() == b""
    assert out == b"".join(parts)


def test_a_bomb_is_bounded() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    decompressor = GzipDecompressor()
    assert len(decompressor.decompress(bomb, 1000)) == 1000
    with pytest.raises(ValueError, match="unconsumed_tail"):
        decompressor.flush()


def test_many_empty_members_are_linear(monkeypatch: pytest.MonkeyPatch) -> None:
    fed = 0

    class Counting:
        def __init__(self, wbits: int) -> None:
            self._real = zlib_decompressobj(wbits)

        def decompress(self, data: Any, length: int) -> bytes:
            nonlocal fed
            fed += len(data)
            return self._real.decompress(data, length)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._real, name)

    zlib_decompressobj = zlib.decompressobj
    monkeypatch.setattr(zlib, "decompressobj", Counting)
    costs = []
    for count in (5000, 10_000):
        fed = 0
        assert GzipDecompressor().decompress(gzip.compress(b"") * count, 0) == b""
        costs.append(fed)
    assert costs[1] < 2.5 * costs[0]


def test_the_limit_must_be_sensible_and_given() -> None:
    with pytest.raises(ValueError, match="negative"):
        GzipDecompressor().decompress(b"", -1)
    with pytest.warns(DeprecationWarning, match="max_length"):
        assert GzipDecompressor().decompress(gzip.compress(TEXT)) == TEXT


# -- the rest


def test_object_dict() -> None:
    settings = ObjectDict(a=1)
    settings.b = 2
    assert (settings.a, settings["b"]) == (1, 2)
    with pytest.raises(AttributeError, match="missing"):
        _ = settings.missing


@pytest.mark.parametrize(
    ("name", "expected"),
    [("os", "os"), ("os.path", "posixpath"), ("xml.dom.minidom", "xml.dom.minidom")],
)
def test_modules_are_imported(name: str, expected: str) -> None:
    if name == "os.path" and sys.platform == "win32":
        expected = "ntpath"
    assert import_object(name).__name__ == expected


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("os.missing", ImportError),
        ("missing_module", ImportError),
        ("missing_module.x", ImportError),
        ("zonda.ioloop.util.ObjectDict.copy", ImportError),
        ("xml.missing", ImportError),
        ("", ValueError),
        (".x", ValueError),
    ],
)
def test_names_of_nothing(name: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        import_object(name)


@pytest.mark.parametrize(
    ("error", "number"),
    [(OSError(5, "x"), 5), (Exception(7), 7), (Exception(), None), (OSError(), None)],
)
def test_error_numbers(error: Exception, number: object) -> None:
    assert errno_from_exception(error) == number


def test_an_exception_is_raised_again_with_its_traceback() -> None:
    def failing() -> None:
        raise KeyError(1)

    try:
        failing()
    except KeyError:
        info = sys.exc_info()
    with pytest.raises(KeyError) as caught:
        raise_exc_info(info)
    assert caught.traceback[-1].name == "failing"
    with pytest.raises(TypeError):
        raise_exc_info((None, None, None))


@given(st.text())
def test_re_unescape_is_the_inverse_of_escape(text: str) -> None:
    import re  # noqa: PLC0415 - only here

    assert re_unescape(re.escape(text)) == text


@pytest.mark.parametrize("text", [r"\d", r"\0", r"\b"])
def test_classes_cannot_be_unescaped(text: str) -> None:
    with pytest.raises(ValueError, match="cannot unescape"):
        re_unescape(text)


def test_small_ones() -> None:
    assert timedelta_to_seconds(datetime.timedelta(days=1, microseconds=5)) == 86400.000005
    assert util.TimeoutError is TimeoutError
    assert (util.unicode_type, util.basestring_type, util.bytes_type) == (str, str, bytes)
    assert util.is_finalizing() is False
    space: dict[str, Any] = {}
    local: dict[str, Any] = {}
    exec_in("x: int = 1", space, local)
    exec_in(compile("y = 2", "file", "exec"), space)
    assert (local["x"], space["y"]) == (1, 2)
    with pytest.raises(SyntaxError):
        exec_in("x =", space)
