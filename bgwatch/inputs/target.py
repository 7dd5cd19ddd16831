"""The text of an address to what a request needs: scheme, host, port, and what is asked for."""

import contextlib
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

import idna

from bgwatch.inputs.sources import shown

PORTS = {"http": 80, "https": 443}
LONGEST = 8192
HOST = re.compile(r"[a-z0-9_-][a-z0-9_.-]*|[0-9a-f:.]*:[0-9a-f:.]*")
LEGAL = "%/:@!$&'()*+,;=~-._?"  # in a path and a query, apart from letters and digits


class Refused(Exception):
    """Why an address is not fetched, in words that follow the address."""


@dataclass(frozen=True)
class Target:
    """Where a request goes.

    Attributes
    ----------
    url : str
        The address it was read from.
    scheme : {"http", "https"}
        The scheme.
    host : str
        A name in ASCII (IDNA 2008 with the mapping of UTS 46) or an address without brackets.
    port : int
        The port.
    asked : str
        Path and query, in ASCII.
    """

    url: str
    scheme: str
    host: str
    port: int
    asked: str

    @classmethod
    def of(cls, url: str) -> "Target":
        """Read an address; raise Refused when it is none, or none that is fetched."""
        if len(url) > LONGEST:
            raise Refused(f"is an address of more than {LONGEST} characters; check it")
        if any(unicodedata.category(char)[0] == "C" for char in url):
            raise Refused("has control characters in it; check the address")
        try:
            parts = urlsplit(url)
            host, port = _in_ascii(parts.hostname or ""), parts.port
        except ValueError as error:
            raise Refused(f"is not understood ({error}); check the address") from None
        if parts.scheme not in PORTS:
            raise Refused("cannot be fetched: only http and https can; for a file of this machine give its path")
        if parts.username is not None or parts.password is not None:
            raise Refused("has a user name in it, which is not sent; give an address that needs none")
        if not HOST.fullmatch(host) or port == 0:
            raise Refused("names no host, or one that cannot be; check the address")
        asked = quote(parts.path or "/", LEGAL) + (f"?{quote(parts.query, LEGAL)}" if parts.query else "")
        return cls(url, parts.scheme, host, PORTS[parts.scheme] if port is None else port, asked)

    @property
    def netloc(self) -> str:
        """Host and port as the header ``Host`` has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def redirected(self, location: str) -> "Target":
        """Read the header ``Location`` of an answer; raise Refused unless it may be followed."""
        with contextlib.suppress(UnicodeError):  # http.client takes for Latin-1 what servers send as UTF-8
            location = location.encode("latin-1").decode("utf-8")
        try:
            following = Target.of(urljoin(self.url, location))
        except ValueError as error:
            raise Refused(f"it redirects to {shown(location)}, which is not understood ({error})") from None
        except Refused as error:
            raise Refused(f"it redirects to {shown(location)}, which {error}") from None
        if (self.scheme, following.scheme) == ("https", "http"):
            said = f"it redirects from https to http ({shown(following.url)}), which is not followed; check the address"
            raise Refused(said)
        return following


def _in_ascii(host: str) -> str:
    """Write a host as it is resolved, connected to and sent; raise UnicodeError where it cannot be.

    What is ASCII stays as it is, names with ``_`` too, which IDNA does not have. Sockets encode names once more, in the
    way of IDNA 2003, which is done here so that it changes nothing there.
    """
    name = host if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    return name.encode("idna").decode("ascii")
