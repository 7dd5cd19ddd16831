"""How pictures arrive: in pieces, under another name first, with any time, or not at all in the end."""

import os
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from scenes import opened
from watching import Box, Daemon, names

from bgwatch.job import Job, Outcome
from bgwatch.workers import Workers

Draw = Callable[..., Path]
Start = Callable[..., Daemon]
HASTE = ("--settle-seconds", "0.05", "--workers", "1")


@pytest.mark.slow
def test_temporary_names_are_left_alone_until_they_are_renamed(start: Start, draw: Draw) -> None:
    """What browsers, copy tools and editors call a file before it is one, and what they lay beside it."""
    source = draw("source.jpg")
    becomes = {
        "download.jpg.part": "download.jpg",
        "firefox.jpg.partial": "firefox.jpg",
        "chrome.jpg.crdownload": "chrome.jpg",
        "winscp.jpg.filepart": "winscp.jpg",
        "saved.jpg.tmp": "saved.jpg",
        ".rsync.jpg.Xy12Zq": "rsync.jpg",
        ".~gvfs.jpg": "gvfs.jpg",
        "~$office.jpg": "office.jpg",
        ".vim.jpg.swp": "vim.jpg",
        "kate.jpg.swp": "kate.jpg",
        "emacs.jpg~": "emacs.jpg",
        ".syncthing.synced.jpg.tmp": "synced.jpg",
    }
    daemon = start("in", "out", *HASTE)
    daemon.says("watching")
    for temporary in becomes:
        shutil.copy(source, Path("in", temporary))
    shutil.copy(source, "in/good.jpg")
    daemon.says(r"good\.jpg -> ")
    assert names("in") == {f"in/{temporary}" for temporary in becomes}
    for temporary, final in becomes.items():
        Path("in", temporary).rename(Path("in", final))
        daemon.says(rf"{final} -> ")
    assert daemon.ends(signal.SIGTERM) == 0
    assert names("in") == set()
    assert not any(temporary in daemon.words() for temporary in becomes)


@pytest.mark.slow
def test_a_file_of_its_full_size_from_the_start_is_waited_for(start: Start, draw: Draw) -> None:
    """Download tools set the size first; what they fill in shows in the time of the last change alone."""
    content = draw("photo.png").read_bytes()
    daemon = start("in", "out", "--settle-seconds", "2", "--workers", "1")
    daemon.says("watching")
    with Path("in/photo.png").open("wb", buffering=0) as slow:
        os.posix_fallocate(slow.fileno(), 0, len(content))
        size = len(content) // 12
        for part in reversed(range(0, len(content), size)):  # the header, last, makes it a picture
            threading.Event().wait(0.25)  # a slow writer is what is tested
            slow.seek(part)
            slow.write(content[part : part + size])
    daemon.says(r"photo\.png -> ")
    assert daemon.ends(signal.SIGTERM) == 0
    assert names("out") == {"out/photo.png", "out/done/photo.png"}


@pytest.mark.parametrize("moment", [-1, 1, 2**33], ids=["before 1970", "1970", "2242"])
def test_whatever_time_a_copy_tool_sets_at_the_end(box: Box, draw: Draw, moment: int) -> None:
    os.utime(draw(box.inbox / "a.jpg"), (moment, moment))
    assert box.once() == 0
    assert box.files() == {"out/a.png", "out/done/a.jpg"}
    assert (box.outbox / "done" / "a.jpg").stat().st_mtime == moment


@pytest.mark.slow
def test_of_a_picture_that_stays_a_new_content_is_a_change_and_a_new_time_is_none(start: Start, draw: Draw) -> None:
    """Times change by themselves: over a network mount, or by a tool that restores them."""
    source, other = draw("source.jpg"), draw("other.jpg", seed=1)
    daemon = start("in", "out", "--done", "keep", "--rescan-seconds", "0.2", *HASTE)
    daemon.says("watching")
    shutil.copy(source, "in/a.jpg")
    daemon.says(r"a\.jpg -> .*/a\.png")
    os.utime("in/a.jpg", (1, 1))
    shutil.copy(source, "in/b.jpg")
    daemon.says(r"b\.jpg -> .*/b\.png")
    shutil.copy(other, "in/a.jpg")
    daemon.says(r"a\.jpg -> .*/a-2\.png")
    shutil.copy(source, "in/last.jpg")
    daemon.says(r"last\.jpg -> ")
    assert daemon.ends(signal.SIGTERM) == 0
    assert names("in") | names("out") == {
        *("in/a.jpg", "in/b.jpg", "in/last.jpg", "out/a.png", "out/a-2.png", "out/b.png", "out/last.png")
    }


def before_it_is_read(monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[Path], object]) -> None:
    """Do something to a picture at the moment it is queued, the first time."""
    real, times = Workers.submit, []

    def submit(self: "Workers[Job, Outcome]", job: Job) -> None:
        if Path(job.source).name == name and not times:
            times.append(act(Path(job.source)))
        real(self, job)

    monkeypatch.setattr(Workers, "submit", submit)


def after_it_is_read(monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[Path], object]) -> None:
    """Do something to a picture when its result is there and not yet filed, the first time."""
    real, times = Workers.collect, []

    def collect(self: "Workers[Job, Outcome]", timeout: float | None = 0) -> list[Outcome]:
        outcomes = real(self, timeout)
        for outcome in outcomes:
            if Path(outcome.job.source).name == name and not times:
                times.append(act(Path(outcome.job.source)))
        return outcomes

    monkeypatch.setattr(Workers, "collect", collect)


def become_link(path: Path) -> None:
    path.rename(path.parent.parent / "elsewhere.jpg")
    path.symlink_to("../elsewhere.jpg")


def become_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("moment", [before_it_is_read, after_it_is_read])
@pytest.mark.parametrize("act", [Path.unlink, become_link, become_folder])
def test_a_picture_that_goes_away_is_dropped_with_one_line(
    box: Box,
    draw: Draw,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    moment: Callable[..., None],
    act: Callable[[Path], object],
) -> None:
    draw(box.inbox / "a.jpg")
    draw(box.inbox / "b.jpg")
    moment(monkeypatch, "a.jpg", act)
    assert box.once() == 0
    assert box.files() - {"in/a.jpg"} == {"out/b.png", "out/done/b.jpg"}
    (line,) = [line for line in caplog.messages if "a.jpg" in line and "is no regular file" not in line]
    assert line == "gone while it was worked on: a.jpg"


@pytest.mark.parametrize("moment", [before_it_is_read, after_it_is_read])
def test_a_picture_replaced_by_another_of_its_size_and_time_is_done_as_the_other(
    box: Box, draw: Draw, monkeypatch: pytest.MonkeyPatch, moment: Callable[..., None]
) -> None:
    """Only the inode tells them apart."""
    first, other = draw(box.inbox / "a.bmp", seed=1), draw(box.root / "other.bmp", seed=2)
    assert first.stat().st_size == other.stat().st_size
    status = first.stat()
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    wanted = opened(other).getpixel((60, 60))
    assert opened(first).getpixel((60, 60)) != wanted
    moment(monkeypatch, "a.bmp", other.replace)
    assert box.once() == 0
    assert box.files() == {"out/a.png", "out/done/a.bmp"}
    assert opened(box.outbox / "a.png").getpixel((60, 60))[:3] == wanted
    assert opened(box.outbox / "done" / "a.bmp").getpixel((60, 60)) == wanted
