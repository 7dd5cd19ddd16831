from pathlib import Path

import pytest

from bgwatch.watch import hints as hints_module
from bgwatch.watch.hints import Hints


def test_none_is_lost_where_many_are_taken_by_and_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints_module, "AT_ONCE", 2)
    hints = Hints()
    paths = [Path(str(number)) for number in range(5)]
    for path in paths:
        hints.put(path)
    assert [list(hints.take(0)) for _ in range(4)] == [paths[:2], paths[2:4], paths[4:], []]
    assert not hints.some_lost()


def test_too_many_are_not_kept_and_that_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hints_module, "AT_MOST", 1)
    hints = Hints()
    for _ in range(2):
        hints.put(Path("a"))
    assert list(hints.take(0)) == [Path("a")]
    assert (hints.some_lost(), hints.some_lost()) == (True, False)


def test_who_is_woken_finds_no_hint() -> None:
    hints = Hints()
    hints.wake()
    assert list(hints.take(60)) == []
