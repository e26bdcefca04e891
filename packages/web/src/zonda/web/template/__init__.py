"""Tornado's template language, compiled to Python.

    Template("Hello, {{ name }}!").generate(name="you")

=====================================  =====================================================
``{{ expression }}``                   its value, escaped
``{% raw expression %}``               its value as it is
``{% set x = 1 %}``                    assignment
``{% import m %} {% from m import n %}``  what Python's statements do
``{% if a %} {% elif b %} {% else %}``    ... ``{% end %}``
``{% for x in y %}``, ``{% while a %}``   ... ``{% end %}``, with ``break``, ``continue``, ``else``
``{% try %}``                          ... with ``except``, ``else``, ``finally``
``{% block name %}``                   a part that a template which extends this one may replace
``{% extends name %}``                 take another template, with the blocks of this one
``{% include name %}``                 another template, in this place
``{% apply function %}``               send the output up to ``{% end %}`` through a function
``{% module Name(...) %}``             a UI module
``{% autoescape function %}``          how this template escapes; None for not at all
``{% whitespace mode %}``              ``all``, ``single`` or ``oneline`` from here on
``{# ... #}``, ``{% comment ... %}``   nothing
``{{! {%! {#!``                        the two braces, literally
=====================================  =====================================================

An expression may ``await``: see `Template.generate_async`.
"""

from zonda.ioloop.log import app_log
from zonda.web.template.errors import ParseError, TemplateSyntaxError
from zonda.web.template.loader import BaseLoader, DictLoader, Loader
from zonda.web.template.template import Template
from zonda.web.template.whitespace import filter_whitespace

__all__ = [
    "BaseLoader",
    "DictLoader",
    "Loader",
    "ParseError",
    "Template",
    "TemplateSyntaxError",
    "app_log",
    "filter_whitespace",
]
