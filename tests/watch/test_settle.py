from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bgwatch.watch.settle import Settling

A, B = Path("a"), Path("b")


def test_a_file_settles_after_its_last_change() -> None:
    settling = Settling(1.0)
    assert not settling.look(A, "1 byte", 0.0)
    assert settling.due(0.9) == []
    assert not settling.look(A, "2 bytes", 0.9)
    assert settling.due(1.5) == []
    assert settling.due(1.9) == [A]
    assert settling.look(A, "2 bytes", 1.9)
    assert len(settling) == 0
    assert settling.next_due() is None


def test_a_look_in_between_does_not_restart_the_wait() -> None:
    settling = Settling(1.0)
    settling.look(A, "x", 0.0)
    settling.look(A, "x", 0.6)
    assert settling.next_due() == 1.0
    assert settling.look(A, "x", 1.0)


def test_a_file_that_has_gone_is_forgotten() -> None:
    settling = Settling(1.0)
    settling.look(A, "x", 0.0)
    settling.forget(A)
    settling.forget(B)
    assert settling.due(9.0) == []


@given(st.lists(st.tuples(st.sampled_from([A, B]), st.integers(0, 2), st.floats(0, 2)), max_size=40))
def test_no_file_settles_within_the_wait_and_due_is_what_settles(steps: list[tuple[Path, int, float]]) -> None:
    """Whatever happens, a file settles exactly when its identity has been seen unchanged for the whole wait."""
    settling, now = Settling(1.0), 0.0
    since: dict[Path, tuple[int, float]] = {}
    for path, identity, later in steps:
        now += later
        assert set(settling.due(now)) == {known for known, (_, at) in since.items() if now >= at + 1.0}
        known, at = since.get(path, (None, now))
        settled = known == identity and now >= at + 1.0
        assert settling.look(path, identity, now) is settled
        if settled:
            del since[path]
        elif known != identity:
            since[path] = (identity, now)
        assert len(settling) == len(since)
