"""Events that die, are too many or never come: a rescan makes good what was not heard."""

import logging
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from watching import Box, Daemon, appears, drop, meanwhile, seldom, until

from bgwatch.watch import events as events_module
from bgwatch.watch import hints as hints_module
from bgwatch.watch import watched as watched_module
from bgwatch.watch.events import Events, is_remote

Draw = Callable[..., Path]
Log = pytest.LogCaptureFixture


@pytest.mark.parametrize("dies", ["emitter", "observer", "watch"])
def test_events_that_die_are_started_again_and_the_folder_is_read(
    box: Box, draw: Draw, quick: None, caplog: Log, dies: str
) -> None:
    """A picture that came while nobody was told is found, and one that comes later is heard of."""
    source = draw(box.root / "a.jpg")
    service = seldom(box)

    def person() -> None:
        until(lambda: "watching" in caplog.text)
        [watched] = service._watched
        events = watched._events
        assert events
        if dies == "emitter":
            for emitter in events._observer.emitters:
                emitter.stop()
        elif dies == "observer":
            events._observer.stop()
        else:
            events_module.WATCHDOG.warning("a queue that overflowed, or a folder that could not be watched")
        until(lambda: "events were lost" in caplog.text)
        drop(source, box.inbox / "a.jpg")
        appears(box.outbox / "done" / "a.jpg")

    assert meanwhile(service, person) == 0


def test_hints_that_are_too_many_are_made_good_by_a_rescan(
    box: Box, draw: Draw, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints_module, "AT_MOST", -1)
    source = draw(box.root / "a.jpg")

    def person() -> None:
        drop(source, box.inbox / "a.jpg")
        appears(box.outbox / "done" / "a.jpg")

    assert meanwhile(seldom(box), person) == 0


class NoEvents(Events):
    """A system that refuses to watch."""

    def __init__(self, *_: object) -> None:
        raise OSError(28, "inotify watch limit reached")


@pytest.mark.parametrize(
    ("polling", "events", "said"),
    [
        ("auto", NoEvents, "no events (inotify watch limit reached); it is read every 0.02 s instead"),
        ("always", NoEvents, ""),
        ("never", Events, ""),
    ],
)
def test_without_events_the_folder_is_polled(
    box: Box,
    draw: Draw,
    quick: None,
    caplog: Log,
    monkeypatch: pytest.MonkeyPatch,
    polling: str,
    events: type[Events],
    said: str,
) -> None:
    monkeypatch.setattr(watched_module, "Events", events)
    source = draw(box.root / "a.jpg")
    service = seldom(box)
    service._settings = service._settings.model_copy(update={"polling": polling})

    def person() -> None:
        drop(source, box.inbox / "a.jpg")
        appears(box.outbox / "done" / "a.jpg")

    assert meanwhile(service, person) == 0
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert errors == ([f"{box.inbox}: {said}"] if said else [])


def test_a_network_disk_is_known_by_its_mount(tmp_path: Path) -> None:
    device = tmp_path.stat().st_dev
    mount = f"36 35 {os.major(device)}:{os.minor(device)} / /mnt rw,noatime master:1 - {{}} server:/share rw\n"
    for kind, remote in (("nfs4", True), ("cifs", True), ("fuse.sshfs", True), ("ext4", False), ("fuse.ntfs", False)):
        (tmp_path / "mounts").write_text("22 1 0:999 / /proc rw - nfs4 other rw\n" + mount.format(kind))
        assert is_remote(tmp_path, tmp_path / "mounts") is remote, kind
    assert not is_remote(tmp_path, tmp_path / "nothing")


@pytest.mark.slow
def test_where_inotify_has_no_watches_left_the_folder_is_polled(start: Callable[..., Daemon], draw: Draw) -> None:
    under = ["unshare", "--user", "--map-root-user"]
    limit = "/proc/sys/user/max_inotify_watches"
    probe = subprocess.run([*under, "sh", "-c", f"echo 0 > {limit}"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("this user may not make user namespaces with limits here")
    daemon = start(
        "in", "out", "--settle-seconds", "0.05", under=[*under, "sh", "-c", f'echo 0 > {limit}; exec "$@"', "sh"]
    )
    daemon.says("in: no events .*; it is read every 2 s instead")
    daemon.says("watching")
    draw("a.jpg")
    Path("a.jpg").rename("in/a.jpg")
    daemon.says(r"a\.jpg -> ")
    assert daemon.ends(signal.SIGTERM) == 0
