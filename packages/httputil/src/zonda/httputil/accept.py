"""Content negotiation: Accept, Accept-Encoding and Accept-Language (RFC 9110 §12).

In: the value of the header, None when it is absent, and what the server has to offer in its order
of preference. Out: the offer to use, or None when none is acceptable. Nothing raises: members of
the list that are malformed are left out. Linear in the header, for any number of offers.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from zonda.httputil.parameters import parse_parameters

_MEMBER: Final = re.compile(r'(?:[^,"]++|"(?:[^"\\]++|\\.)*+(?:"|\\?\Z))++', re.DOTALL)
_WEIGHT: Final = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
_TOKEN: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_NAME: Final = re.compile(rf"{_TOKEN}(?:/{_TOKEN})?")
_LANGUAGE_RANGE: Final = re.compile(r"\*|[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*+")
# What old clients call them (RFC 9110 §8.4.1).
_CODING_ALIASES: Final = {"x-gzip": "gzip", "x-compress": "compress"}


class Preference(NamedTuple):
    """A member of the list: what it names, its parameters without ``q``, its weight, 0 to 1."""

    name: str
    parameters: dict[str, str]
    quality: float


def parse_accept(value: str) -> list[Preference]:
    """The members of an Accept, Accept-Encoding or Accept-Language header in its order.

    Names come out in lower case. A member with an invalid weight is left out, and one whose name is
    neither a token nor two of them with a slash.

    >>> [(name, q) for name, _, q in parse_accept("text/html, application/xml;q=0.9, */*;q=0.1")]
    [('text/html', 1.0), ('application/xml', 0.9), ('*/*', 0.1)]
    """
    preferences = []
    for member in _MEMBER.findall(value):
        name, parameters = parse_parameters(member)
        weight = parameters.pop("q", "1")
        if _NAME.fullmatch(name) and _WEIGHT.fullmatch(weight):
            preferences.append(Preference(name.lower(), parameters, float(weight)))
    return preferences


def media_type_quality(header: str | None, media_type: str) -> float:
    """The weight of a media type: that of the most specific range that covers it.

    >>> media_type_quality("text/*;q=0.3, text/html;level=1", "text/html;level=1")
    1.0
    """
    return _media_type_quality(_accepted(header), media_type)


def choose_media_type(header: str | None, offers: Sequence[str]) -> str | None:
    """The offered media type with the highest weight, the first of several; None if all have 0.

    Args:
        header: Value of Accept; None when absent, which accepts everything.
        offers: Media types, with parameters if these matter, most preferred first.

    >>> choose_media_type("text/*;q=0.5, application/json", ["text/html", "application/json"])
    'application/json'
    """
    accepted = _accepted(header)
    best, best_quality = None, 0.0
    for offer in offers:
        quality = _media_type_quality(accepted, offer)
        if quality > best_quality:
            best, best_quality = offer, quality
    return best


def _accepted(header: str | None) -> list[Preference] | None:
    # Absent or empty: everything is acceptable (the empty list is valid and says nothing).
    if header is None or not header.strip(" \t,"):
        return None
    return [each for each in parse_accept(header) if "/" in each.name]


def _media_type_quality(accepted: list[Preference] | None, media_type: str) -> float:
    if accepted is None:
        return 1.0
    name, parameters = parse_parameters(media_type)
    name = name.lower()
    any_subtype = name.partition("/")[0] + "/*"
    best, quality = -1, 0.0
    for wanted, conditions, weight in accepted:
        if wanted == name:
            if not conditions.items() <= parameters.items():
                continue
            specificity = 2 + len(conditions)
        elif wanted == any_subtype:
            specificity = 1
        elif wanted == "*/*":
            specificity = 0
        else:
            continue
        if specificity > best:
            best, quality = specificity, weight
    return quality


def choose_encoding(header: str | None, offers: Sequence[str]) -> str | None:
    """The offered content coding to use, ``identity`` if none of them is wanted.

    Args:
        header: Value of Accept-Encoding; None when absent, and then nothing is encoded.
        offers: Content codings, most preferred first, without ``identity``.

    Returns:
        The coding with the highest weight, of several the first offered; ``identity``, which is
        acceptable unless refused, when its weight is stated and higher or no other is accepted;
        None if even that is refused (RFC 9110 §12.5.3).

    >>> choose_encoding("gzip, br;q=0.9", ["br", "gzip"])
    'gzip'
    >>> choose_encoding("gzip;q=0", ["gzip"])
    'identity'
    """
    if header is None:
        return "identity"
    weights: dict[str, float] = {}
    for name, _, quality in parse_accept(header):
        if "/" not in name:
            weights.setdefault(_CODING_ALIASES.get(name, name), quality)
    anything = weights.get("*", 0.0)
    best, best_quality = None, 0.0
    for offer in offers:
        quality = weights.get(offer.lower(), anything)
        if quality > best_quality:
            best, best_quality = offer, quality
    stated = weights.get("identity")
    if stated is None:
        identity_refused = "*" in weights and not anything
        return best or (None if identity_refused else "identity")
    if stated > best_quality:
        return "identity"
    return best


def choose_language(header: str | None, offers: Sequence[str]) -> str | None:
    """The offered language that suits best, by the look-up of RFC 4647 §3.4.

    Each range of the header, by weight, is tried as it is and then shorter, subtag by subtag
    (``zh-Hant-TW``, ``zh-Hant``, ``zh``), until an offer equals it.

    Args:
        header: Value of Accept-Language, None when absent.
        offers: Language tags, most preferred first; ``_`` may stand for ``-``.

    Returns:
        The offer, None if there is none that suits: use the default.

    >>> choose_language("fr-CA, en;q=0.8", ["en", "fr"])
    'fr'
    """
    if header is None:
        return None
    tags: dict[str, str] = {}
    for offer in offers:
        tags.setdefault(offer.lower().replace("_", "-"), offer)
    preferences = [each for each in parse_accept(header) if _LANGUAGE_RANGE.fullmatch(each.name)]
    refused = {name for name, _, quality in preferences if not quality}
    for name, _, quality in sorted(preferences, key=lambda each: -each.quality):
        if not quality:
            break
        if name == "*":
            acceptable = [offer for tag, offer in tags.items() if tag not in refused]
            if acceptable:
                return acceptable[0]
            continue
        subtags = name.split("-")[:8]
        while subtags:
            tag = "-".join(subtags)
            if tag in tags and tag not in refused:
                return tags[tag]
            subtags.pop()
            if subtags and len(subtags[-1]) == 1:  # a singleton goes with what it introduced
                subtags.pop()
    return None
