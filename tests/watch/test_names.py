"""Names that trip programs: as long as they may be, no text, mark-up, control characters."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from watching import Box

Draw = Callable[..., Path]
NAMES = [
    "n" * 251 + ".jpg",
    "n" * 250 + "2.jpg",
    "ä" * 125 + "x.jpg",
    "a." + "x" * 253,
    "a\nb.jpg",
    "-rf.jpg",
    "--",
    "[/x].jpg",
    "[/red]x.jpg",
    "\x1b[31m.jpg",
    "%s %(name)s {0}.jpg",
    "*?'\"$(touch x)`;&|.jpg",
    " .jpg",
    "\u202egpj.jpg",
    "con.jpg",
]
NOT_UTF8 = ["caf\udce9.jpg", "\udce9" * 251 + ".jpg"]


def lines(caplog: pytest.LogCaptureFixture, word: str) -> list[str]:
    """The lines of the log with a word; all of them are lines, and harmless ones."""
    assert all(line.isprintable() for line in caplog.messages)
    assert "Traceback" not in caplog.text
    return [line for line in caplog.messages if word in line]


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def once_more(source: Path, box: Box, under: list[str], **settings: object) -> int:
    """Put a file into the inbox under every name, and run; nothing may be left."""
    for name in under:
        (box.inbox / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(source, box.inbox / name)
    code = box.once(**settings)
    assert files(box.inbox) == []
    return code


@pytest.mark.parametrize("fate", ["done", "review"])
def test_odd_names_come_out_twice(box: Box, draw: Draw, caplog: pytest.LogCaptureFixture, fate: str) -> None:
    settings = {"min_confidence": 1.0, "method": "threshold", "tolerance": 1} if fate == "review" else {}
    source = draw(box.root / "a.jpg")
    for count in (len(NAMES + NOT_UTF8), 2 * len(NAMES + NOT_UTF8)):
        assert once_more(source, box, NAMES + NOT_UTF8, **settings) == 0
        originals = files(box.outbox / "done")
        assert [path.read_bytes() for path in originals] == [source.read_bytes()] * count
        results = set(files(box.outbox)) - set(originals)
        assert sum(path.suffix == ".png" for path in results) == count
        assert sum(path.name.endswith(".reason.txt") for path in results) == (count if fate == "review" else 0)
        assert len(lines(caplog, " -> ")) == count


def test_odd_names_fail_twice(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    (box.root / "text").write_text("no picture")
    for count in (len(NAMES + NOT_UTF8), 2 * len(NAMES + NOT_UTF8)):
        assert once_more(box.root / "text", box, NAMES + NOT_UTF8) == 1
        failed = files(box.outbox / "failed")
        assert sum(path.read_text() == "no picture" for path in failed) == count
        assert sum(path.name.endswith(".reason.txt") for path in failed) == count
        assert len(failed) == 2 * count
        assert len(lines(caplog, "failed: ")) == count


def test_names_that_differ_by_case_alone_both_come_out(box: Box, draw: Draw) -> None:
    for number, name in enumerate(("a.jpg", "A.jpg", "A.png")):
        draw(box.inbox / name, seed=number)
    count = len(list(box.inbox.iterdir()))
    assert box.once() == 0
    assert len(list(box.outbox.glob("*.png"))) == len(list((box.outbox / "done").iterdir())) == count


def test_subfolders_with_odd_names_are_mirrored(box: Box, draw: Draw, caplog: pytest.LogCaptureFixture) -> None:
    source = draw(box.root / "a.jpg")
    folders = [name for name in NAMES + NOT_UTF8 if "/" not in name]
    for name in folders:
        (box.inbox / name).mkdir()
        shutil.copyfile(source, box.inbox / name / "a.jpg")
    assert box.once() == 0
    assert {path.parent.name for path in box.outbox.glob("*/a.png")} == set(folders)
    assert {path.parent.name for path in (box.outbox / "done").glob("*/a.jpg")} == set(folders)
    assert len(lines(caplog, " -> ")) == len(folders)


@pytest.mark.parametrize("room", [5, 0], ids=["the original", "the result"])
def test_an_original_whose_path_is_too_long_elsewhere_stays(
    box: Box, draw: Draw, caplog: pytest.LogCaptureFixture, room: int
) -> None:
    """The longest path of Linux is 4095 bytes; one that fits into the inbox need not fit into outbox and done.

    That is found out before the work, which would be in vain at every rescan.
    """
    size, more = divmod(4095 - room - len("/a.jpg") - len(str(box.inbox)), 20)
    folder = box.inbox.joinpath(*["d" * (size - 1)] * 19, "d" * (size - 1 + more))
    draw(folder / "a.jpg")
    draw(box.inbox / "b.jpg")
    assert box.once() == 3
    assert len(str(folder / "a.jpg")) == 4095 - room
    assert (folder / "a.jpg").exists()
    assert (box.outbox / "b.png").exists()
    assert len(lines(caplog, "File name too long")) == 1
    assert not [path for path in files(box.outbox) if path.name == "a.png"]
    assert not lines(caplog, "b.jpg: cannot")
