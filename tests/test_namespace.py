"""All packages installed together share the namespace `zonda`, which belongs to none of them."""

import importlib
import importlib.util

import pytest

NAMES = ("httputil", "ioloop", "iostream", "httpserver", "httpclient", "web", "tornado")


def test_zonda_has_no_file_of_its_own() -> None:
    spec = importlib.util.find_spec("zonda")
    assert spec is not None
    assert spec.origin is None


@pytest.mark.parametrize("name", NAMES)
def test_public_names_exist(name: str) -> None:
    module = importlib.import_module(f"zonda.{name}")
    assert module.__doc__
    missing = [public for public in module.__all__ if not hasattr(module, public)]
    assert missing == []
    assert len(set(module.__all__)) == len(module.__all__)
