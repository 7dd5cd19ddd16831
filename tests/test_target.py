"""Any text is an address that a request can be made of, or is refused in words."""

import contextlib
import http.client
import io

from hypothesis import example, given
from hypothesis import strategies as st

from bgwatch.inputs.target import Refused, Target

TEXTS = st.text() | st.text(alphabet="htp:s/@[]%?#\\. \n\u2100\uff0f1a")


class Wire:
    """A socket that keeps what is sent to it."""

    def __init__(self) -> None:
        self.sent = b""

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def makefile(self, _: str) -> io.BytesIO:
        return io.BytesIO(b"HTTP/1.1 200 OK\r\n\r\n")

    def close(self) -> None: ...


def request_for(target: Target) -> list[bytes]:
    """Give the lines that `http.client` sends."""
    connection = http.client.HTTPConnection(target.netloc)
    connection.sock = wire = Wire()  # type: ignore[assignment]
    connection.request("GET", target.asked)
    connection.getresponse().close()
    return wire.sent.split(b"\r\n")


@given(TEXTS)
@example("example.org")
@example("[::1]")
@example("[fe80::abc]:443")
@example("a/b?c d\u00fc%zz")
@example("a\\b@127.0.0.1")
def test_what_is_read_can_be_asked_for(text: str) -> None:
    for scheme in ("http://", "https://", ""):
        with contextlib.suppress(Refused):
            target = Target.of(scheme + text)
            first, host, *rest = request_for(target)
            assert first == f"GET {target.asked} HTTP/1.1".encode("ascii")
            assert target.asked.startswith("/")
            assert host == f"Host: {target.netloc}".encode("ascii")
            assert rest == [b"Accept-Encoding: identity", b"", b""]
            assert Target.of(f"{target.scheme}://{target.netloc}{target.asked}").host == target.host


@given(TEXTS)
@example("//[")
@example("http://[::1")
def test_any_header_is_followed_or_refused(location: str) -> None:
    for here in (Target.of("http://example.org/a/b"), Target.of("https://example.org/a/b")):
        with contextlib.suppress(Refused):
            following = here.redirected(location)
            assert following.scheme == "https" or here.scheme == "http"
            assert request_for(following)
