"""Schedulers and workers that go, are told to go, or are none."""

import contextlib
import re
import shutil
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from dasks import NOWHERE, PACKAGE, SLOW, Dask, long_picture, names, python_path, wait_for
from scenes import Ended

from bgwatch.cluster import Cluster
from bgwatch.errors import FolderError

Draw = Callable[..., Path]
NEVER_CALLED = (str, str, str, contextlib.nullcontext, bool)  # what is done with a task


@pytest.mark.slow
def test_watch_outlives_its_scheduler(start_dask: Callable[..., Dask], draw: Draw) -> None:
    dask = start_dask()
    worker = dask.worker()
    watch = dask.bgwatch("watch", "in", "out", "--settle-seconds", "0.05", "--rescan-seconds", "0.5")
    watch.says("watching")
    draw("in/first.png")
    watch.says(r"first\.png -> ")
    worker.process.send_signal(signal.SIGSTOP)
    for name in ("second", "third"):
        draw(f"in/{name}.png")
    wait_for(lambda: list(Path("out").glob(".*.claim.tmp")))
    dask.scheduler.process.kill()
    watch.says(f" ERROR {dask.address}: the scheduler cannot be reached; check that it runs")
    worker.process.kill()
    dask.schedule()
    dask.worker()
    watch.says(r"(second|third)\.png -> ")
    watch.says(r"(second|third)\.png -> ")
    assert watch.ends(signal.SIGTERM, within=10) == 0
    wanted = {f"out{done}/{name}.png" for done in ("", "/done") for name in ("first", "second", "third")}
    assert names("in") | names("out") == wanted
    errors = {line.partition(" ERROR ")[2] for line in watch.said if " INFO " not in line}
    assert errors <= {
        f"{dask.address}: the scheduler cannot be reached; check that it runs and that this machine may connect\n",
        f"{dask.address}: the scheduler has no workers; start some with: dask worker {dask.address}\n",
    }


@pytest.mark.slow
def test_a_new_scheduler_that_cannot_be_used_changes_nothing(start_dask: Callable[..., Dask], draw: Draw) -> None:
    """The daemon reads its settings again, and goes on as before."""
    dask = start_dask()
    dask.worker()
    settings = "settle_seconds: 0.05\nfolders: [{inbox: in, outbox: out}]\nscheduler: "
    Path("c.yaml").write_text(settings + dask.address)
    watch = dask.run_bgwatch("watch", "-c", "c.yaml")
    watch.says("watching")
    Path("c.yaml").write_text(settings + NOWHERE)
    watch.process.send_signal(signal.SIGHUP)
    watch.says(f"the new settings are refused, the old ones stay in force: {NOWHERE}: the scheduler cannot be reached")
    draw("in/a.png")
    watch.says(r"a\.png -> ")
    assert watch.ends(signal.SIGTERM, within=10) == 0


@pytest.mark.slow
def test_remove_ends_when_its_scheduler_has_gone(start_dask: Callable[..., Dask], draw: Draw) -> None:
    dask = start_dask()
    worker = dask.worker()
    for number in range(8):
        draw(f"in/{number}.png")
    worker.process.send_signal(signal.SIGSTOP)
    remove = dask.bgwatch("remove", "in", "-o", "out")
    wait_for(lambda: list(Path("out").glob(".*.claim.tmp")))
    dask.scheduler.process.kill()
    assert remove.ends(within=30) == 3
    said = f"{dask.address}: the scheduler cannot be reached; check that it runs and that this machine may connect"
    assert [line.strip() for line in remove.said if "not written in" not in line] == 2 * [f"failed: {said}"]
    assert names("out") == set()


@pytest.mark.slow
@pytest.mark.parametrize(("command", "code"), [("remove", 130), ("watch", 0)])
def test_interrupted_it_ends_soon_and_frees_the_workers(
    start_dask: Callable[..., Dask], draw: Draw, command: str, code: int
) -> None:
    dask = start_dask()
    dask.worker()
    for name in ("a", "b", "c"):
        long_picture(f"in/{name}.png")
    options = ["-o", "out"] if command == "remove" else ["out", "--settle-seconds", "0.05"]
    running = dask.bgwatch(command, "in", *options, *SLOW)
    wait_for(lambda: list(Path("out").glob(".*.claim.tmp")))
    assert running.ends(signal.SIGINT, within=10) == code
    assert names("in") | names("out") == {"in/a.png", "in/b.png", "in/c.png"}
    assert "Traceback" not in "".join(running.said)
    assert dask.bgwatch("remove", draw("after.png")).ends(within=30) == 0


@pytest.mark.slow
def test_a_worker_that_is_told_to_end_does_so_and_its_picture_goes_elsewhere(start_dask: Callable[..., Dask]) -> None:
    dask = start_dask()
    worker = dask.worker("--no-nanny")
    long_picture("in/long.png")
    remove = dask.bgwatch("remove", "in", "-o", "out", *SLOW, "--worker-seconds", "20")
    wait_for(lambda: list(Path(f"/proc/{worker.pid}/task").glob("*/children")) and _has_child(worker.pid))
    assert worker.ends(signal.SIGTERM, within=15) in (0, -signal.SIGTERM, 143)
    other = dask.worker("--no-nanny")
    wait_for(lambda: _has_child(other.pid))
    remove.ends(signal.SIGINT, within=10)


def _has_child(pid: int) -> bool:
    return any(path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children"))


@pytest.mark.slow
@pytest.mark.parametrize("what", ["another version", "none"])
def test_workers_without_this_bgwatch_are_told(start_dask: Callable[..., Dask], draw: Draw, what: str) -> None:
    package = Path("other", "bgwatch")
    if what == "none":
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("raise ModuleNotFoundError(\"No module named 'bgwatch'\")")
    else:
        shutil.copytree(PACKAGE, package)
        text = (package / "__init__.py").read_text()
        (package / "__init__.py").write_text(re.sub(r'__version__ = ".*"', '__version__ = "9.9"', text))
    dask = start_dask()
    dask.worker(PYTHONPATH=python_path(Path("other").resolve()))
    remove = dask.bgwatch("remove", draw("a.png"), draw("b.png"))
    assert remove.ends() == 3
    found = "No module named 'bgwatch'" if what == "none" else ".* has bgwatch 9.9"
    said = rf"failed: {dask.address}: the cluster cannot run bgwatch .* \({found}\); install the same bgwatch, dask and"
    assert [bool(re.match(said, line.strip())) for line in remove.said] == [True, False, True]
    assert "Traceback" not in "".join(remove.said)
    assert names(".") & {"a.cutout.png", "b.cutout.png"} == set()


@pytest.mark.parametrize(
    ("ca_file", "said"),
    [(None, "are not set"), ("nowhere.pem", r"cannot be used \(.*No such file or directory\)")],
)
def test_tls_without_certificates_is_told(
    bgwatch: Callable[..., Ended], draw: Draw, ca_file: str | None, said: str
) -> None:
    pytest.importorskip("distributed", reason="dask.distributed is not installed (pip install 'bgwatch[cluster]')")
    dask = pytest.importorskip("dask")
    with dask.config.set({"distributed.comm.tls.ca-file": ca_file, "distributed.comm.tls.client.cert": ca_file}):
        ended = bgwatch("remove", draw("a.png"), "--scheduler", "tls://127.0.0.1:9")
    assert re.match(f"error: tls://127.0.0.1:9: Dask's certificates {said}; set distributed.comm.tls in", ended.err)
    assert ended.code == 3


@pytest.mark.slow
def test_what_cannot_be_used_as_scheduler_is_told_in_a_few_seconds(start_dask: Callable[..., Dask]) -> None:
    with pytest.raises(FolderError, match=f"{NOWHERE}: the scheduler cannot be reached; check that it runs"):
        Cluster(*NEVER_CALLED, NOWHERE, 60, 2048)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(FolderError, match=f"{address}: the scheduler cannot be reached"):
            Cluster(*NEVER_CALLED, address, 60, 2048)
    alone = start_dask()
    with pytest.raises(FolderError, match=f"{alone.address}: the scheduler has no workers; start some with"):
        Cluster(*NEVER_CALLED, alone.address, 60, 2048)
