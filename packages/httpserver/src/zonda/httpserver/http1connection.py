"""The names of Tornado's ``http1connection`` that servers use.

The driver is in `zonda.httpserver.connection`, its settings in `zonda.httpserver.parameters`.
"""

from zonda.httpserver.connection import HTTP1ServerConnection
from zonda.httpserver.parameters import HTTP1ConnectionParameters
from zonda.ioloop.log import app_log, gen_log

__all__ = ["HTTP1ConnectionParameters", "HTTP1ServerConnection", "app_log", "gen_log"]
