"""HTTPFile: a dict with attributes."""

import copy
import pickle

import pytest

from zonda.httputil.file import HTTPFile


def test_keys_are_attributes() -> None:
    file = HTTPFile(filename="a.txt", body=b"x", content_type="text/plain")
    assert (file.filename, file.body, file.content_type) == ("a.txt", b"x", "text/plain")
    file.filename = "b.txt"
    assert file["filename"] == "b.txt"
    file["body"] = b"y"
    assert file.body == b"y"
    del file.content_type
    assert file == {"filename": "b.txt", "body": b"y"}


@pytest.mark.parametrize("access", [lambda f: f.nothing, lambda f: delattr(f, "nothing")])
def test_other_attributes_do_not_exist(access: object) -> None:
    assert callable(access)
    with pytest.raises(AttributeError, match="nothing"):
        access(HTTPFile())
    assert not hasattr(HTTPFile(), "nothing")


def test_copies() -> None:
    file = HTTPFile(filename="a", body=b"x", content_type="t")
    for other in (copy.copy(file), copy.deepcopy(file), pickle.loads(pickle.dumps(file))):
        assert other == file
        assert other.filename == "a"
        assert isinstance(other, HTTPFile)
