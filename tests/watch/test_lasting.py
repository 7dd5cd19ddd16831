"""A daemon that is left alone: folders vanish and come back, files come slowly, the disk fills up."""

import logging
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from scenes import Ended, opened
from watching import Box, Daemon, appears, drop, meanwhile, names, seldom, until

from bgwatch.errors import FolderError
from bgwatch.watch import intake as intake_module
from bgwatch.watch.filing import Filing
from bgwatch.watch.ledger import Ledger
from bgwatch.watch.lock import InboxLock

Draw = Callable[..., Path]
Log = pytest.LogCaptureFixture


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


def test_a_ledger_that_cannot_be_used_for_a_while_does_not_end_the_daemon(
    box: Box, draw: Draw, quick: None, caplog: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a full disk: what is under way stays, it is said once, and all goes on when it has passed."""
    monkeypatch.setattr(intake_module, "PASSED_OVER", 0.1)
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
