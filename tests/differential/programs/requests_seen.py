"""What a handler sees of a request, and what httputil makes of text."""

import asyncio
import copy
import datetime
import pickle
import time

import wire

from tornado import escape, httputil, util, web
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

NAMES = (
    "method",
    "uri",
    "path",
    "query",
    "version",
    "body",
    "remote_ip",
    "protocol",
    "host",
    "host_name",
    "arguments",
    "query_arguments",
    "body_arguments",
    "files",
)


class Show(web.RequestHandler):
    def get(self):
        request = self.request
        for name in NAMES:
            self.write(f"{name}: {getattr(request, name)!r}\n")
        self.write(f"full_url: {request.full_url()}\n")
        self.write(f"cookies: {sorted((k, v.value) for k, v in request.cookies.items())}\n")
        self.write(f"time: {0 <= request.request_time() < 5}\n")
        self.write(f"headers: {list(request.headers.get_all())}\n")
        self.write(repr(request).replace(str(self.request.remote_ip), "IP") + "\n")

    post = put = get


async def served():
    sockets = bind_sockets(0, "127.0.0.1")
    server = HTTPServer(
        web.Application([(r".*", Show)], log_function=lambda handler: None),
        xheaders=True,
        decompress_request=True,
    )
    server.add_sockets(sockets)
    port = sockets[0].getsockname()[1]
    form = "Content-Type: application/x-www-form-urlencoded"
    multi = "Content-Type: multipart/form-data; boundary=B"
    parts = (
        b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="n\xc3\xa9.txt"\r\n'
        b"Content-Type: text/x\r\n\r\ncontent\r\nmore\r\n"
        b"--B\r\nContent-Disposition: form-data; name=\"g\"; filename*=utf-8''%C3%A9.txt\r\n\r\nx\r\n--B--\r\n"
    )
    for row in (
        wire.request("/p%20q/x?a=1&a=2&b=&c&d=%20+x&e=%C3%A9"),
        wire.request("/", 'Cookie: a=1; b="two words"; c; =d; e="\\303\\251"; a=3'),
        wire.request("/", "X-Real-Ip: 4.4.4.4", "X-Scheme: https"),
        wire.request("/", "X-Forwarded-For: 1.1.1.1, 5.5.5.5", "X-Forwarded-Proto: http, https"),
        wire.request("/", "X-Real-Ip: not-an-ip", "X-Forwarded-Proto: gopher"),
        wire.request("/?a=q&x=%FF", form, method="POST", body=b"a=b&c=%FF&d=1&d=2&e="),
        wire.request("/", form + "; charset=x", method="PUT", body=b"a=b"),
        wire.request("/", multi, method="POST", body=parts),
        wire.request("/", multi, method="POST", body=b"--B\r\nno headers here"),
        wire.request("/", "Content-Type: multipart/form-data", method="POST", body=parts),
        wire.request("/", form, "Content-Encoding: nonsense", method="POST", body=b"a=b"),
        wire.request("/", "Content-Type: text/plain", method="POST", body=b"a=b"),
        wire.request("/", "X-Many: 1", "x-many: 2", "X-MANY: 3"),
        b"GET / HTTP/1.0\r\n\r\n",
    ):
        await wire.show(port, repr(row[:60]), row)
    server.stop()


def functions():
    headers = httputil.HTTPHeaders({"content-type": "text/x"})
    headers.add("Set-Cookie", "A=B")
    headers.add("set-cookie", "C=D")
    headers["X-Q_r"] = "v"
    print(list(headers), len(headers), dict(headers), list(headers.get_all()))
    print(str(headers).split("\n"), headers.get_list("set-cookie"), headers["SET-COOKIE"])
    print(headers == copy.copy(headers), pickle.loads(pickle.dumps(headers)) == headers)
    print(headers.copy() == copy.deepcopy(headers), headers == {"a": 1}, "content-TYPE" in headers)
    del headers["content-type"]
    print(
        headers.get("content-type"),
        headers.get("a", 5),
        headers.pop("X-Q_R"),
        headers.setdefault("n", "1"),
    )
    for wrong in ("missing",):
        try:
            headers[wrong]
        except KeyError as error:
            print("KeyError", error)
    headers.update({"b": "2"}, c="3")
    print(
        sorted(headers.items()),
        httputil.HTTPHeaders(A="1", b="2"),
        httputil.HTTPHeaders([("x", "y")]),
    )
    parsed = httputil.HTTPHeaders.parse("A: 1\r\nb:2\r\nA: 3\r\n")
    print(list(parsed.get_all()))
    for wrong in ("no colon", ": x", "a b: c", "A: 1\r\n\x00: 2", "A: 1\r\n folded"):
        try:
            print(list(httputil.HTTPHeaders.parse(wrong).get_all()))
        except httputil.HTTPInputError as error:
            print("HTTPInputError", isinstance(error, Exception), wrong != "")
    print(httputil.url_concat("http://h/p?a=1#f", [("b", "2 3"), ("c", "é")]))
    print(
        httputil.url_concat("/p", {"a": "&"}),
        httputil.url_concat("/p?", ()),
        httputil.url_concat("/p", None),
    )
    print(httputil.url_concat("/p?x=1", {"x": ""}))
    try:
        httputil.url_concat("/p", 5)
    except TypeError as error:
        print(type(error).__name__)
    moment = datetime.datetime(2013, 1, 27, 18, 43, 20)
    print(httputil.format_timestamp(1359312200), httputil.format_timestamp(moment))
    print(httputil.format_timestamp(moment.timetuple()), httputil.format_timestamp(time.gmtime(0)))
    print(
        httputil.format_timestamp(
            moment.replace(tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
        )
    )
    print(
        httputil.parse_request_start_line("GET /foo HTTP/1.1"),
        httputil.parse_response_start_line("HTTP/1.1 200 OK"),
    )
    print(httputil.parse_response_start_line("HTTP/1.0 404 Not Found here"))
    for wrong in ("GET /", "GET  / HTTP/1.1", "GET / HTTP/2", "", "G\x00 / HTTP/1.1"):
        try:
            print(httputil.parse_request_start_line(wrong))
        except httputil.HTTPInputError:
            print("HTTPInputError", repr(wrong))
    for wrong in ("HTTP/1.1 20 OK", "HTTP/1.1", "HTTP/1.1 abc X"):
        try:
            print(httputil.parse_response_start_line(wrong))
        except httputil.HTTPInputError:
            print("HTTPInputError", repr(wrong))
    print(
        httputil.parse_cookie('a=b; c="d\\"e"; f; =g; h=i=j'),
        httputil.split_host_and_port("h:80"),
        httputil.split_host_and_port("[::1]:80"),
        httputil.split_host_and_port("h"),
    )
    print(httputil.qs_to_qsl({"a": [b"1", b"2"]}) and list(httputil.qs_to_qsl({"a": ["1", "2"]})))
    print(
        httputil.encode_username_password("u", "pä"),
        httputil.HTTPFile(filename="f", body=b"", content_type="t"),
    )
    made = httputil.HTTPFile(filename="f", body=b"", content_type="t")
    print(made.filename, made["body"], made == {"filename": "f", "body": b"", "content_type": "t"})
    print(
        httputil.ResponseStartLine("HTTP/1.1", 200, "OK"),
        httputil.RequestStartLine("GET", "/", "HTTP/1.1")._asdict(),
    )
    arguments, files = {}, {}
    httputil.parse_body_arguments(
        "application/x-www-form-urlencoded", b"a=1&a=2&b=", arguments, files
    )
    print(arguments, files)
    thing = util.ObjectDict(a=1)
    thing.b = 2
    print(thing, thing.a, thing["b"], pickle.loads(pickle.dumps(thing)) == thing, copy.copy(thing))
    try:
        thing.missing
    except AttributeError as error:
        print(error)
    request = httputil.HTTPServerRequest(
        "GET", "/a?b=c", headers=httputil.HTTPHeaders({"Host": "H.example:80"})
    )
    print(
        request.host,
        request.host_name,
        request.full_url(),
        request.arguments,
        request.remote_ip,
        request.protocol,
    )
    print(repr(request))


def escapes():
    print(
        escape.xhtml_escape("<a href='x'>\"&</a>"),
        escape.xhtml_unescape("&lt;&#65;&#x41;&amp;&nosuch;&eacute;"),
    )
    print(
        escape.url_escape("a b/é+"),
        escape.url_escape("a b/", plus=False),
        escape.url_unescape("a+b%C3%A9"),
    )
    print(escape.url_unescape("a+b%ff", encoding=None), escape.url_unescape("a+b", plus=False))
    print(
        escape.json_encode({"a": "</script>"}),
        escape.json_decode(b'{"a": [1]}'),
        escape.squeeze(" a \n\t b "),
    )
    print(
        escape.utf8("é"),
        escape.utf8(None),
        escape.to_unicode(b"x"),
        escape.native_str(b"x"),
        escape.to_basestring(b"y"),
    )
    for wrong in (5, [], object):
        try:
            escape.utf8(wrong)
        except TypeError as error:
            print(type(error).__name__)
    print(
        escape.recursive_unicode({b"a": [b"b", (b"c",)]}),
        escape.parse_qs_bytes("a=1&b=%ff&a=2&c", True),
    )
    for text in (
        "http://a.example/x(y)z.",
        "www.a.example and (www.b.example/?q=1&r=2)",
        "ftp://f.example nothing",
        "javascript:alert(1) http://" + "long" * 20 + ".example/and/more/path?query=1",
    ):
        print(escape.linkify(text))
        print(escape.linkify(text, shorten=True, extra_params='rel="x"', require_protocol=True))
    print(
        escape.linkify(
            "ftp://f.example", permitted_protocols=["ftp"], extra_params=lambda url: 'class="c"'
        )
    )
    print(
        util.import_object("os.path.join").__name__,
        util.errno_from_exception(OSError(5, "x")),
        util.timedelta_to_seconds(datetime.timedelta(minutes=1)),
    )
    print(util.unicode_type, util.basestring_type, util.bytes_type, util.re_unescape(r"a\.b"))
    try:
        util.re_unescape(r"\d")
    except ValueError as error:
        print(type(error).__name__)

    def function(a, b=1, c=2):
        pass

    replacer = util.ArgReplacer(function, "b")
    print(
        replacer.get_old_value((1, 5), {}),
        replacer.replace(9, (1,), {}),
        replacer.replace(9, (1, 2), {}),
    )


wire.show_records()
asyncio.run(served())
functions()
escapes()
