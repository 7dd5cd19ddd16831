"""A daemon that is left alone: events die, folders vanish and come back, the disk fills up, settings change."""

import logging
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from scenes import Ended, opened
from watching import Box, Daemon, appears, meanwhile, names, until

from bgwatch.errors import FolderError, SettingsError
from bgwatch.settings import Settings
from bgwatch.watch import events as events_module
from bgwatch.watch import intake as intake_module
from bgwatch.watch import service as service_module
from bgwatch.watch import watched as watched_module
from bgwatch.watch.events import Events, is_remote
from bgwatch.watch.filing import Filing
from bgwatch.watch.ledger import Ledger
from bgwatch.watch.lock import InboxLock
from bgwatch.watch.service import Service

Draw = Callable[..., Path]
Log = pytest.LogCaptureFixture


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look after folders, and try again after a fault, without waiting."""
    for name in ("CHECK", "POLL", "PAUSE"):
        monkeypatch.setattr(watched_module, name, 0.02)
    monkeypatch.setattr(service_module, "BEAT", 0.02)


def seldom(box: Box, **fields: object) -> Service:
    """A service that rescans only when it has a reason to."""
    service = box.service(**fields)
    service._settings = service._settings.model_copy(update={"rescan_seconds": 86_400.0})
    return service


def drop(source: Path, target: Path) -> None:
    """Rename a picture into place."""
    shutil.copy(source, target.with_name(".coming"))
    target.with_name(".coming").rename(target)


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
    monkeypatch.setattr(service_module, "HINTS_AT_MOST", -1)
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


@pytest.mark.parametrize("how", ["renamed away and back", "removed and made again"])
def test_an_inbox_that_vanishes_is_waited_for(box: Box, draw: Draw, quick: None, caplog: Log, how: str) -> None:
    source = draw(box.root / "a.jpg")
    away = box.root / "away"
    vanish, come_back = {
        "renamed away and back": (lambda: box.inbox.rename(away), lambda: away.rename(box.inbox)),
        "removed and made again": (lambda: shutil.rmtree(box.inbox), box.inbox.mkdir),
    }[how]

    said = "is gone; bgwatch waits until it is there again"

    def person() -> None:
        for times, name in ((1, "b.jpg"), (2, "c.jpg")):
            vanish()
            until(lambda times=times: caplog.text.count(said) == times)
            come_back()
            drop(source, box.inbox / name)
            appears(box.outbox / "done" / name)

    assert meanwhile(seldom(box), person) == 0
    assert box.files() == {f"out/{name}" for name in ("b.png", "c.png", "done/b.jpg", "done/c.jpg")}


def test_an_empty_mount_is_not_all_deleted(box: Box, draw: Draw, quick: None, caplog: Log) -> None:
    """Another, empty folder lies under the inbox's name for a while: what was done before is not done again."""
    draw(box.inbox / "a.jpg")
    assert box.once(done="keep") == 0

    def person() -> None:
        box.inbox.rename(box.root / "disk")
        box.inbox.mkdir()
        until(lambda: caplog.text.count("is another folder now") == 1)
        box.inbox.rmdir()
        (box.root / "disk").rename(box.inbox)
        until(lambda: caplog.text.count("is another folder now") + caplog.text.count("is there again\n") == 2)
        draw(box.inbox / "b.jpg")
        appears(box.outbox / "b.png")

    assert meanwhile(seldom(box, done="keep"), person) == 0
    assert box.files() == {"in/a.jpg", "in/b.jpg", "out/a.png", "out/b.png"}


def test_an_inbox_that_another_daemon_took_meanwhile_is_left_to_it(
    box: Box, draw: Draw, quick: None, caplog: Log
) -> None:
    source = draw(box.root / "a.jpg")

    def person() -> None:
        box.inbox.rename(box.root / "away")
        until(lambda: "is gone" in caplog.text)
        (box.root / "new").mkdir()
        other = InboxLock(box.root / "new")
        (box.root / "new").rename(box.inbox)
        until(lambda: "is watched already by process" in caplog.text)
        other.close()
        drop(source, box.inbox / "a.jpg")
        appears(box.outbox / "done" / "a.jpg")

    assert meanwhile(seldom(box), person) == 0


def test_an_outbox_that_vanishes_is_waited_for(box: Box, draw: Draw, quick: None, caplog: Log) -> None:
    source = draw(box.root / "a.jpg")

    def person() -> None:
        shutil.rmtree(box.outbox)
        until(lambda: f"{box.outbox}: is gone" in caplog.text)
        drop(source, box.inbox / "a.jpg")
        box.outbox.mkdir()
        appears(box.outbox / "done" / "a.jpg")

    assert meanwhile(seldom(box), person) == 0
    assert box.files() == {"out/a.png", "out/done/a.jpg"}


def test_a_done_folder_on_a_disk_of_its_own_is_not_made_anew(box: Box, draw: Draw, quick: None, caplog: Log) -> None:
    source = draw(box.root / "a.jpg")
    done = box.root / "disk" / "done"

    def person() -> None:
        done.rename(box.root / "unmounted")
        drop(source, box.inbox / "a.jpg")
        until(lambda: f"{done}: is gone" in caplog.text)
        (box.root / "unmounted").rename(done)
        appears(done / "a.jpg")

    assert meanwhile(seldom(box, done=str(done)), person) == 0
    assert box.files() == {"out/a.png"}


def test_many_that_cannot_be_worked_on_keep_no_other_from_its_turn(
    box: Box, draw: Draw, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_module, "WAITING", 4)
    for number in range(9):
        draw(box.inbox / "a" / f"{number}.jpg")
    draw(box.inbox / "z.jpg")
    real = Filing.refuse_unplaceable

    def refuse(self: Filing, original: Path) -> None:
        if original.parts[0] == "a":
            raise FolderError("a: originals cannot be moved out of it; give the right to")
        real(self, original)

    monkeypatch.setattr(Filing, "refuse_unplaceable", refuse)
    assert meanwhile(seldom(box), lambda: appears(box.outbox / "done" / "z.jpg")) == 0
    assert len([name for name in box.files() if name.startswith("in/a/")]) == 9


def test_a_picture_that_is_copied_slowly_is_tried_again(box: Box, draw: Draw, caplog: Log) -> None:
    """The writer pauses for longer than the settling time, and goes on after the first attempt."""
    caplog.set_level(logging.DEBUG, "bgwatch")
    whole = draw(box.root / "a.jpg").read_bytes()

    def person() -> None:
        with (box.inbox / "a.jpg").open("wb", buffering=0) as slow:
            slow.write(whole[: len(whole) // 2])
            until(lambda: "tried again in 0.05 s" in caplog.text)
            slow.write(whole[len(whole) // 2 :])
        appears(box.outbox / "done" / "a.jpg")

    assert meanwhile(box.service(), person) == 0
    assert box.files() == {"out/a.png", "out/done/a.jpg"}
    assert (box.outbox / "done" / "a.jpg").read_bytes() == whole


def test_a_picture_that_stays_half_fails_after_three_more_attempts(box: Box, draw: Draw, caplog: Log) -> None:
    caplog.set_level(logging.DEBUG, "bgwatch")
    half = draw(box.root / "a.jpg").read_bytes()[:1000]
    (box.inbox / "a.jpg").write_bytes(half)
    draw(box.inbox / "b.jpg")
    assert box.once() == 1
    assert [wait for wait in ("0.05", "0.1", "0.2", "0.4") if f"tried again in {wait} s" in caplog.text] == [
        *("0.05", "0.1", "0.2")
    ]
    assert box.files() == {"out/b.png", "out/done/b.jpg", "out/failed/a.jpg", "out/failed/a.jpg.reason.txt"}
    assert (box.outbox / "failed" / "a.jpg").read_bytes() == half


def test_settings_are_read_again_on_a_hangup(box: Box, draw: Draw, quick: None, caplog: Log) -> None:
    """Wrong ones are refused in one line and change nothing; good ones bring another folder and keep the first."""
    source = draw(box.root / "a.jpg")
    service = box.service()
    first = service._settings
    second = first.folders[0].model_copy(update={"inbox": str(box.root / "in2"), "outbox": str(box.root / "out2")})
    loop = first.folders[0].model_copy(update={"inbox": str(box.root / "in3"), "outbox": str(box.inbox)})
    held = first.folders[0].model_copy(update={"inbox": str(box.root / "held")})
    orders: list[Settings | SettingsError] = [
        SettingsError("c.yaml: settle_secondz: is not a setting"),
        first.model_copy(update={"folders": (first.folders[0], loop)}),
        first.model_copy(update={"folders": (first.folders[0], held)}),
        first.model_copy(update={"folders": (first.folders[0], second), "workers": 1}),
    ]

    def reread() -> Settings:
        order = orders.pop(0)
        if isinstance(order, SettingsError):
            raise order
        return order

    service._reread = reread

    def person() -> None:
        (box.root / "held").mkdir()
        lock = InboxLock(box.root / "held")
        for count, reason in enumerate(("settle_secondz", "lies inside the inbox", "is watched already"), 1):
            os.kill(os.getpid(), signal.SIGHUP)
            until(lambda: caplog.text.count("the old ones stay in force") == count, reason)  # noqa: B023
            assert reason in caplog.records[-1].getMessage()
            drop(source, box.inbox / f"{count}.jpg")
            appears(box.outbox / "done" / f"{count}.jpg")
        lock.close()
        os.kill(os.getpid(), signal.SIGHUP)
        until(lambda: "the new settings are in force" in caplog.text)
        for inbox, outbox in ((box.inbox, box.outbox), (box.root / "in2", box.root / "out2")):
            drop(source, inbox / "last.jpg")
            appears(outbox / "done" / "last.jpg")

    assert meanwhile(service, person) == 0
    assert not (box.root / "in3").exists()
    assert "5 done" in caplog.text


def test_a_ledger_that_cannot_be_used_for_a_while_does_not_end_the_daemon(
    box: Box, draw: Draw, quick: None, caplog: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a full disk: what is under way stays, it is said once, and all goes on when it has passed."""
    source = draw(box.root / "a.jpg")
    service = box.service(on_conflict="skip")
    (box.outbox).mkdir()
    (box.outbox / "b.png").write_text("stands there")

    def person() -> None:
        with monkeypatch.context() as broken:
            for name in ("_insert", "_data_version"):
                broken.setattr(Ledger, name, full)
            drop(source, box.inbox / "a.jpg")
            drop(source, box.inbox / "b.jpg")
            until(lambda: service._watched[0].outcomes.counts["blocked"] > 3)
        appears(box.outbox / "done" / "a.jpg")
        until(lambda: "skipped: b.jpg" in caplog.text)

    assert meanwhile(service, person) == 0
    assert box.files() == {"in/b.jpg", "out/b.png", "out/a.png", "out/done/a.jpg"}
    assert caplog.text.count("database or disk is full") == 1


def full(*_: object, **__: object) -> int:
    raise FolderError("ledger.sqlite: the ledger cannot be used (database or disk is full); make room there")


def test_settings_that_are_read_again_make_no_folder_that_is_waited_for(
    box: Box, draw: Draw, quick: None, caplog: Log
) -> None:
    source = draw(box.root / "a.jpg")
    service = box.service()
    service._reread = lambda: service._settings

    def person() -> None:
        box.outbox.rename(box.root / "unmounted")
        until(lambda: f"{box.outbox}: is gone" in caplog.text)
        os.kill(os.getpid(), signal.SIGHUP)
        until(lambda: "the new settings are in force" in caplog.text)
        assert not box.outbox.exists()
        drop(source, box.inbox / "a.jpg")
        (box.root / "unmounted").rename(box.outbox)
        appears(box.outbox / "done" / "a.jpg")

    assert meanwhile(service, person) == 0


@pytest.mark.slow
def test_a_state_folder_that_is_deleted_is_made_anew(
    start: Callable[..., Daemon], draw: Draw, bgwatch: Callable[..., Ended]
) -> None:
    """It is said once, the daemon is still found, and after a kill nothing is done again or lost."""
    options = ("in", "out", "--state", "state", "--done", "keep", "--settle-seconds", "0.05", "--workers", "1")
    draw("in/a.jpg")
    daemon = start(*options)
    daemon.says(r"a\.jpg -> ")
    shutil.rmtree("state")
    draw("in/b.jpg")
    daemon.says(r"state/ledger\.sqlite: the ledger was deleted; it is written anew, and nothing is forgotten")
    until(lambda: Path("out/b.png").exists())
    draw("in/c.jpg")
    until(lambda: Path("out/c.png").exists())
    until(lambda: bgwatch("status", "--state", "state").code == 0)
    daemon.ends(signal.SIGKILL)
    assert daemon.words().count("was deleted") == 1
    draw("in/d.jpg")
    daemon = start(*options)
    daemon.says(r"d\.jpg -> ")
    assert daemon.ends(signal.SIGTERM) == 0
    assert names("in") | names("out") == {f"{one}" for name in "abcd" for one in (f"in/{name}.jpg", f"out/{name}.png")}


@pytest.mark.slow
def test_a_disk_that_is_full_is_waited_for(start: Callable[..., Daemon], draw: Draw) -> None:
    """On a real tmpfs: all is kept, it is said once, and it goes on by itself when there is room."""
    under = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*under, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may not make mount namespaces here")
    Path("small").mkdir()
    for number in range(6):
        draw(f"in/{number}.png", seed=number)
    script = (
        'mount -t tmpfs -o size=256k none small && mkdir small/out && head -c 252k /dev/zero > small/fill; exec "$@"'
    )
    daemon = start(
        "in", "small/out", "--settle-seconds", "0.05", "--rescan-seconds", "1", under=[*under, "sh", "-c", script, "sh"]
    )
    small = Path(f"/proc/{daemon.process.pid}/root", *Path("small").resolve().parts[1:])
    daemon.says("No space left on device")
    assert len(list(Path("in").iterdir())) == 6
    (small / "fill").unlink()
    daemon.says("going on")
    until(lambda: len(list((small / "out" / "done").iterdir())) == 6)
    for number in range(6):
        assert opened(small / "out" / f"{number}.png").mode == "RGBA"
    assert not list((small / "out").glob(".bgwatch-*"))
    assert daemon.ends(signal.SIGTERM) == 0
    assert daemon.words().count("No space left on device") == 1
    assert names("in") == set()


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
