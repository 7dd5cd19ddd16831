"""Pictures cut out by a real Dask scheduler and real workers, which die in the middle of it."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dasks import SLOW, Dask, long_picture, names
from scenes import Ended, disc, opened
from serving import Server, sending

from bgwatch.cluster import Cluster

Draw = Callable[..., Path]


@pytest.mark.parametrize("address", ["tcp://10.1.2.3:8786", "example.org:8786", "tcp://localhost.example.org:8786"])
@pytest.mark.parametrize("command", ["remove", "watch"])
def test_a_scheduler_that_strangers_may_reach_is_refused(
    bgwatch: Callable[..., Ended], draw: Draw, command: str, address: str
) -> None:
    ended = bgwatch(command, *([draw("a.png")] if command == "remove" else ["in", "out"]), "--scheduler", address)
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert f"error: scheduler: {address} is neither tls:// nor on this machine, and whoever reaches" in ended.err
    assert not Path("in").exists()


def test_a_scheduler_that_is_no_address_is_refused(bgwatch: Callable[..., Ended], draw: Draw) -> None:
    ended = bgwatch("remove", draw("a.png"), "--scheduler", "http://x")
    assert (ended.code, ended.err) == (
        2,
        "error: scheduler: must be an address like tls://host:8786 or tcp://127.0.0.1:8786, got 'http://x'\n",
    )


def test_without_dask_it_tells_what_to_install(
    bgwatch: Callable[..., Ended], draw: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    for address in ("tcp://127.0.0.1:9", "localhost:9", "[::1]:9", "tls://example.org:9"):
        ended = bgwatch("remove", draw("a.png"), "--scheduler", address)
        assert ended.err == "error: --scheduler needs dask.distributed; run: pip install 'bgwatch[cluster]'\n"
        assert ended.code == 3


def test_without_a_scheduler_dask_is_not_imported(draw: Draw) -> None:
    draw("in/a.png")
    script = (
        "import sys; from bgwatch import cli, cluster; sys.argv[1:] = sys.argv[1].split()\n"
        "try: cli.main()\n"
        "finally: print({name for name in sys.modules if name.split('.')[0] in ('dask', 'distributed', 'tornado')})\n"
    )
    for command in ("watch in out --once --settle-seconds 0.05", "remove out/done/a.png"):
        ended = subprocess.run([sys.executable, "-c", script, command], capture_output=True, text=True, timeout=60)
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout.endswith("set()\n")


@pytest.mark.slow
def test_remove_loses_nothing_when_a_worker_is_killed(start_dask: Callable[..., Dask], draw: Draw) -> None:
    dask = start_dask()
    first, _ = dask.worker("--no-nanny"), dask.worker("--no-nanny")
    stems = [f"{number:02}" for number in range(30)] + ["caf\udce9", "-rf"]
    for seed, stem in enumerate(stems):
        draw(f"in/sub/{stem}.png", seed=seed)
    remove = dask.bgwatch("remove", "in", "-o", "out")
    remove.says(r"^out/sub/..\.png$")
    first.process.kill()
    assert remove.ends() == 0
    assert names("out") == {f"out/sub/{stem}.png" for stem in stems}
    told = [line for line in remove.said if line.startswith("out/sub/")]
    assert len(told) == len(set(told)) == len(stems)
    assert remove.said[-1].startswith(f"{len(stems)} done in")
    assert len(remove.said) == len(stems) + 1, "nothing else is said"


@pytest.mark.slow
def test_watch_loses_nothing_when_a_worker_is_killed(start_dask: Callable[..., Dask]) -> None:
    """Pictures stream in while one of two workers is killed: each comes out once, right, and is put away."""
    dask = start_dask()
    first, _ = dask.worker("--no-nanny"), dask.worker("--no-nanny")
    watch = dask.bgwatch("watch", "in", "out", "--settle-seconds", "0.05")
    watch.says("watching")
    count = 40
    for number in range(count):
        disc(seed=number).save("part.png")
        Path("part.png").rename(f"in/{number:02}.png")
        if number == count // 4:
            watch.says(" -> ")
            first.process.kill()
    for _ in range(count - 1):
        watch.says(" -> ")
    assert watch.ends(signal.SIGTERM, within=10) == 0
    assert names("in") == set()
    assert names("out") == {f"out/{n:02}.png" for n in range(count)} | {f"out/done/{n:02}.png" for n in range(count)}
    for number in range(count):
        assert opened(f"out/{number:02}.png").getpixel((60, 60))[:3] == disc(seed=number).getpixel((60, 60))
    assert not [line for line in watch.said if " INFO " not in line]


@pytest.mark.slow
def test_a_cluster_writes_the_bytes_that_this_machine_writes(
    start_dask: Callable[..., Dask], bgwatch: Callable[..., Ended], draw: Draw
) -> None:
    draw("in/a.jpg")
    assert bgwatch("remove", "in", "-o", "here").code == 0
    dask = start_dask()
    dask.worker()
    assert dask.bgwatch("remove", "in", "-o", "there").ends() == 0
    assert Path("here/a.png").read_bytes() == Path("there/a.png").read_bytes()


@pytest.mark.slow
def test_workers_fetch_what_this_machine_would_fetch(
    start_dask: Callable[..., Dask], draw: Draw, server: Server
) -> None:
    server.routes["/a.png"] = sending(draw("drawn.png").read_bytes())
    dask = start_dask()
    dask.worker()
    refused = dask.bgwatch("remove", server.url("/a.png"), "-o", "out")
    assert refused.ends() == 1
    assert "its host 127.0.0.1 is 127.0.0.1, an address of this machine" in "".join(refused.said)
    assert not server.asked
    assert dask.bgwatch("remove", server.url("/a.png"), "drawn.png", "-o", "out", "--allow-private-hosts").ends() == 0
    assert len(server.asked) == 1
    assert names("out") == {"out/a.png", "out/drawn.png"}
    assert Path("out/a.png").read_bytes() == Path("out/drawn.png").read_bytes()


@pytest.mark.slow
def test_limits_hold_on_the_workers_and_threads_are_one(start_dask: Callable[..., Dask], draw: Draw) -> None:
    """With a nanny, as `dask worker` starts by default; its worker is a daemon that may have no children."""
    dask = start_dask()
    dask.worker()
    long_picture("long.png")
    remove = dask.bgwatch("remove", "long.png", *SLOW, "--worker-seconds", "1")
    remove.says(r"failed: (.*/)?long\.png: it took longer than worker_seconds \(1 s\)")
    assert remove.ends() == 1
    assert dask.bgwatch("remove", draw("after.png")).ends() == 0
    cluster = Cluster(act, died, unstarted, claim, wanted, dask.address, 60, 2048)
    assert results(cluster, "threads", "eat") == {"1", "refused memory"}


def act(task: str) -> str:
    """Do what a task says; runs in the process of a worker."""
    if task == "kill":
        os.kill(os.getppid(), signal.SIGKILL)
        signal.pause()
    if task == "eat":
        try:
            bytearray(3 * 2**30)
        except MemoryError:
            return "refused memory"
    return os.environ["OMP_NUM_THREADS"] if task == "threads" else f"did {task}"


def died(task: str, reason: str) -> str:
    return f"{task} died: {reason}"


def unstarted(task: str, reason: str) -> str:
    return f"{task} not begun: {reason}"


@contextlib.contextmanager
def claim(task: str) -> Iterator[None]:
    yield


def wanted(task: str) -> bool:
    return bool(task)


def results(cluster: "Cluster[str, str]", *tasks: str) -> set[str]:
    got: list[str] = []
    try:
        for task in tasks:
            cluster.submit(task)
        while cluster.busy:
            got += cluster.collect(None)
    finally:
        cluster.stop()
    assert len(got) == len(tasks)
    return set(got)


@pytest.mark.slow
def test_only_what_kills_workers_alone_has_failed(start_dask: Callable[..., Dask]) -> None:
    """Dask condemns all that lay on a killed worker; here the scheduler gives up after the first death."""
    dask = start_dask(DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0")
    dask.worker()
    cluster = Cluster(act, died, unstarted, claim, wanted, dask.address, 60, 2048)
    others = [f"task{number}" for number in range(6)]
    got = results(cluster, "kill", *others)
    assert {f"did {task}" for task in others} < got
    assert "kill died: every Dask worker that began it was killed; scale the picture or free memory" in got
