"""Which Zonda module does the job of which Tornado module, and what level of Tornado that is.

The one table of this package. Everything else is derived from it.
"""

#: The level of Tornado whose public surface Zonda answers to.
VERSION = "6.6.1"
VERSION_INFO = (6, 6, 1, 0)

#: Name under ``tornado`` -> the Zonda module that it is.
MODULES = {
    "tornado._locale_data": "zonda.web._locale_data",
    "tornado.auth": "zonda.web.auth",
    "tornado.autoreload": "zonda.ioloop.autoreload",
    "tornado.concurrent": "zonda.ioloop.concurrent",
    "tornado.curl_httpclient": "zonda.httpclient.curl",
    "tornado.escape": "zonda.httputil.escape",
    "tornado.gen": "zonda.ioloop.gen",
    "tornado.http1connection": "zonda.httpserver.http1connection",
    "tornado.httpclient": "zonda.httpclient",
    "tornado.httpserver": "zonda.httpserver",
    "tornado.httputil": "zonda.httputil",
    "tornado.ioloop": "zonda.ioloop",
    "tornado.iostream": "zonda.iostream",
    "tornado.locale": "zonda.web.locale",
    "tornado.locks": "zonda.ioloop.locks",
    "tornado.log": "zonda.ioloop.log",
    "tornado.netutil": "zonda.iostream.netutil",
    "tornado.options": "zonda.ioloop.options",
    "tornado.platform.asyncio": "zonda.ioloop.platform.asyncio",
    "tornado.platform.caresresolver": "zonda.iostream.platform.caresresolver",
    "tornado.process": "zonda.iostream.process",
    "tornado.queues": "zonda.ioloop.queues",
    "tornado.routing": "zonda.httpserver.routing",
    "tornado.simple_httpclient": "zonda.httpclient.simple",
    "tornado.tcpclient": "zonda.iostream.tcpclient",
    "tornado.tcpserver": "zonda.iostream.tcpserver",
    "tornado.template": "zonda.web.template",
    "tornado.testing": "zonda.web.testing",
    "tornado.util": "zonda.ioloop.util",
    "tornado.web": "zonda.web",
    "tornado.websocket": "zonda.web.websocket",
    "tornado.wsgi": "zonda.httpserver.wsgi",
}

#: Packages of Tornado that only hold modules -> the file of the drop-in that stands for them.
PACKAGES = {
    "tornado": "zonda.tornado.root",
    "tornado.platform": "zonda.tornado.platform",
}

#: Zonda's logger -> the name that Tornado's users configure.
LOGGERS = {
    "zonda.access": "tornado.access",
    "zonda.application": "tornado.application",
    "zonda.general": "tornado.general",
}


def submodules(package: str) -> list[str]:
    """Last parts of the names right below ``package``, sorted.

    >>> submodules("tornado.platform")
    ['asyncio', 'caresresolver']
    """
    names = (name.rpartition(".") for name in (*MODULES, *PACKAGES))
    return sorted(last for parent, _, last in names if parent == package)
