"""Limits of forms and the process's defaults; what they do is in test_forms.py."""

from zonda.httputil.form_config import (
    ParseBodyConfig,
    ParseMultipartConfig,
    ParseUrlEncodedConfig,
    get_parse_body_config,
    set_parse_body_config,
)


def test_defaults() -> None:
    assert get_parse_body_config() == ParseBodyConfig(
        ParseMultipartConfig(enabled=True, max_parts=100, max_part_header_size=10240),
        ParseUrlEncodedConfig(max_arguments=1000),
    )


def test_parts_are_not_shared() -> None:
    first, second = ParseBodyConfig(), ParseBodyConfig()
    first.multipart.max_parts = 1
    first.urlencoded.max_arguments = 1
    assert second == ParseBodyConfig()


def test_the_last_one_set_is_the_default() -> None:
    before = get_parse_body_config()
    config = ParseBodyConfig(ParseMultipartConfig(False))
    try:
        set_parse_body_config(config)
        assert get_parse_body_config() is config
    finally:
        set_parse_body_config(before)
