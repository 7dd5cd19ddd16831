"""What is remembered of earlier runs: when it holds, when it is void, and what happens where nothing can be kept."""

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from bgwatch.journal import Journal, Made, default_file, stamp_of

HOUR = 3600 * 10**9


def journal(writes: bool = True, behind: str | None = None, **settings: object) -> Journal:
    return Journal(Path("state", "remove.sqlite"), settings, behind, writes)


def made(source: Path, place: Path, note: Callable[..., None]) -> Path:
    """Note a result and put it in place."""
    for path in (source, place):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(f"content of {path.name}")
    read = stamp_of(source)
    assert read
    note(source, read, place, place, False, 0.75)
    return place


def later(path: Path, by: int = HOUR) -> None:
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + by))


def test_a_result_is_known_again_by_whatever_name_of_its_folders() -> None:
    first = journal(clusters=8)
    place = made(Path("in/a.jpg"), Path("out/a-2.png"), first.note)
    first.close()
    Path("link").symlink_to("in")
    again = journal(clusters=8)
    for source in (Path("in/a.jpg"), Path("link/a.jpg"), Path.cwd() / "in/../in/a.jpg"):
        assert again.found(source, Path("out")) == Made(place, False, 0.75)
    assert again.found(Path("in/a.jpg"), Path.cwd() / "out") == Made(place.absolute(), False, 0.75)
    assert not again.trouble
    assert journal(writes=False, clusters=8).found(Path("in/a.jpg"), Path("out"))


@pytest.mark.parametrize(
    "change",
    [
        lambda: later(Path("in/a.jpg"), 1),
        lambda: Path("in/a.jpg").write_text("another"),
        lambda: Path("in/a.jpg").unlink(),
        lambda: later(Path("out/a.png")),
        lambda: Path("out/a.png").write_text("retouched"),
        lambda: Path("out/a.png").unlink(),
        lambda: Path("out").rename("elsewhere"),
    ],
)
def test_a_change_of_source_or_result_voids_it(change: Callable[[], None]) -> None:
    made(Path("in/a.jpg"), Path("out/a.png"), journal().note)
    assert journal().found(Path("in/a.jpg"), Path("out"))
    change()
    assert journal().found(Path("in/a.jpg"), Path("out")) is None


def test_a_disk_that_keeps_time_coarsely_voids_nothing() -> None:
    place = made(Path("in/a.jpg"), Path("out/a.png"), journal().note)
    os.utime(place, (place.stat().st_mtime // 2 * 2,) * 2)
    assert journal().found(Path("in/a.jpg"), Path("out"))


def test_other_settings_have_results_of_their_own() -> None:
    Path("behind.png").write_text("a wall")
    for number, how in enumerate(({"mask": True}, {"mask": False}, {"behind": "behind.png"})):
        made(Path("in/a.jpg"), Path(f"out/{number}.png"), journal(**how).note)  # type: ignore[arg-type]
    assert journal(mask=True).found(Path("in/a.jpg"), Path("out")) == Made(Path("out/0.png"), False, 0.75)
    assert journal(mask=None).found(Path("in/a.jpg"), Path("out")) is None
    assert journal(behind="behind.png").found(Path("in/a.jpg"), Path("out"))
    Path("behind.png").write_text("another wall")
    assert journal(behind="behind.png").found(Path("in/a.jpg"), Path("out")) is None


def test_what_was_noted_and_never_came_into_place_is_void() -> None:
    """A kill between the two, and another file that has taken the name since."""
    source = made(Path("in/a.jpg"), Path("out/a.png"), journal().note).rename("out/.temporary") and Path("in/a.jpg")
    assert journal().found(source, Path("out")) is None
    Path("out/a.png").write_text("a person's")
    assert journal().found(source, Path("out")) is None


def test_results_among_pictures_are_known() -> None:
    beside = made(Path("in/a.jpg"), Path("in/web-a.png"), journal(name="web-{stem}").note)
    apart = made(Path("in/b.jpg"), Path("out/b.png"), journal().note)
    assert journal().is_result(beside)
    assert not journal().is_result(apart), "it may be an input of another run"
    assert not journal().is_result(Path("in/a.jpg"))
    beside.write_text("a person's")
    assert not journal().is_result(beside)


def test_what_killed_runs_have_left_is_swept_when_no_other_runs() -> None:
    first, second = journal(), journal()
    mine, other = Path(f"out/.bgwatch-{first.owner}1.tmp"), Path("out/.bgwatch-1.tmp")
    made(Path("in/a.jpg"), mine, first.note)
    other.touch()
    first.sweep([Path("out"), Path("missing")])
    assert list(Path("out").iterdir()) == [other]
    mine.touch()
    second.sweep([Path("out")])
    assert mine.exists(), "the first is still under way"
    second.close()
    first.close()
    journal().sweep([Path("out")])
    assert list(Path("out").iterdir()) == [other]


def broken_file() -> None:
    Path("state").mkdir()
    Path("state/remove.sqlite").write_text("no database, and long enough to be looked at")


def newer_file() -> None:
    Path("state").mkdir()
    sqlite3.connect("state/remove.sqlite").execute("PRAGMA user_version = 99")


@pytest.mark.parametrize(
    ("hinder", "said"),
    [
        (lambda: Path("state").write_text("in the way"), "a file has its name"),
        (broken_file, "not a database"),
        (newer_file, "it is from a newer bgwatch"),
    ],
)
def test_without_a_place_for_it_nothing_is_remembered_and_why_is_told(hinder: Callable[[], None], said: str) -> None:
    hinder()
    useless = journal()
    place = made(Path("in/a.jpg"), Path("in/a.png"), useless.note)
    useless.sweep([Path("in")])
    assert useless.found(Path("in/a.jpg"), Path("in")) is None
    assert not useless.is_result(place)
    assert useless.trouble.startswith("state/remove.sqlite: cannot be used (")
    assert said in useless.trouble


def test_a_file_that_is_cut_short_is_begun_again() -> None:
    Path("state").mkdir()
    Path("state/remove.sqlite").touch()
    made(Path("in/a.jpg"), Path("out/a.png"), journal().note)
    assert journal().found(Path("in/a.jpg"), Path("out"))


def test_reading_makes_no_file() -> None:
    Path("a.jpg").touch()
    assert journal(writes=False).found(Path("a.jpg"), Path()) is None
    assert [path.name for path in Path().iterdir()] == ["a.jpg"]


def test_what_is_older_than_a_year_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    made(Path("in/a.jpg"), Path("out/a.png"), journal().note)
    real = __import__("time").time
    monkeypatch.setattr("bgwatch.journal.time.time", lambda: real() + 367 * 86_400)
    assert journal().found(Path("in/a.jpg"), Path("out")) is None


def test_it_lies_in_the_state_folder() -> None:
    assert default_file().is_relative_to(os.environ["XDG_STATE_HOME"])
