"""Fetching: what comes, what is refused, and that it ends."""

import itertools
import socket
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fetching import got, refused
from serving import BODY, HOST, Internet, Server, failing, leading, saying, sending, silence

from bgwatch import __version__
from bgwatch.errors import FolderError
from bgwatch.inputs import fetch
from bgwatch.settings import FetchLimits

EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nContent-Length: 3\r\n\r\n"


@pytest.fixture
def fast_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten seconds pass with each look at the clock."""
    monkeypatch.setattr(fetch, "time", SimpleNamespace(monotonic=itertools.count(0, 10).__next__))


def test_what_is_asked_for_comes(server: Server, tmp_path: Path) -> None:
    assert got(server.url("/a.png?size=b%20g&x=ü#top"), tmp_path) == BODY
    ((path, headers),) = server.asked
    assert path == "/a.png?size=b%20g&x=%C3%BC"
    assert headers == {
        "Host": f"127.0.0.1:{server.port}",
        "User-Agent": f"bgwatch/{__version__}",
        "Accept": "image/*, */*;q=0.1",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }


@pytest.mark.parametrize(
    "route",
    [
        sending(BODY, Content_Length=None),
        sending(BODY, Content_Length="many"),
        sending(BODY, Content_Encoding="identity"),
        sending(BODY, Content_Encoding="UTF-8"),
        sending(BODY, Content_Encoding=""),
        sending(BODY, Content_Type="text/plain"),
        sending(BODY + b"and more than was declared", Content_Length=len(BODY)),
        saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n"),
        saying(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" + BODY),
        saying(b"HTTP/1.1 102 Processing\r\n\r\n" * 5 + b"HTTP/1.1 200 OK\r\n\r\n" + BODY),
        saying(EARLY_HINTS + b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" + BODY),
        saying(EARLY_HINTS + b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY + b"more"),
    ],
)
def test_servers_may_answer_in_many_ways(server: Server, tmp_path: Path, route: Any) -> None:
    server.routes["/a.png"] = route
    assert got(server.url("/a.png"), tmp_path) == BODY


def test_the_proxies_of_the_environment_are_left_alone(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert got(server.url("/a.png"), tmp_path) == BODY


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://example.org/a.png", "cannot be fetched: only http and https can"),
        ("file:///etc/passwd", "cannot be fetched: only http and https can; for a file of this machine give its path"),
        ("gopher://example.org", "cannot be fetched"),
        ("http://", "names no host"),
        ("http:///a.png", "names no host"),
        ("http://.example.org/", "is not understood"),
        ("http://a..b/", "is not understood"),
        ("http://-ü.example/", "is not understood"),
        ("http://ü..example/", "is not understood"),
        ("http://" + "ü" * 8000, "is not understood"),
        ("http://example.org:0/", "names no host"),
        ("http://example.org:99999/", "is not understood"),
        ("http://example.org:x/", "is not understood"),
        ("http://[::1/", "is not understood"),
        ("http://%31%32%37.0.0.1/", "names no host, or one that cannot be"),
        ("http://exa mple.org/", "names no host, or one that cannot be"),
        ("http://[fe80::1%25eth0]/", "names no host, or one that cannot be"),
        ("http://anna@example.org/", "has a user name in it"),
        ("http://anna:secret@example.org/", "has a user name in it"),
        ("http://example.org\\@127.0.0.1/", "has a user name in it"),
        ("http://example.org/a\r\nHost: b", "has control characters in it"),
        ("http://example.org/\x1b[31m", "has control characters in it"),
        ("http://example.org/" + "a" * 9000, "is an address of more than 8192 characters"),
    ],
)
def test_what_is_no_address_is_never_looked_up(internet: Internet, tmp_path: Path, url: str, said: str) -> None:
    sentence = refused(url, tmp_path)
    assert said in sentence
    assert "secret" not in sentence
    assert not internet.resolved


@pytest.mark.parametrize(
    ("route", "said"),
    [
        (failing(404), "its server answered 404 Not Found; check the address"),
        (failing(500), "its server answered 500 Internal Server Error"),
        (sending(b"", 204), "its server answered 204"),
        (saying(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n"), "its server answered 101 Switching"),
        (saying(b"", EARLY_HINTS), "is not understood (more than 5 answers that there is going to be one)"),
        (
            saying(EARLY_HINTS + b"HTTP/1.1 404 Not Found\r\n\r\n"),
            "its server answered 404 Not Found; check the address",
        ),
        (sending(BODY, 206), "its server answered 206"),
        (leading("/", 304), "its server answered 304"),
        (sending(b""), "ended the connection after 0 bytes"),
        (sending(BODY, Content_Encoding="gzip"), "its server sent it packed (gzip) though it was asked not to"),
        (sending(BODY, Content_Encoding="utf-8, X-GZip"), "its server sent it packed (x-gzip) though it was asked"),
        (
            sending(BODY, Content_Length=len(BODY) + 1),
            "ended the connection after 280000 of 280001 bytes",
        ),
        (sending(BODY, Content_Length=10**6 + 1), "1000001 bytes are more than max_bytes (1000000)"),
        (sending(BODY, Content_Length=10**30), "bytes are more than max_bytes (1000000)"),
        (sending(BODY * 4, Content_Length=None), "is larger than max_bytes (1000000)"),
        (saying(b"HTTP/1.1 200 OK\r\n\r\n", b"picture" * 999), "is larger than max_bytes (1000000)"),
        (sending(b"<!DOCTYPE html><p>log in", Content_Type="image/png"), "is an HTML page and no picture"),
        (sending(b"\xef\xbb\xbf\n<!-- hello -->\n<HTML lang='de'>"), "is an HTML page and no picture"),
        (saying(b"HTTP/1.1 200 OK\r\n\r\n<html>", b"without end" * 999), "is an HTML page and no picture"),
        (saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc"), "answer is not understood"),
        (saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc"), "answer is not understood"),
        (
            saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", b"picture" * 999),
            "answer is not understood (a chunk of less than no bytes)",
        ),
        (
            saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabcde"),
            "answer is not understood (a chunk of less than no bytes)",
        ),
        (saying(b"HTTP/1.1 404 " + b"y" * 60000 + b"\r\n\r\n"), "yyy...; check the address"),
        (saying(b"HTTP/1.1 " + b"9" * 60000 + b"\r\n\r\n"), "999...); check the address"),
        (saying(b"SSH-2.0-OpenSSH_9.6\r\n"), "answer is not understood (SSH-2.0-OpenSSH_9.6)"),
        (saying(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 99), "answer is not understood (got more than 100 headers)"),
        (saying(b"HTTP/1.1 200 OK\r\nX: ", b"y" * 9999), "answer is not understood"),
        (saying(b""), "ended the connection without an answer"),
    ],
)
def test_an_answer_that_is_no_file_is_told(server: Server, tmp_path: Path, route: Any, said: str) -> None:
    server.routes["/a.png"] = route
    sentence = refused(server.url("/a.png"), tmp_path)
    assert sentence.startswith(f"{server.url('/a.png')}: ")
    assert said in sentence
    assert len(sentence) < 500


@pytest.mark.usefixtures("fast_clock")
@pytest.mark.parametrize(
    ("data", "without_end"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\nx", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nX: ", b"y"),
    ],
)
def test_what_drips_is_given_up(server: Server, tmp_path: Path, data: bytes, without_end: bytes) -> None:
    server.routes["/a.png"] = saying(data, without_end)
    said = refused(server.url("/a.png"), tmp_path, max_bytes=10**9)
    assert "was not there whole within fetch_seconds (60 s); raise it or try again later" in said


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_says_nothing_is_given_up(tmp_path: Path, scheme: str) -> None:
    with silence() as port:
        said = refused(f"{scheme}://127.0.0.1:{port}/", tmp_path, seconds=0.1)
    assert "was not there whole within fetch_seconds (0.1 s)" in said


def test_a_name_server_that_says_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given_up = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [given_up.wait(60)][:0])
    said = refused(f"http://{HOST}/", tmp_path, seconds=0.1)
    given_up.set()
    assert "was not there whole within fetch_seconds (0.1 s)" in said


def test_a_host_that_is_not_there_is_told(internet: Internet, tmp_path: Path) -> None:
    assert "its host nowhere.invalid is not found (" in refused("http://nowhere.invalid/", tmp_path)
    with silence() as port:
        pass
    said = refused(f"http://127.0.0.1:{port}/", tmp_path)
    assert "its server cannot be reached (Connection refused); check the address or try again later" in said


def test_a_folder_that_cannot_be_written_is_no_fault_of_the_picture(server: Server, tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"missing: cannot be written \(No such file or directory\)"):
        fetch.fetch(server.url("/a.png"), tmp_path / "missing", 10**6, FetchLimits(allow_private_hosts=True))
