from collections.abc import Callable

import pytest

from zonda.tornado.distribution import TornadoDistribution

Script = Callable[[str], str]


def test_version_of_the_distribution_is_that_of_the_module(script: Script) -> None:
    script(
        """
        import importlib.metadata as metadata
        import tornado
        assert metadata.version("tornado") == tornado.version == metadata.version("Tornado")
        assert metadata.metadata("tornado")["Name"] == "tornado"
        assert metadata.files("tornado") is None and metadata.requires("tornado") is None
        """
    )


def test_listings_show_only_what_is_installed(script: Script) -> None:
    script(
        """
        import importlib.metadata as metadata
        kinds = {type(one).__module__ for one in metadata.distributions()}
        assert "zonda.tornado.distribution" not in kinds
        assert metadata.version("pytest")
        try:
            metadata.version("tornado-nosuch")
        except metadata.PackageNotFoundError:
            pass
        else:
            raise AssertionError
        """
    )


def test_after_uninstall_it_is_gone(script: Script) -> None:
    script(
        """
        import importlib.metadata as metadata
        zonda.tornado.uninstall()
        try:
            found = metadata.distribution("tornado")
        except metadata.PackageNotFoundError:
            pass
        else:
            assert type(found).__module__ != "zonda.tornado.distribution"
        """
    )


def test_it_has_no_files() -> None:
    with pytest.raises(FileNotFoundError, match="no file of Tornado: tornado/web"):
        TornadoDistribution().locate_file("tornado/web.py")
