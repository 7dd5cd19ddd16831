"""URL to a file, under limits; the only door to the network.

It is `http.client` on a socket of our own: a host's name is resolved once, every answer is checked, and the socket is
connected to an address that was checked, so that no second answer of a name server can lead elsewhere. The libraries
that are friendlier to use resolve names themselves, keep connections and read the proxies of the environment; what
would be left of them here is what `http.client` is. Every read and write ends at one moment, however slowly bytes come.

Each redirect passes the same checks. One from https to http is refused: what was asked for in secret is not fetched in
the open. Nothing is tried twice; a batch names what failed and may be called again.
"""

import contextlib
import functools
import http.client
import io
import re
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import IO, Any, cast

from bgwatch import __version__
from bgwatch.errors import FolderError, PictureError
from bgwatch.inputs.addresses import not_public
from bgwatch.inputs.sources import shown
from bgwatch.inputs.target import Refused, Target
from bgwatch.settings import FetchLimits

REDIRECTS = 5
MOVED = (301, 302, 303, 307, 308)
INTERIM = 5  # answers before the real one
CONNECTING = 10.0  # seconds for one of a host's addresses
CHUNK = 2**16
LONGEST_SAID = 200  # characters of what a server says that are repeated
# others, as the frequent mistake utf-8, change nothing: browsers take them so too
PACKINGS = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd", "compress", "x-compress", "dcb", "dcz"})
HTML = re.compile(
    rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]{0,400}>\s*)?(<!--.{0,400}?-->\s*)?<(!doctype html|html|head|body)\b",
    re.IGNORECASE | re.DOTALL,
)


def fetch(url: str, folder: Path, max_bytes: int, limits: FetchLimits) -> IO[bytes]:
    """Fetch an address into a file without a name, which is gone when it is closed or its process dies.

    Parameters
    ----------
    url : str
        The address; anything but http and https is refused.
    folder : Path
        Of the disk that the file is to lie on.
    max_bytes : int
        Larger answers are refused, as soon as they say so or it shows.
    limits : FetchLimits
        How long it may take, and whether it may lead into private networks.

    Returns
    -------
    file : binary file
        At its beginning.

    Raises
    ------
    PictureError
        When it is no address, leads where it may not, does not answer, or answers with anything but a file that may
        be a picture.
    FolderError
        When the folder cannot be written or is full.
    """
    clock = _Clock(limits.fetch_seconds)
    try:
        return _fetched(url, folder, max_bytes, limits.allow_private_hosts, clock)
    except TimeoutError:
        said = f"was not there whole within fetch_seconds ({limits.fetch_seconds} s); raise it or try again later"
    except Refused as error:
        said = str(error)
    except ssl.SSLCertVerificationError as error:
        said = f"its server's certificate is not accepted ({error.verify_message}); check the address"
    except http.client.RemoteDisconnected:
        said = "its server ended the connection without an answer; try again later"
    except http.client.HTTPException as error:
        said = f"its server's answer is not understood ({_one_line(error)}); check the address"
    except OSError as error:
        said = f"the connection to its server failed ({error.strerror or _one_line(error)}); try again later"
    raise PictureError(f"{shown(url)}: {said}")


class _Clock:
    """Tells the seconds that are left of a span."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Give the seconds that are left; raise TimeoutError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def _fetched(url: str, folder: Path, max_bytes: int, private: bool, clock: _Clock) -> IO[bytes]:
    target = Target.of(url)
    for _ in range(REDIRECTS + 1):
        with _answer(target, private, clock) as answer:
            if answer.status not in MOVED:
                return _body(answer, folder, max_bytes)
            moved = answer.getheader("Location")
        if not moved:
            raise Refused("its server redirects without saying where to; check the address")
        target = target.redirected(moved)
    raise Refused(f"it redirects more than {REDIRECTS} times; check the address")


@contextlib.contextmanager
def _answer(target: Target, private: bool, clock: _Clock) -> Iterator[http.client.HTTPResponse]:
    with contextlib.ExitStack() as stack:
        sock = stack.enter_context(_connected(_checked(target, private, clock), clock))
        if target.scheme == "https":
            sock.settimeout(clock.left())  # for the whole handshake
            name = target.host.rstrip(".")
            sock = stack.enter_context(_trust().wrap_socket(sock, server_hostname=name))
        connection = http.client.HTTPConnection(target.netloc)
        connection.response_class = _Answer
        connection.sock = cast(Any, _Wire(sock, clock))
        headers = {
            "User-Agent": f"bgwatch/{__version__}",
            "Accept": "image/*, */*;q=0.1",
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        connection.request("GET", target.asked, headers=headers)
        yield stack.enter_context(connection.getresponse())


def _checked(target: Target, private: bool, clock: _Clock) -> list[tuple[int, Any]]:
    """Resolve a host, and refuse it when any of its addresses is not public."""
    try:
        found = _resolved(target, clock)
    except (socket.gaierror, UnicodeError) as error:
        said = error.strerror if isinstance(error, OSError) else _one_line(error)
        raise Refused(f"its host {target.host} is not found ({said}); check the address") from None
    addresses = [(family, address) for family, *_, address in found if family in (socket.AF_INET, socket.AF_INET6)]
    for _, address in addresses:
        if not private and (kind := not_public(str(address[0]))):
            raise Refused(
                f"its host {target.host} is {address[0]}, {kind}; say --allow-private-hosts if it is to be fetched"
            )
    return addresses


def _resolved(target: Target, clock: _Clock) -> list[tuple[Any, ...]]:
    """Ask the system for a host's addresses, in a thread since nothing else bounds the time it takes."""
    answer: Future[list[tuple[Any, ...]]] = Future()

    def ask() -> None:
        try:
            answer.set_result(list(socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)))
        except (OSError, UnicodeError) as error:
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    return answer.result(clock.left())


def _connected(addresses: list[tuple[int, Any]], clock: _Clock) -> socket.socket:
    failure = OSError("it has no address")
    for family, address in addresses:
        try:
            return _reached(family, address, clock)
        except OSError as error:
            clock.left()
            failure = error
    said = failure.strerror or _one_line(failure)
    raise Refused(f"its server cannot be reached ({said}); check the address or try again later")


def _reached(family: int, address: Any, clock: _Clock) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(min(CONNECTING, clock.left()))
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


@functools.cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


class _Answer(http.client.HTTPResponse):
    """An answer that is read on over those that come before it (RFC 9110, 15.2): `http.client` skips 100 alone."""

    def begin(self) -> None:
        for _ in range(INTERIM + 1):
            super().begin()
            if not 100 <= self.status < 200 or self.status == http.HTTPStatus.SWITCHING_PROTOCOLS:
                return
            cast(Any, self).headers = None  # so that the next head is read
        raise http.client.HTTPException(f"more than {INTERIM} answers that there is going to be one")


class _Wire:
    """A connected socket as `http.client` uses one, each step of which ends with the clock."""

    def __init__(self, sock: socket.socket, clock: _Clock) -> None:
        self._sock, self._clock = sock, clock

    def sendall(self, data: bytes) -> None:
        self._sock.settimeout(self._clock.left())
        self._sock.sendall(data)

    def makefile(self, _: str) -> io.BufferedReader:
        return _Bounded(_Reader(self._sock, self._clock))

    def close(self) -> None:
        """Leave the socket to whoever opened it: `http.client` says this while its answer is still to be read."""


class _Bounded(io.BufferedReader):
    """Never reads all there is: `http.client` would, for a chunk whose size is given as -1."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            raise http.client.HTTPException("a chunk of less than no bytes")
        return super().read(size)


class _Reader(io.RawIOBase):
    def __init__(self, sock: socket.socket, clock: _Clock) -> None:
        self._sock, self._clock = sock, clock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._clock.left())
        return self._sock.recv_into(buffer)


def _body(answer: http.client.HTTPResponse, folder: Path, max_bytes: int) -> IO[bytes]:
    if answer.status != 200:
        raise Refused(f"its server answered {_one_line(f'{answer.status} {answer.reason}')}; check the address")
    packed = PACKINGS.intersection(re.split(r"[,\s]+", answer.getheader("Content-Encoding", "").lower()))
    if packed:
        raise Refused(f"its server sent it packed ({min(packed)}) though it was asked not to; fetch it by other means")
    declared = answer.length
    if declared is not None and declared > max_bytes:
        raise Refused(f"{declared} bytes are more than max_bytes ({max_bytes}); raise it or take a smaller picture")
    with contextlib.ExitStack() as unless_whole:
        with _the_disk(folder):
            file = unless_whole.enter_context(tempfile.TemporaryFile(dir=folder))
        size = 0
        while chunk := answer.read(CHUNK):
            if not size and HTML.match(chunk):
                raise Refused("is an HTML page and no picture; give the address of the picture itself")
            size += len(chunk)
            if size > max_bytes:
                raise Refused(f"is larger than max_bytes ({max_bytes}); raise it or take a smaller picture")
            with _the_disk(folder):
                file.write(chunk)
        if size == 0 or (declared is not None and size < declared):
            of = f" of {declared}" if declared else ""
            raise Refused(f"its server ended the connection after {size}{of} bytes; try again later")
        with _the_disk(folder):
            file.seek(0)
        unless_whole.pop_all()
        return file


@contextlib.contextmanager
def _the_disk(folder: Path) -> Iterator[None]:
    """Tell a disk that fails from a network that does."""
    try:
        yield
    except OSError as error:
        said = f"{folder}: cannot be written ({error.strerror}); check its rights and its disk"
        raise FolderError(said) from None


def _one_line(said: object) -> str:
    """Put what an error or a server said into a line that is not too long for a sentence."""
    text = " ".join(str(said).split()) or type(said).__name__
    return text if len(text) <= LONGEST_SAID else text[:LONGEST_SAID] + "..."
