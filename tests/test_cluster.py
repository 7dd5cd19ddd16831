"""Pictures cut out by a real Dask scheduler and real workers, which die in the middle of it."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from running import Running
from scenes import Ended, disc, opened
from serving import Server, sending

import bgwatch
from bgwatch.cluster import Cluster
from bgwatch.errors import FolderError

Draw = Callable[..., Path]
HERE, PACKAGE = Path(__file__).parent, Path(bgwatch.__file__).parent
NOT_INSTALLED = "dask.distributed is not installed (pip install 'bgwatch[cluster]')"
NOWHERE = "tcp://127.0.0.1:9"
SLOW = ["--method", "kmeans", "--clusters", "200", "--n-init", "100"]


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


class Dask:
    """A scheduler of this machine, and as many workers as are asked for."""

    def __init__(self, **environment: str) -> None:
        self._running: list[Running] = []
        self._environment = environment
        self.address = "tcp://127.0.0.1:0"
        self.scheduler = self.schedule()

    def schedule(self) -> Running:
        """Start a scheduler, at the address that it had if it had one."""
        port = self.address.rpartition(":")[2]
        scheduler = self.run("scheduler", "--port", port, "--dashboard-address", "127.0.0.1:0")
        self.address = scheduler.says(r"Scheduler at: +(\S+)")[1]
        return scheduler

    def worker(self, *options: str, **environment: str) -> Running:
        """Start a worker; with ``--no-nanny`` the process is the worker itself."""
        options = (self.address, "--nthreads", "1", "--local-directory", "scratch", "--no-dashboard", *options)
        worker = self.run("worker", *options, **environment)
        worker.says("Registered to")
        return worker

    def run(self, role: str, *options: str, **environment: str) -> Running:
        environment = {"PYTHONPATH": python_path(HERE), **self._environment, **environment}
        self._running.append(Running("distributed.cli.dask_" + role, "--host", "127.0.0.1", *options, **environment))
        return self._running[-1]

    def bgwatch(self, command: str, *arguments: object) -> Running:
        """Start a command of bgwatch that uses the cluster."""
        return self.run_bgwatch(command, *arguments, "--scheduler", self.address)

    def run_bgwatch(self, *arguments: object) -> Running:
        """Start a command of bgwatch as it is."""
        self._running.append(Running("bgwatch", *arguments, PYTHONPATH=python_path(PACKAGE.parent)))
        return self._running[-1]

    def close(self) -> None:
        for process in reversed(self._running):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.close()


def python_path(first: Path) -> str:
    return os.pathsep.join(map(str, [first, PACKAGE.parent]))


@pytest.fixture
def start_dask() -> Iterator[Callable[..., Dask]]:
    pytest.importorskip("distributed", reason=NOT_INSTALLED)
    with contextlib.ExitStack() as stack:

        def start(**environment: str) -> Dask:
            dask = Dask(**environment)
            stack.callback(dask.close)
            return dask

        yield start


def names(top: str) -> set[str]:
    """All files below a folder, hidden ones too."""
    return {str(path) for path in Path(top).rglob("*") if path.is_file()}


def long_picture(path: str) -> None:
    """Save a picture that takes minutes with the options SLOW."""
    Path(path).parent.mkdir(exist_ok=True)
    noise = np.random.default_rng(0).integers(0, 256, (1500, 1500, 3), np.uint8)
    Image.fromarray(noise).save(path, compress_level=1)


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


def wait_for(there: Callable[[], object]) -> None:
    for _ in range(6000):
        if there():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not come")


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
    pytest.importorskip("distributed", reason=NOT_INSTALLED)
    dask = pytest.importorskip("dask")
    with dask.config.set({"distributed.comm.tls.ca-file": ca_file, "distributed.comm.tls.client.cert": ca_file}):
        ended = bgwatch("remove", draw("a.png"), "--scheduler", "tls://127.0.0.1:9")
    assert re.match(f"error: tls://127.0.0.1:9: Dask's certificates {said}; set distributed.comm.tls in", ended.err)
    assert ended.code == 3


@pytest.mark.slow
def test_what_cannot_be_used_as_scheduler_is_told_in_a_few_seconds(start_dask: Callable[..., Dask]) -> None:
    with pytest.raises(FolderError, match=f"{NOWHERE}: the scheduler cannot be reached; check that it runs"):
        Cluster(act, died, unstarted, claim, wanted, NOWHERE, 60, 2048)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(FolderError, match=f"{address}: the scheduler cannot be reached"):
            Cluster(act, died, unstarted, claim, wanted, address, 60, 2048)
    alone = start_dask()
    with pytest.raises(FolderError, match=f"{alone.address}: the scheduler has no workers; start some with"):
        Cluster(act, died, unstarted, claim, wanted, alone.address, 60, 2048)
