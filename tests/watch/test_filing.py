import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bgwatch.errors import FolderError, SettingsError
from bgwatch.settings import Folder
from bgwatch.watch.filing import Filing, places, refuse_loops

STATE = Path("/nowhere/state")


def folder(tmp_path: Path, **fields: object) -> Folder:
    return Folder(**{"inbox": str(tmp_path / "in"), "outbox": str(tmp_path / "out"), **fields})  # type: ignore[arg-type]


@pytest.fixture
def filing(tmp_path: Path) -> Filing:
    filing = Filing(places(folder(tmp_path)))
    filing.prepare(lambda _: None)
    return filing


def test_missing_folders_are_made_and_told(tmp_path: Path) -> None:
    made: list[Path] = []
    Filing(places(folder(tmp_path, done="keep", review="~/looks"))).prepare(made.append)
    assert {path.name for path in made} == {"in", "out", "failed", "looks"}
    assert all(path.is_dir() for path in made)


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(FolderError, match="out: cannot be made"):
        Filing(places(folder(tmp_path))).prepare(lambda _: None)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"outbox": "in"}, "lies inside the inbox"),
        ({"outbox": "in/out"}, "lies inside the inbox"),
        ({"outbox": "link/out"}, "lies inside the inbox"),
        ({"done": "../in/done"}, "lies inside the inbox"),
        ({"failed": "../in"}, "lies inside the inbox"),
        ({"outbox": "."}, "the inbox lies inside"),
    ],
)
def test_folders_that_feed_themselves_are_refused(tmp_path: Path, fields: dict[str, str], said: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to("in")
    if "outbox" in fields:
        fields = {"outbox": str(tmp_path / fields["outbox"])}
    with pytest.raises(SettingsError, match=said):
        refuse_loops([places(folder(tmp_path, **fields))], STATE)


@pytest.mark.parametrize("fields", [{"done": "~nobody-here/done"}, {"failed": "loop/failed"}])
def test_folders_that_cannot_be_are_refused(tmp_path: Path, fields: dict[str, str]) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "loop").symlink_to("loop")
    with pytest.raises(SettingsError, match=r"name another|write the whole path"):
        places(folder(tmp_path, **fields))


def test_folders_that_feed_each_other_are_refused(tmp_path: Path) -> None:
    there = folder(tmp_path)
    back = folder(tmp_path, inbox=str(tmp_path / "out"), outbox=str(tmp_path / "in"))
    with pytest.raises(SettingsError, match="lies inside"):
        refuse_loops([places(there), places(back)], STATE)
    with pytest.raises(SettingsError, match="named as inbox twice"):
        refuse_loops([places(there), places(folder(tmp_path, outbox=str(tmp_path / "other")))], STATE)
    with pytest.raises(SettingsError, match="the state folder lies inside the inbox"):
        refuse_loops([places(there)], tmp_path / "in" / "state")


@pytest.mark.parametrize(
    ("original", "result"),
    [
        ("photo.jpg", "photo.png"),
        ("sub/a.b.jpg", "sub/a.b.png"),
        ("done/a.jpg", "done-2/a.png"),
        ("Review/x/a.jpg", "Review-2/x/a.png"),
        ("sub/failed/a.jpg", "sub/failed/a.png"),
        ("done", "done.png"),
    ],
)
def test_results_are_named_and_mirrored(filing: Filing, original: str, result: str) -> None:
    assert filing.result_name(Path(original)) == Path(result)


def test_an_original_keeps_its_time_and_overwrites_nothing(filing: Filing) -> None:
    for content in ("first", "second"):
        path = filing.where.inbox / "sub" / "a.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        os.utime(path, (1, 1))
        filing.put_away(Path("sub/a.jpg"))
    done = filing.where.outbox / "done" / "sub"
    assert {path.name: path.read_text() for path in done.iterdir()} == {"a.jpg": "first", "a-2.jpg": "second"}
    assert (done / "a.jpg").stat().st_mtime == 1


@pytest.mark.parametrize(("done", "stays"), [("keep", True), ("delete", False)])
def test_originals_may_stay_or_be_deleted(tmp_path: Path, done: str, stays: bool) -> None:
    filing = Filing(places(folder(tmp_path, done=done)))
    filing.prepare(lambda _: None)
    (tmp_path / "in" / "a.jpg").write_text("x")
    filing.put_away(Path("a.jpg"))
    assert (tmp_path / "in" / "a.jpg").exists() is stays
    assert not (tmp_path / "out" / "done").exists()


def test_a_failure_lies_beside_its_reason(filing: Filing) -> None:
    for content in ("one", "two"):
        (filing.where.inbox / "a.jpg").write_text(content)
        filing.put_to_failed(Path("a.jpg"), f"{content} is broken")
    files = {path.name: path.read_text() for path in filing.where.failed.iterdir()}
    assert files == {
        "a.jpg": "one",
        "a.jpg.reason.txt": "one is broken\n",
        "a-2.jpg": "two",
        "a-2.jpg.reason.txt": "two is broken\n",
    }


def test_a_failure_interrupted_after_its_reason_fails_again_under_the_same_name(filing: Filing) -> None:
    (filing.where.failed / "a.jpg.reason.txt").write_text("of the first try\n")
    (filing.where.inbox / "a.jpg").write_text("x")
    assert filing.put_to_failed(Path("a.jpg"), "broken").name == "a.jpg"
    assert (filing.where.failed / "a.jpg.reason.txt").read_text() == "broken\n"


def test_long_and_odd_names_work(filing: Filing) -> None:
    for name in ("n" * 251 + ".jpg", "a\nb.jpg", "caf\udce9.jpg", "-rf"):
        (filing.where.inbox / name).write_text("x")
        place = filing.put_to_failed(Path(name), f"{name} is broken")
        assert place.name == name
        assert filing.result_place(Path(name), review=True).name.endswith(".png")
    assert len(list(filing.where.failed.glob("*.reason.txt"))) == 4


def test_moving_to_another_disk_copies_first(filing: Filing, monkeypatch: pytest.MonkeyPatch) -> None:
    real: Callable[..., Path] = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self.parent == filing.where.inbox:
            raise OSError(18, "Invalid cross-device link")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    (filing.where.inbox / "a.jpg").write_text("content")
    os.utime(filing.where.inbox / "a.jpg", (1, 1))
    filing.put_away(Path("a.jpg"))
    moved = filing.where.outbox / "done" / "a.jpg"
    assert (moved.read_text(), moved.stat().st_mtime) == ("content", 1)
    assert not list(filing.where.inbox.iterdir())
    assert [path.name for path in moved.parent.iterdir()] == ["a.jpg"]


def test_only_leftovers_of_this_inbox_are_swept(tmp_path: Path, filing: Filing) -> None:
    other = Filing(places(folder(tmp_path, inbox=str(tmp_path / "other"))))
    for path in (filing.temporary(), filing.temporary(), other.temporary()):
        path.write_text("half")
    assert filing.sweep() == 2
    assert other.sweep() == 1
