"""The same call again: what was done before is not done again, and the end is as if nothing had happened."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import Ended
from serving import Server, failing, sending

from bgwatch import batch, planning
from bgwatch.job import Job, Outcome
from bgwatch.journal import Journal
from bgwatch.place import publish
from bgwatch.settings import Naming, Output, PictureLimits, WorkerLimits

Bgwatch = Callable[..., Ended]
Draw = Callable[..., Path]


class Here:
    """A pool without processes, whose results are their sources' bytes; they land in an order that is given.

    Parameters
    ----------
    order : iterator of int
        Which of the pictures under way is the next to land. When it ends, the run is killed.
    """

    def __init__(self, order: Iterator[int]) -> None:
        self._order = order
        self._flying: list[Job] = []

    @property
    def busy(self) -> bool:
        return bool(self._flying)

    @property
    def room(self) -> bool:
        return len(self._flying) < 3

    def submit(self, job: Job) -> None:
        self._flying.append(job)

    def collect(self, _: None) -> Iterator[Outcome]:
        try:
            job = self._flying.pop(next(self._order) % len(self._flying))
        except StopIteration:
            raise KeyboardInterrupt from None
        if b"broken" in (content := Path(job.source).read_bytes()):
            yield Outcome(job, "failed", ("broken",))
        else:
            Path(job.temporary).write_bytes(content)
            yield Outcome(job, "done", confidence=1.0)

    def stop(self) -> None:
        pass


def run(sources: list[Path], out: Path, state: Path, order: list[int], naming: Naming, **how: Any) -> set[Path]:
    """Run a batch; give the sources that were worked on."""
    journal = Journal(state, {"name": naming.name})
    done = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "pool", lambda *_, **__: Here(iter(order)))
        for name, value in how.items():
            patch.setattr(planning if name == "plan" else batch, name, value)
        made = planning.plan(sources, out, naming=naming, journal=journal)
        limits = PictureLimits(), WorkerLimits(), Output()
        try:
            for outcome, target in batch.carry_out(made, {}, *limits, 1, journal=journal):
                done.add(Path(outcome.job.source))
                assert (target is not None) == outcome.written
        except KeyboardInterrupt:
            pass
        finally:
            journal.close()
    return done


def contents(top: Path) -> dict[str, bytes]:
    return {str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*") if path.is_file()}


STEMS = st.lists(st.sampled_from(["a", "b", "a-2", "A", "broken", "a-2-2"]), min_size=1, max_size=7)


@given(
    stems=STEMS,
    orders=st.lists(st.lists(st.integers(0, 2), max_size=4), max_size=3),
    killed=st.sampled_from(["between pictures", "before publishing", "after publishing"]),
    template=st.sampled_from([None, "x", "{number:02d}", "{folder}/{stem}"]),
    on_conflict=st.sampled_from(["number", "overwrite", "skip"]),
)
@settings(max_examples=50, deadline=None)
def test_however_often_it_was_killed_the_end_is_the_same(
    tmp_path_factory: pytest.TempPathFactory,
    stems: list[str],
    orders: list[list[int]],
    killed: str,
    template: str | None,
    on_conflict: Any,
) -> None:
    top = tmp_path_factory.mktemp("run")
    sources = []
    for number, stem in enumerate(stems):
        sources.append(top / str(number) / f"{stem}.jpg")
        sources[-1].parent.mkdir()
        sources[-1].write_text(f"{number} {stem}")
    naming = Naming(name=template, on_conflict=on_conflict)
    run(sources, top / "whole", top / "state-1", [0] * 99, naming)
    state = top / "state-2"

    def kill(*given: Any) -> None:
        if killed == "after publishing":
            publish(*given)
        raise KeyboardInterrupt

    finished: set[Path] = set()
    for order in orders:
        worked = run(sources, top / "out", state, order, naming)
        assert not worked & finished, "nothing is done twice"
        finished |= {source for source in worked if "broken" not in source.name}
        if killed != "between pictures":
            run(sources, top / "out", state, [0], naming, publish=kill)
    last = run(sources, top / "out", state, [0] * 99, naming)
    assert not last & finished
    assert contents(top / "out") == contents(top / "whole")
    assert run(sources, top / "out", state, [0] * 99, naming) == {one for one in sources if "broken" in one.name}
    assert contents(top / "out") == contents(top / "whole")


def test_two_runs_at_once_make_one_result_of_each(tmp_path: Path) -> None:
    """The second has made its plan before the first put anything in place."""
    source = tmp_path / "a.jpg"
    source.write_text("a picture")
    real, naming = planning.plan, Naming()

    def plan(*given: Any, **how: Any) -> planning.Plan:
        made = real(*given, **how)
        assert run([source], tmp_path / "out", tmp_path / "state", [0], naming, plan=real) == {source}
        return made

    run([source], tmp_path / "out", tmp_path / "state", [0], naming, plan=plan)
    assert contents(tmp_path / "out") == {"a.png": b"a picture"}


def test_two_runs_at_once_that_both_found_the_name_free_make_one_result(tmp_path: Path) -> None:
    """Both have noted their result before either puts it in place."""
    source = tmp_path / "a.jpg"
    source.write_text("a picture")
    call = [source], tmp_path / "out", tmp_path / "state", [0], Naming()

    def publish_after_both_have_noted(*first: Any) -> None:
        def second_publish(*second: Any) -> None:
            if not first[1].exists():
                publish(*first)
            publish(*second)

        run(*call, publish=second_publish)

    run(*call, publish=publish_after_both_have_noted)
    assert contents(tmp_path / "out") == {"a.png": b"a picture"}
    assert run(*call) == set(), "one of the notes holds"


def test_a_rerun_says_that_all_was_done_and_names_the_results(draw: Draw, bgwatch: Bgwatch) -> None:
    for name in ("in/a.jpg", "in/a.png"):
        draw(name)
    first = bgwatch("remove", "in", "-o", "out", "--workers", 1)
    assert (first.code, sorted(first.out.split())) == (0, ["out/a-2.png", "out/a.png"])
    before = contents(Path("out"))
    again = bgwatch("remove", "in", "-o", "out")
    assert (again.code, again.out.split()) == (0, ["out/a.png", "out/a-2.png"])
    assert again.err == "nothing to do: all 2 were done before; --redo does them again\n"
    rows = list(map(json.loads, bgwatch("remove", "in", "-o", "out", "--json").out.splitlines()))
    assert [(row["source"], row["state"], row["result"], row["reasons"]) for row in rows] == [
        (source, "skipped", result, ["it was done before with the same settings"])
        for source, result in (("in/a.jpg", "out/a.png"), ("in/a.png", "out/a-2.png"))
    ]
    Path("out/a-2.png").unlink()
    draw("in/b.jpg")
    plan = bgwatch("remove", "in", "-o", "out", "--dry-run")
    assert plan.out.splitlines() == [
        "in/a.png -> out/a-2.png",
        "in/b.jpg -> out/b.png",
        "in/a.jpg -> out/a.png (done before)",
    ]
    assert plan.err == "2 to do, 1 done before; nothing was written\n"
    resumed = bgwatch("remove", "in", "-o", "out", "--workers", 1)
    assert (resumed.code, sorted(resumed.out.split())) == (0, ["out/a-2.png", "out/a.png", "out/b.png"])
    assert resumed.err.startswith("1 of 3 was done before, and is left as it is; 2 to do\n2 done, 1 done before in ")
    assert contents(Path("out")).items() > before.items()


def test_doubts_of_an_earlier_run_still_count_when_strict(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("a.jpg")
    doubtful = ("remove", "a.jpg", "-o", "out", "--min-confidence", 1, "--method", "threshold", "--tolerance", 1)
    assert bgwatch(*doubtful, "--strict").code == 1
    assert bgwatch(*doubtful).err == "nothing to do: it was done before, and is unsure; --redo does it again\n"
    assert bgwatch(*doubtful, "--strict").code == 1
    assert "1 unsure" in bgwatch(*doubtful, "--redo").err
    assert sorted(path.name for path in Path("out").iterdir()) == ["a-2.png", "a.png"]


def test_results_beside_their_sources_are_no_sources(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("in/a.jpg")
    assert bgwatch("remove", "in", "--name", "{stem}-web").out == "in/a-web.png\n"
    assert bgwatch("remove", "in", "--name", "web-{stem}", "--dry-run").out == "in/a.jpg -> in/web-a.png\n"


def test_a_state_folder_that_cannot_be_used_is_told_and_the_work_is_done(
    draw: Draw, bgwatch: Bgwatch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    draw("a.jpg")
    ended = bgwatch("remove", "a.jpg", "-o", "out", "--workers", 1)
    assert (ended.code, ended.out) == (0, "out/a.png\n")
    assert "remove.sqlite: cannot be used (" in ended.err


def test_addresses_are_gone_on_with_and_planned_without_fetching(server: Server, draw: Draw, bgwatch: Bgwatch) -> None:
    """One that was done is taken for unchanged; what fails is tried again."""
    picture = draw("drawn.png").read_bytes()
    server.routes["/a.png"] = sending(picture)
    Path("list.txt").write_text(server.url("/a.png?token=secret") + "\n" + server.url("/b.png") + "\n")
    call = ("remove", "list.txt", "-o", "out", "--allow-private-hosts", "--workers", 1)
    plan = bgwatch(*call, "--dry-run")
    assert (plan.code, len(plan.out.splitlines()), "secret" in plan.out) == (0, 2, False)
    assert not server.asked
    assert (bgwatch(*call).code, Path("out/a.png").exists()) == (1, True)
    server.routes |= {"/a.png": failing(404), "/b.png": sending(picture)}
    ended = bgwatch(*call)
    assert (ended.code, ended.out) == (0, "out/a.png\nout/b.png\n")
    assert ended.err.startswith("1 of 2 was done before, and is left as it is; 1 to do\n")


@pytest.mark.parametrize("arguments", [("-",), ("-", "-o", "out"), ("drawn.png", "-o", "-")])
def test_standard_streams_are_not_planned(draw: Draw, bgwatch: Bgwatch, arguments: tuple[str, ...]) -> None:
    draw("drawn.png")
    ended = bgwatch("remove", *arguments, "--dry-run")
    assert (ended.code, ended.out) == (2, "")
    assert "--dry-run: standard input and output have no names that could be planned; leave - out" in ended.err


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_folder_is_gone_on_with_where_a_signal_ended_it(draw: Draw, number: int) -> None:
    """Whatever the moment; the results are those of a run that nobody interrupted, byte for byte."""
    for name in range(20):
        draw(f"in/{name}.png", seed=name)
        draw(f"in/{name}.jpg", seed=name)
    command = [sys.executable, "-m", "bgwatch", "remove", "in", "--workers", "2", "-o"]
    subprocess.run([*command, "whole"], check=True, capture_output=True, timeout=120)
    for lines in (1, 8):
        with subprocess.Popen([*command, "out"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stdout
            before = len(list(Path("out").glob("*.png")))
            for _ in range(before + lines):
                process.stdout.readline()
            process.send_signal(number)
            _, err = process.communicate(timeout=60)
        assert process.returncode == (-signal.SIGKILL if number == signal.SIGKILL else 130)
        assert number == signal.SIGKILL or err.endswith("interrupted; the same call goes on from here\n")
    done = len(list(Path("out").glob("*.png")))
    assert 9 <= done < 40
    times = {path: path.stat().st_mtime_ns for path in Path("out").glob("*.png")}
    ended = subprocess.run([*command, "out"], check=True, capture_output=True, text=True, timeout=120)
    assert f"{done} of 40 were done before, and are left as they are; {40 - done} to do" in ended.stderr
    assert {path: path.stat().st_mtime_ns for path in times} == times
    assert contents(Path("out")) == contents(Path("whole"))
