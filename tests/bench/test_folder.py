"""The benches of the hot folder, in a short form: the promises hold, and what breaks one is found."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePath

import folder
import folder_latency
import folder_steady
import pytest
from folder_ground import Clock, Ground, Unfinished, ground
from folder_stock import Original, pictures, scans, spoilt
from folder_verdict import Results, Verdict

from bgwatch.job import Job, run
from bgwatch.settings import PictureLimits

GOOD, BAD, PALE, SCAN = PurePath("good.jpg"), PurePath("a/bad.jpg"), PurePath("pale.jpg"), PurePath("scan.jpg")
ACCOUNT = r"(\d+) results \(\d+ to be reviewed\), (\d+) reasons.*; 0 lost, 0 duplicates, 0 leftovers, 0 otherwise amiss"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Ground]:
    with ground(tmp_path) as place:
        yield place


@pytest.fixture
def dropped(place: Ground) -> dict[PurePath, Original]:
    """Originals that have ended in each of the three ways, and one of two pages."""
    good, pale = pictures(2)
    (bad, *_) = spoilt([good])
    (scan,) = scans([good], 2)
    for name, original, end in ((GOOD, good, "done"), (PALE, pale, "done"), (SCAN, scan, "done"), (BAD, bad, "failed")):
        put(place.outbox / end / name, original.content)
    for page in (1, 2):
        put(place.outbox / f"scan.frames/scan-{page}.png", result(place, GOOD))
    put(place.outbox / "good.png", result(place, GOOD))
    put(place.outbox / "review/pale.png", result(place, PALE))
    put(place.outbox / "review/pale.reason.txt", b"It is pale.\n")
    put(place.outbox / "failed/a/bad.jpg.reason.txt", b"It is bad.\n")
    return {GOOD: good, BAD: bad, PALE: pale, SCAN: scan}


def put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def result(place: Ground, name: PurePath) -> bytes:
    """Cut out an original that is done."""
    made = place.state.with_name("made.png")
    made.unlink(missing_ok=True)
    assert run(Job(str(place.outbox / "done" / name), str(made), {}, PictureLimits().model_dump())).written
    return made.read_bytes()


def test_three_kinds_of_end_are_all_right(place: Ground, dropped: dict[PurePath, Original]) -> None:
    results, verdict = Results(place, dropped), Verdict(place, dropped)
    results.look()
    results.look_at_all_again()
    assert results.faults == verdict.broken == []
    assert verdict.counts == {"result": 2, "review": 1, "failed": 1}


def test_half_a_series_is_seen(place: Ground, dropped: dict[PurePath, Original]) -> None:
    (place.outbox / "scan.frames/scan-1.png").unlink()
    results = Results(place, dropped)
    results.look()
    (fault,) = results.faults
    assert fault.endswith("scan-2.png: is not one of 2 pages")


def test_a_partial_result_is_seen(place: Ground, dropped: dict[PurePath, Original]) -> None:
    whole = (place.outbox / "good.png").read_bytes()
    for length in (0, 1, len(whole) // 2, len(whole) - 1):
        (place.outbox / "good.png").write_bytes(whole[:length])
        results = Results(place, dropped)
        results.look()
        (fault,) = results.faults
        assert "good.png: is partial" in fault


def test_a_result_of_another_original_is_seen(place: Ground, dropped: dict[PurePath, Original]) -> None:
    (place.outbox / "review/pale.png").replace(place.outbox / "good.png")
    put(place.outbox / "a/bad.png", b"")
    results = Results(place, dropped)
    results.look()
    assert sorted(fault.rpartition("/")[2] for fault in results.faults) == [
        "bad.png: is a result of nothing that was dropped",
        "good.png: is (121, 90) large where its original gives (120, 90)",
    ]


def test_a_result_that_is_replaced_or_goes_is_seen(place: Ground, dropped: dict[PurePath, Original]) -> None:
    results = Results(place, dropped)
    results.look()
    put(place.outbox / "new", (place.outbox / "good.png").read_bytes())
    (place.outbox / "new").replace(place.outbox / "good.png")
    (place.outbox / "review/pale.png").unlink()
    results.look()
    assert [fault.rpartition("/")[2] for fault in results.faults] == [
        "good.png: another file has taken its place",
        "pale.png: had appeared, and has gone",
    ]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("outbox/good-2.png", "1 duplicates"),
        ("outbox/failed/a/bad-2.jpg", "1 duplicates"),
        ("outbox/.bgwatch-0123-4567.tmp", "1 leftovers"),
        ("outbox/failed/.bgwatch-0123-4567.tmp", "1 leftovers"),
        ("outbox/.bgwatch-0123-4567.tmp/scan-1.png", "1 leftovers"),
        ("outbox/scan-2.frames/scan-1.png", "1 duplicates"),
        ("outbox/scan.frames/scan-3.png", "1 duplicates"),
        ("outbox/other.png", "1 files that should not be there"),
        ("outbox/failed/good.jpg.reason.txt", "1 originals without exactly one end"),
    ],
)
def test_a_file_too_many_is_seen(place: Ground, dropped: dict[PurePath, Original], file: str, said: str) -> None:
    put(place.inbox.parent / file, b"x\n")
    (broken,) = Verdict(place, dropped).broken
    assert broken.startswith(said)
    assert Path(file).stem in broken


def test_an_empty_folder_that_is_left_is_seen(place: Ground, dropped: dict[PurePath, Original]) -> None:
    (place.outbox / ".bgwatch-0123-4567.tmp").mkdir()
    assert Verdict(place, dropped).leftovers == [".bgwatch-0123-4567.tmp"]


@pytest.mark.parametrize(
    "file", ["good.png", "review/pale.reason.txt", "failed/a/bad.jpg.reason.txt", "scan.frames/scan-2.png"]
)
def test_a_file_too_few_is_seen(place: Ground, dropped: dict[PurePath, Original], file: str) -> None:
    (place.outbox / file).unlink()
    (broken,) = Verdict(place, dropped).broken
    assert broken.startswith("1 originals without exactly one end")


def test_a_lost_changed_or_doubled_original_is_seen(place: Ground, dropped: dict[PurePath, Original]) -> None:
    (place.outbox / "done/good.jpg").unlink()
    (place.outbox / "done/pale.jpg").write_bytes(b"something else")
    put(place.inbox / BAD, dropped[BAD].content)
    lost, undecided = Verdict(place, dropped).broken
    assert lost.startswith("3 originals lost, changed or doubled")
    assert undecided.startswith("2 originals without exactly one end")  # the changed one has one


def test_a_picture_that_failed_is_named(place: Ground, dropped: dict[PurePath, Original]) -> None:
    dropped[BAD] = Original(dropped[BAD].content, (120, 90))
    verdict = Verdict(place, dropped)
    assert verdict.broken == []
    assert "1 reasons (1 of them pictures: a/bad.jpg)" in verdict.line()


def test_waiting_ends() -> None:
    with pytest.raises(Unfinished, match="waiting for the moon"):
        Clock(0).wait("the moon", lambda: False)


@pytest.mark.slow
def test_a_bench_that_runs_out_of_time_says_so(tmp_path: Path, capsys) -> None:
    assert folder.main(["latency", "--pictures", "3", "--minutes", "0", "--where", str(tmp_path)]) == 1
    assert "latency: BROKEN: the time of --minutes was up while waiting for the daemon" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def bench(capsys, where: Path, *arguments: object) -> str:
    """Run a bench, check that no promise was broken and give its figures."""
    code = folder.main([*map(str, arguments), "--where", str(where)])
    said = capsys.readouterr().out
    assert code == 0, said
    assert list(where.iterdir()) == []
    return said


@pytest.mark.slow
def test_kills_lose_nothing(tmp_path: Path, capsys) -> None:
    said = bench(capsys, tmp_path, "kills", "--kills", 20)
    assert re.search(r"kills: 20 in .*: daemon \d+, worker \d+, both \d+; seed 0", said)
    dropped, partial = re.search(r"(\d+) pictures \(\d+ of several pages\); (\d+) results partial", said).groups()
    assert partial == "0"
    assert sum(map(int, re.search(ACCOUNT, said).groups())) == int(dropped) > 0


@pytest.mark.slow
def test_a_burst_is_complete(tmp_path: Path, capsys) -> None:
    said = bench(capsys, tmp_path, "burst", "--pictures", 600)
    assert re.search(ACCOUNT, said).groups() == ("588", "12")
    assert re.search(r"a plain watchdog observer heard of \d+ of 600 files", said)


@pytest.mark.slow
def test_memory_stays(tmp_path: Path, capsys) -> None:
    """A few hundred pictures do not fill all that libraries keep, so the limit is wide; a leak is wider."""
    assert folder_steady.run(tmp_path, Clock(5), 300, seed=0, most=1.5) == []
    said = capsys.readouterr().out
    assert re.search(ACCOUNT, said).groups() == ("300", "0")
    assert float(re.search(r"ratio ([\d.]+)", said)[1]) > 0


@pytest.mark.slow
def test_the_latency_bench_sees_every_result(tmp_path: Path, capsys) -> None:
    """How fast they come is for a reader, not for a test."""
    broken = folder_latency.run(tmp_path, Clock(5), 8, every=0.1)
    assert [promise for promise in broken if not promise.startswith("p50")] == []
    said = capsys.readouterr().out
    assert re.search(ACCOUNT, said).groups() == (str(8 + folder_latency.WARM), "0")
    for manner, count in (("all", 8), ("rename", 4), ("close", 4)):
        assert re.search(rf"latency: {manner}, {count}: p50 [\d.]+ s, p99 [\d.]+ s, maximum [\d.]+ s", said)
