"""Limits for form bodies and query strings, and the process's defaults for them.

Plain mutable dataclasses. ``parse_body_arguments`` and ``parse_multipart_form_data`` take one as
``config``; without, they use what ``set_parse_body_config`` was given last. Nothing here raises.
"""

from dataclasses import dataclass, field

__all__ = [
    "ParseBodyConfig",
    "ParseMultipartConfig",
    "ParseUrlEncodedConfig",
    "get_parse_body_config",
    "set_parse_body_config",
]


@dataclass
class ParseMultipartConfig:
    """Limits for ``multipart/form-data`` (RFC 7578).

    Attributes:
        enabled: False refuses multipart bodies altogether.
        max_parts: Most parts in a body.
        max_part_header_size: Most bytes of one part's header, its line ends included.
        max_part_headers: Most header lines of one part.
        max_fields_size: Most bytes that the parts without a file name may hold together. None
            means 1 MiB for a streamed body (fields are what a consumer keeps in memory) and no
            limit for a body that is in memory anyway.
    """

    enabled: bool = True
    max_parts: int = 100
    max_part_header_size: int = 10 * 1024
    max_part_headers: int = 32
    max_fields_size: int | None = None


@dataclass
class ParseUrlEncodedConfig:
    """Limits for ``application/x-www-form-urlencoded`` bodies and for query strings.

    Attributes:
        max_arguments: Most fields; an empty one between two ``&`` counts.
    """

    max_arguments: int = 1000


@dataclass
class ParseBodyConfig:
    """Limits for every kind of form body.

    >>> ParseBodyConfig(urlencoded=ParseUrlEncodedConfig(max_arguments=10)).multipart.max_parts
    100

    Attributes:
        multipart: Limits for ``multipart/form-data``.
        urlencoded: Limits for ``application/x-www-form-urlencoded``.
    """

    multipart: ParseMultipartConfig = field(default_factory=ParseMultipartConfig)
    urlencoded: ParseUrlEncodedConfig = field(default_factory=ParseUrlEncodedConfig)


_default = ParseBodyConfig()


def set_parse_body_config(config: ParseBodyConfig) -> None:
    """Set the limits that apply wherever none are given, for the whole process."""
    global _default
    _default = config


def get_parse_body_config() -> ParseBodyConfig:
    """Return the limits that apply wherever none are given."""
    return _default
