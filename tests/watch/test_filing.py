import os
from pathlib import Path

import pytest

from bgwatch.errors import FolderError, SettingsError
from bgwatch.settings import Folder
from bgwatch.watch.filing import Filing
from bgwatch.watch.places import places, refuse_loops

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
    with pytest.raises(FolderError, match=r"out: cannot be made \(a file has its name\)"):
        Filing(places(folder(tmp_path))).prepare(lambda _: None)


def test_an_original_that_cannot_be_deleted_is_told(tmp_path: Path) -> None:
    filing = Filing(places(folder(tmp_path, done="delete")))
    filing.prepare(lambda _: None)
    with pytest.raises(FolderError, match=r"gone\.jpg: cannot be deleted"):
        filing.put_away(Path("gone.jpg"))


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
    nested = folder(tmp_path, inbox=str(tmp_path / "in" / "sub"), outbox=str(tmp_path / "other"))
    with pytest.raises(SettingsError, match="this inbox lies inside the inbox"):
        refuse_loops([places(there), places(nested)], STATE)
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


def fail(filing: Filing, name: str, reason: str) -> Path:
    place = filing.failed_place(Path(name))
    filing.put_to_failed(Path(name), place)
    filing.explain(place, reason, failure=True)
    return place


def test_a_failure_lies_beside_its_reason(filing: Filing) -> None:
    for content in ("one", "two"):
        (filing.where.inbox / "a.jpg").write_text(content)
        fail(filing, "a.jpg", f"{content} is broken")
    files = {path.name: path.read_text() for path in filing.where.failed.iterdir()}
    assert files == {
        "a.jpg": "one",
        "a.jpg.reason.txt": "one is broken\n",
        "a-2.jpg": "two",
        "a-2.jpg.reason.txt": "two is broken\n",
    }


def test_a_reason_never_replaces_an_original_of_its_name(filing: Filing) -> None:
    (filing.where.inbox / "a.jpg.reason.txt").write_text("my own notes")
    fail(filing, "a.jpg.reason.txt", "no picture")
    (filing.where.inbox / "a.jpg").write_text("x")
    assert fail(filing, "a.jpg", "broken").name == "a-2.jpg"
    assert (filing.where.failed / "a.jpg.reason.txt").read_text() == "my own notes"


def test_a_reason_is_written_once_unless_it_changes(filing: Filing) -> None:
    """After a kill nobody who reads it is disturbed; beside a result that replaces another it is a new one."""
    inodes = []
    for reason in ("first", "first", "another"):
        filing.explain(filing.where.review / "a.png", reason, failure=False)
        [file] = filing.where.review.iterdir()
        assert file.name == "a.reason.txt"
        assert file.read_text() == f"{reason}\n"
        inodes.append(file.stat().st_ino)
    assert inodes[0] == inodes[1] != inodes[2]


def test_long_and_odd_names_work(filing: Filing) -> None:
    for name in ("n" * 251 + ".jpg", "n" * 250 + "2.jpg", "a\nb.jpg", "caf\udce9.jpg", "-rf"):
        (filing.where.inbox / name).write_text("x")
        assert filing.result_place(Path(name), review=True).name.endswith(".png")
        fail(filing, name, f"{name} is broken")
    assert len(list(filing.where.failed.glob("*.reason.txt"))) == 5
    assert len(list(filing.where.failed.iterdir())) == 10


def test_a_move_cut_short_between_its_two_names_is_ended(filing: Filing) -> None:
    original = filing.where.inbox / "a.jpg"
    (filing.where.outbox / "done" / "a.jpg").write_text("another")
    original.write_text("x")
    (filing.where.outbox / "done" / "a-2.jpg").hardlink_to(original)
    filing.put_away(Path("a.jpg"))
    assert not original.exists()
    assert {path.name for path in (filing.where.outbox / "done").iterdir()} == {"a.jpg", "a-2.jpg"}


def test_only_leftovers_of_this_inbox_are_swept(tmp_path: Path, filing: Filing) -> None:
    other = Filing(places(folder(tmp_path, inbox=str(tmp_path / "other"))))
    for path in (filing.temporary(), filing.temporary(), other.temporary()):
        path.write_text("half")
    (filing.where.failed / filing.temporary().name).write_text("half a reason")
    assert filing.sweep() == 3
    assert other.sweep() == 1
