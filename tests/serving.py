"""A web server of this machine that answers as a test tells it, and names that lead to it."""

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

PUBLIC = "93.184.216.34"
HOST = "pictures.example"
BODY = b"\x89PNG and so on" * 20_000

Route = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Server:
    """A server that runs.

    Attributes
    ----------
    routes : dict of str to callable
        What answers a path (without its query), `BODY` at ``/a.png`` to begin with; else the answer is 404.
    asked : list of (str, dict)
        Path and headers of each request.
    """

    port: int
    scheme: str = "http"
    routes: dict[str, Route] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        """Give the address of a path."""
        return f"{self.scheme}://{host}:{self.port}{path}"


@contextmanager
def serving(certificate: Path | None = None) -> Iterator[Server]:
    """Run a server on a free port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append((self.path, dict(self.headers)))
            route = server.routes.get(self.path.partition("?")[0], failing(404))
            try:
                route(self)
            except OSError:  # whoever asked has gone
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    class Listening(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:  # a handshake that was given up
            pass

    with Listening(("127.0.0.1", 0), Handler) as listening:
        server = Server(listening.server_port, "https" if certificate else "http", {"/a.png": sending(BODY)})
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            listening.socket = context.wrap_socket(listening.socket, server_side=True, do_handshake_on_connect=False)
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()


def sending(body: bytes, status: int = 200, **headers: object) -> Route:
    """Answer with a body; a header given as None is left out."""

    def route(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        named = {"Content-Type": "image/png", "Content-Length": len(body)}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in named.items():
            if value is not None:
                handler.send_header(name, str(value))
        handler.end_headers()
        handler.wfile.write(body)

    return route


def failing(status: int) -> Route:
    """Answer with an error and a page that explains it."""
    return sending(b"<!doctype html><h1>sorry</h1>", status, Content_Type="text/html")


def leading(location: str | None, status: int = 302) -> Route:
    """Answer with a redirect."""
    return sending(b"", status, Location=location)


def saying(data: bytes, without_end: bytes = b"") -> Route:
    """Send bytes as they are, the second ones until nobody listens."""

    def route(handler: BaseHTTPRequestHandler) -> None:
        handler.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        handler.wfile.write(data)
        while without_end:
            handler.wfile.write(without_end)

    return route


@contextmanager
def silence() -> Iterator[int]:
    """Listen on a port and never say a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def certificate_for(folder: Path, *names: str) -> Path | None:
    """Make a certificate that vouches for itself, with its key; None where there is no openssl."""
    if not shutil.which("openssl"):
        return None
    made = folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += ["-days", "2", "-subj", "/CN=test", "-addext", f"subjectAltName={','.join(names)}"]
    subprocess.run([*command, "-keyout", made, "-out", folder / "alone.pem"], check=True, capture_output=True)
    with made.open("ab") as file:
        file.write((folder / "alone.pem").read_bytes())
    return made


class Internet:
    """Stands in for `socket` in `bgwatch.inputs.fetch`: names have the addresses it is told, and public ones lead here.

    Attributes
    ----------
    hosts : dict of str to list of lists of str
        The answers of the name server, one for each time it is asked; the last one is given again.
    resolved : list of str
        The names that were asked for.
    connected : list of str
        The addresses that were connected to.
    """

    def __init__(self) -> None:
        self.hosts: dict[str, list[list[str]]] = {HOST: [[PUBLIC]]}
        self.resolved: list[str] = []
        self.connected: list[str] = []

    def module(self) -> SimpleNamespace:
        """Give what `bgwatch.inputs.fetch` is to use for the module `socket`."""
        internet = self

        class Socket(socket.socket):
            def connect(self, address: Any) -> None:
                internet.connected.append(address[0])
                super().connect(("127.0.0.1", address[1]) if address[0] == PUBLIC else address)

        return SimpleNamespace(**{**vars(socket), "socket": Socket, "getaddrinfo": self._answer})

    def _answer(self, host: str, port: int, **options: Any) -> list[Any]:
        self.resolved.append(host)
        if host not in self.hosts:
            return socket.getaddrinfo(host, port, **options)
        answers = self.hosts[host]
        now = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in now]
