import queue
from pathlib import Path

from bgwatch.watch.events import Events


def test_a_file_that_appears_in_whatever_way_is_heard_of(tmp_path: Path) -> None:
    (tmp_path / "in" / "sub").mkdir(parents=True)
    heard: queue.Queue[Path] = queue.Queue()
    events = Events(tmp_path / "in", heard.put)
    try:
        written = tmp_path / "in" / "written.jpg"
        written.write_text("x")
        moved = tmp_path / "in" / "sub" / "moved.jpg"
        written.with_suffix(".part").write_text("y")
        written.with_suffix(".part").rename(moved)
        from_outside = tmp_path / "in" / "from-outside.jpg"
        (tmp_path / "outside").write_text("z")
        (tmp_path / "outside").rename(from_outside)
        missing = {written, moved, from_outside}
        while missing:
            missing.discard(heard.get(timeout=20))
    finally:
        events.stop()


def test_reading_a_file_is_not_an_event(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_text("x")
    heard: queue.Queue[Path] = queue.Queue()
    events = Events(tmp_path, heard.put)
    try:
        for _ in range(5):
            path.read_text()
        (tmp_path / "last").write_text("x")
        first = heard.get(timeout=20)
        while first == tmp_path:
            first = heard.get(timeout=20)
        assert first == tmp_path / "last"
    finally:
        events.stop()
