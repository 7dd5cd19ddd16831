"""What the service manager is told, through a real socket."""

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from watching import Daemon, until

from bgwatch.watch import notify
from bgwatch.watch.notify import Notifier

VARIABLES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class Manager:
    """Listens as systemd does."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address.replace("@", "\0", 1))
        self.socket.setblocking(False)

    def heard(self) -> list[str]:
        """Take what has come; a datagram is there as soon as it is sent."""
        messages = []
        while True:
            try:
                messages.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return messages


@pytest.fixture(autouse=True)
def unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["path", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"@bgwatch-test-{uuid.uuid4().hex}" if request.param == "abstract" else str(tmp_path / "notify")


@pytest.fixture
def manager(address: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    listening = Manager(address)
    yield listening
    listening.socket.close()


def test_each_step_of_a_life_is_told(manager: Manager) -> None:
    notifier = Notifier()
    notifier.ready("watching 2 folders")
    before = time.monotonic_ns() // 1000
    notifier.reloading()
    notifier.stopping()
    ready, reloading, stopping = manager.heard()
    assert ready.split("\n") == ["READY=1", "STATUS=watching 2 folders"]
    first, at = reloading.split("\n")
    assert first == "RELOADING=1"
    assert before <= int(at.removeprefix("MONOTONIC_USEC=")) <= time.monotonic_ns() // 1000
    assert stopping == "STOPPING=1"


def test_a_name_with_a_line_break_sets_nothing_else(manager: Manager) -> None:
    """Names are data: neither a break nor bytes that are no text reach the manager as such."""
    Notifier().ready("in/a\nMAINPID=1\udcff é")
    assert manager.heard() == ["READY=1\nSTATUS=in/a\\nMAINPID=1\\udcff é"]


@pytest.mark.parametrize("pid", [None, "ours"])
def test_life_is_told_to_a_manager_that_waits_for_it(
    manager: Manager, pid: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "300000000")
    if pid:
        monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    notifier = Notifier()
    notifier.alive()
    assert manager.heard() == ["WATCHDOG=1"]


@pytest.mark.parametrize(
    ("microseconds", "pid"), [(None, None), ("300000000", "1"), ("0", None), ("-5", None), ("soon", None)]
)
def test_nobody_is_told_of_life_who_does_not_wait_for_it(
    manager: Manager, microseconds: str | None, pid: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("WATCHDOG_USEC", microseconds), ("WATCHDOG_PID", pid)):
        if value:
            monkeypatch.setenv(name, value)
    notifier = Notifier()
    notifier.alive()
    assert manager.heard() == []


def test_a_child_cannot_speak_in_our_name(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables are gone from the environment, also those meant for another process."""
    monkeypatch.setenv("WATCHDOG_USEC", "300000000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    notifier = Notifier()
    show = [sys.executable, "-c", f"import os; print([name for name in {VARIABLES} if name in os.environ])"]
    assert subprocess.run(show, capture_output=True, text=True, check=True, timeout=60).stdout == "[]\n"
    notifier.stopping()
    assert manager.heard() == ["STOPPING=1"]


def tell_everything(notifier: Notifier) -> None:
    for tell in (lambda: notifier.ready("well"), notifier.reloading, notifier.alive, notifier.stopping):
        tell()


def test_without_a_manager_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a socket was made for nobody")

    monkeypatch.setenv("WATCHDOG_USEC", "300000000")
    notifier = Notifier()
    monkeypatch.setattr(socket, "socket", never)
    tell_everything(notifier)


def gone(path: Path) -> None:
    Manager(str(path)).socket.close()
    path.unlink()


def deaf(path: Path) -> None:
    Manager(str(path)).socket.close()


def no_socket(path: Path) -> None:
    path.write_text("a file")


def never_there(path: Path) -> None:
    assert not path.exists()


@pytest.mark.parametrize("left", [gone, deaf, no_socket, never_there])
def test_a_manager_that_has_gone_does_no_harm(
    left: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "300000000")
    tell_everything(Notifier())


@pytest.mark.parametrize("address", ["vsock:2:9", "/" + "x" * 200])
def test_an_address_of_another_kind_does_no_harm(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    tell_everything(Notifier())


def test_a_manager_that_does_not_read_is_not_waited_for_long(manager: Manager, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its queue is full: what is told is lost, and the daemon goes on."""
    monkeypatch.setattr(notify, "PATIENCE", 0.01)
    notifier = Notifier()
    for _ in range(int(Path("/proc/sys/net/unix/max_dgram_qlen").read_text()) + 3):
        notifier.stopping()
    assert set(manager.heard()) == {"STOPPING=1"}
    notifier.ready("again")
    assert manager.heard() == ["READY=1\nSTATUS=again"]


@pytest.mark.slow
def test_a_daemon_tells_its_manager_of_start_life_reload_and_end(
    manager: Manager, start: Callable[..., Daemon], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As systemd starts it, with settings that are read again on SIGHUP, refused once and taken once."""
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    settings = Path("c.yaml")
    settings.write_text("folders:\n  - {inbox: in, outbox: out}\n")
    daemon = start("-c", "c.yaml", "--state", "state")
    heard: list[str] = []

    def told(word: str, count: int = 1) -> bool:
        heard.extend(manager.heard())
        return sum(word in message for message in heard) >= count

    until(lambda: told("READY=1"))
    assert f"STATUS=watching {Path('in').resolve()}" in heard[0]
    until(lambda: told("WATCHDOG=1"))
    settings.write_text("folders:\n  - {inbox: in, outbox: out, methud: auto}\n")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.says("the old ones stay in force: .*methud")
    until(lambda: told("RELOADING=1") and told("READY=1", 2))
    settings.write_text("folders:\n  - {inbox: in2, outbox: out}\n")
    daemon.process.send_signal(signal.SIGHUP)
    daemon.says("watching .*/in2,")
    until(lambda: told("RELOADING=1", 2) and told(f"STATUS=watching {Path('in2').resolve()}"))
    assert daemon.ends(signal.SIGTERM) == 0
    until(lambda: told("STOPPING=1"))
