"""The certificate for localhost, as TLS sees it."""

import ssl

import pytest

from zonda.httpserver.testing import RawClient, serve
from zonda.web import Application, RequestHandler
from zonda.web.testing import certificate, self_signed


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("Hello")


def test_there_is_one_for_the_process() -> None:
    assert self_signed() is self_signed()


async def test_a_client_that_trusts_it_verifies_it() -> None:
    made = self_signed()
    application = Application([("/", Hello)])
    async with serve(application, ssl_options=made.server_context()) as port:
        async with RawClient(port, tls=made.client_context()) as client:
            assert (await client(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")).body == b"Hello"


def handshake(name: str, context: ssl.SSLContext) -> dict[str, object]:
    """Do one in memory, and return what the client has verified."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname=name)
    server = self_signed().server_context().wrap_bio(to_server, to_client, server_side=True)
    ends = [client, server]
    while ends:
        for end in list(ends):
            try:
                end.do_handshake()
                ends.remove(end)
            except ssl.SSLWantReadError:
                pass
    found = client.getpeercert()
    assert found is not None
    return dict(found)


@pytest.mark.parametrize("name", certificate.NAMES)
def test_its_names(name: str) -> None:
    found = handshake(name, self_signed().client_context())
    assert ("DNS", "localhost") in found["subjectAltName"]  # type: ignore[operator]


def test_strictly() -> None:
    """As Python 3.13 checks by default."""
    context = self_signed().client_context()
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    handshake("localhost", context)


@pytest.mark.parametrize(
    ("name", "trusting"), [("example.org", True), ("127.0.0.2", True), ("localhost", False)]
)
def test_others_do_not_pass(name: str, trusting: bool) -> None:
    context = self_signed().client_context() if trusting else ssl.create_default_context()
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(name, context)


def test_arithmetic_of_the_curve() -> None:
    # The order of the generator, from both sides.
    generator = certificate._G
    last = certificate._multiply(certificate._N - 1, generator)
    assert last == (generator[0], certificate._P - generator[1])
    assert certificate._add(last, generator) is None
    twice = certificate._add(generator, generator)
    assert twice is not None
    assert certificate._multiply(3, generator) == certificate._add(twice, generator)


@pytest.mark.parametrize(
    ("dotted", "encoded"),
    [("1.2.840.10045.3.1.7", "06082a8648ce3d030107"), ("2.5.29.17", "0603551d11")],
)
def test_identifiers(dotted: str, encoded: str) -> None:
    assert certificate._identifier(dotted).hex() == encoded


@pytest.mark.parametrize(
    ("number", "encoded"), [(0, "020100"), (127, "02017f"), (128, "02020080"), (256, "02020100")]
)
def test_integers(number: int, encoded: str) -> None:
    assert certificate._integer(number).hex() == encoded
