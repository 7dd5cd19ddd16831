"""Fetching leads only where it may: the first address, every redirect, and what is behind a name."""

import errno
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from fetching import got, refused
from serving import BODY, HOST, PUBLIC, Internet, Server, certificate_for, leading, saying, sending, serving

from bgwatch.inputs import fetch

SHARP = "xn--strae-oqa.example"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("Bücher.example", "xn--bcher-kva.example"),
        ("STRASSE.example", "strasse.example"),
        ("Straße.example", SHARP),
        ("βόλος。example", "xn--nxasmm1c.example"),
        ("my_pictures--1.example", "my_pictures--1.example"),
    ],
)
def test_names_are_found_in_the_way_of_idna_2008(
    server: Server, internet: Internet, tmp_path: Path, host: str, name: str
) -> None:
    internet.hosts[name] = [[PUBLIC]]
    assert got(server.url("/a.png", host), tmp_path, private=False) == BODY
    assert internet.resolved == [name]
    assert server.asked[0][1]["Host"] == f"{name}:{server.port}"


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("0x7f.1", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"),
        ("2130706433", "127.0.0.1"),
        ("\uff11\uff12\uff17.0.0.1", "127.0.0.1"),
        ("[::ffff:127.0.0.1]", "::ffff:127.0.0.1"),
        ("[0:0:0:0:0:ffff:7f00:1]", "::ffff:127.0.0.1"),
        ("0", "0.0.0.0"),
        ("169.254.169.254", "169.254.169.254"),
    ],
)
def test_this_machine_is_refused_however_it_is_spelt(
    server: Server, internet: Internet, tmp_path: Path, host: str, address: str
) -> None:
    assert f" is {address}, " in refused(server.url("/a.png", host), tmp_path, private=False)
    assert not internet.connected
    assert not server.asked


@pytest.mark.parametrize("inside", ["10.0.0.1", "192.168.0.1", "::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"])
def test_one_private_answer_among_public_ones_is_enough(internet: Internet, tmp_path: Path, inside: str) -> None:
    internet.hosts[HOST] = [[PUBLIC, inside]]
    said = refused(f"http://{HOST}/a.png", tmp_path, private=False)
    assert said.startswith(f"http://{HOST}/a.png: its host {HOST} is {inside}, a")
    assert said.endswith("; say --allow-private-hosts if it is to be fetched")
    assert not internet.connected


def test_a_second_answer_of_the_name_server_leads_nowhere(server: Server, internet: Internet, tmp_path: Path) -> None:
    """Rebinding: the name is resolved once, and the connection goes to what was checked."""
    internet.hosts[HOST] = [[PUBLIC], ["127.0.0.1"]]
    assert got(server.url("/a.png", HOST), tmp_path, private=False) == BODY
    assert (internet.resolved, internet.connected) == ([HOST], [PUBLIC])
    assert server.asked[0][1]["Host"] == f"{HOST}:{server.port}"
    assert "is 127.0.0.1" in refused(server.url("/a.png", HOST), tmp_path, private=False)
    assert internet.connected == [PUBLIC]


def test_an_address_that_does_not_answer_is_not_the_last(server: Server, internet: Internet, tmp_path: Path) -> None:
    internet.hosts[HOST] = [["::1", "127.0.0.1"]]
    assert got(server.url("/a.png", HOST), tmp_path) == BODY
    assert internet.connected == ["::1", "127.0.0.1"]


def test_a_kind_of_address_that_this_machine_has_not_is_passed_over(
    server: Server, internet: Internet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    internet.hosts[HOST] = [["::1", "127.0.0.1"]]
    known = fetch.socket.socket

    def without_ipv6(family: int, kind: int) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return known(family, kind)

    monkeypatch.setattr(fetch.socket, "socket", without_ipv6)
    assert got(server.url("/a.png", HOST), tmp_path) == BODY


def test_redirects_are_followed(server: Server, tmp_path: Path) -> None:
    for number, status in enumerate((301, 302, 303, 307, 308)):
        server.routes[f"/{number}"] = leading(f"{number + 1}#top", status)
    server.routes["/5"] = sending(BODY)
    assert got(server.url("/0"), tmp_path) == BODY
    server.routes["/5"] = leading("6")
    assert refused(server.url("/0"), tmp_path).endswith("/0: it redirects more than 5 times; check the address")
    server.routes["/0"] = leading("/0")
    assert "it redirects more than 5 times" in refused(server.url("/0"), tmp_path)


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("http://127.0.0.1:{port}/a.png", "its host 127.0.0.1 is 127.0.0.1, an address of this machine"),
        ("//127.0.0.1:{port}/a.png", "its host 127.0.0.1 is 127.0.0.1, an address of this machine"),
        ("http://[::ffff:127.0.0.1]:{port}/a.png", "is ::ffff:127.0.0.1, an IPv4 address written as IPv6"),
        ("http://inside.example:{port}/a.png", "its host inside.example is 10.1.2.3, a private address"),
        ("file:///etc/passwd", "it redirects to file:///etc/passwd, which cannot be fetched"),
        ("ftp://pictures.example/a.png", "it redirects to ftp://pictures.example/a.png, which cannot be fetched"),
        ("data:image/png;base64,AAAA", "which cannot be fetched"),
        ("http://anna:secret@pictures.example/a.png", "it redirects to http://...@pictures.example/a.png, which has"),
        ("http://[", "which is not understood"),
        ("/\x1b[31m", "which has control characters in it"),
        (None, "redirects without saying where to"),
        ("", "redirects without saying where to"),
    ],
)
def test_redirects_are_checked_as_the_first_address_was(
    server: Server, internet: Internet, tmp_path: Path, location: str | None, said: str
) -> None:
    internet.hosts["inside.example"] = [["10.1.2.3"]]
    server.routes["/"] = leading(location and location.format(port=server.port))
    sentence = refused(server.url("/", HOST), tmp_path, private=False)
    assert said in sentence
    assert "secret" not in sentence
    assert internet.connected == [PUBLIC]
    assert [path for path, _ in server.asked] == ["/"]


def test_a_redirect_may_be_written_in_utf_8(server: Server, tmp_path: Path) -> None:
    server.routes["/"] = saying("HTTP/1.1 302 Found\r\nLocation: /grüße.png\r\n\r\n".encode())
    server.routes["/gr%C3%BC%C3%9Fe.png"] = sending(BODY)
    assert got(server.url("/"), tmp_path) == BODY


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = certificate_for(tmp_path_factory.mktemp("certificate"), f"DNS:{HOST}", f"DNS:{SHARP}", "IP:127.0.0.1")
    if made is None:
        pytest.skip("no openssl on PATH to make a certificate with")
    return made


@pytest.fixture
def secure_server(certificate: Path, internet: Internet) -> Iterator[Server]:
    fetch._trust.cache_clear()
    with serving(certificate) as running:
        yield running
    fetch._trust.cache_clear()


def test_certificates_are_checked_for_the_name_that_was_given(
    secure_server: Server, certificate: Path, internet: Internet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = refused(secure_server.url("/a.png", HOST), tmp_path)
    assert "its server's certificate is not accepted (self-signed certificate); check the address" in said
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    fetch._trust.cache_clear()
    assert got(secure_server.url("/a.png", HOST), tmp_path, private=False) == BODY
    internet.hosts[f"{HOST}."] = [[PUBLIC]]
    assert got(secure_server.url("/a.png", f"{HOST}."), tmp_path) == BODY
    assert got(secure_server.url("/a.png"), tmp_path) == BODY
    internet.hosts[SHARP] = [[PUBLIC]]
    assert got(secure_server.url("/a.png", "straße.example"), tmp_path) == BODY
    internet.hosts["other.example"] = [[PUBLIC]]
    said = refused(secure_server.url("/a.png", "other.example"), tmp_path)
    assert "is not accepted (Hostname mismatch, certificate is not valid for 'other.example'.)" in said


def test_no_redirect_leads_from_https_to_http(
    secure_server: Server, server: Server, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    secure_server.routes["/down"] = leading(server.url("/a.png?token=secret"))
    said = refused(secure_server.url("/down"), tmp_path)
    assert f"it redirects from https to http ({server.url('/a.png?token=...')}), which is not followed" in said
    assert not server.asked
    server.routes["/up"] = leading(secure_server.url("/a.png"))
    assert got(server.url("/up"), tmp_path) == BODY


def test_a_server_that_speaks_no_tls_is_told(server: Server, tmp_path: Path) -> None:
    said = refused(server.url("/a.png").replace("http:", "https:"), tmp_path)
    assert "the connection to its server failed (" in said
