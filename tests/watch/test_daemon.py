"""The daemon as a user starts it: a process of its own, signals, and kill -9."""

import os
import re
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scenes import opened
from watching import Daemon, children, names

pytestmark = pytest.mark.slow
Draw = Callable[..., Path]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_without_arguments_it_watches_inbox_and_outbox_here(
    start: Callable[..., Daemon], draw: Draw, number: int
) -> None:
    daemon = start()
    assert daemon.says("created the folder .*/inbox")
    daemon.says("watching .*/inbox, results to .*/outbox")
    shutil.copy(draw("photo.jpg"), "inbox/photo.jpg")
    daemon.says(r"photo\.jpg -> .*/outbox/photo\.png")
    assert daemon.ends(number) == 0
    assert names("inbox") | names("outbox") == {"outbox/photo.png", "outbox/done/photo.jpg"}
    assert opened("outbox/photo.png").mode == "RGBA"
    assert "Traceback" not in "".join(daemon.said)


def test_a_file_that_is_still_growing_is_waited_for(start: Callable[..., Daemon], draw: Draw) -> None:
    content = draw("photo.png").read_bytes()
    daemon = start("in", "out", "--settle-seconds", "1.5")
    daemon.says("watching")
    with Path("in/photo.png").open("wb", buffering=0) as slow:
        for part in range(0, len(content), len(content) // 8):
            slow.write(content[part : part + len(content) // 8])
            threading.Event().wait(0.3)  # a slow writer is what is tested
    daemon.says(r"photo\.png -> ")
    assert daemon.ends(signal.SIGTERM) == 0
    assert names("out") == {"out/photo.png", "out/done/photo.png"}


def test_a_second_daemon_is_told_who_is_first(start: Callable[..., Daemon]) -> None:
    first = start("in", "out", "--state", "one")
    first.says("watching")
    second = start("in", "elsewhere", "--state", "two")
    assert second.ends() == 3
    second.says(f"error: .*/in: is watched already by process {first.process.pid}; stop that one")
    assert first.ends(signal.SIGTERM) == 0


def test_settings_come_from_a_file(start: Callable[..., Daemon], draw: Draw) -> None:
    Path("c.yaml").write_text(
        "settle_seconds: 0.1\nfolders:\n  - {inbox: a, outbox: out-a, done: keep}\n  - {inbox: b, outbox: out-b}\n"
    )
    daemon = start("-c", "c.yaml", "--once")
    daemon.says("watching .*/b,")
    assert daemon.ends() == 1
    draw("a/x.jpg")
    draw("b/x.jpg")
    assert start("-c", "c.yaml", "--once").ends() == 0
    assert names("a") | names("b") == {"a/x.jpg"}
    assert names("out-a") | names("out-b") == {"out-a/x.png", "out-b/x.png", "out-b/done/x.jpg"}


def test_an_outbox_inside_the_inbox_is_refused(start: Callable[..., Daemon]) -> None:
    daemon = start("in", "in/out")
    assert daemon.ends() == 2
    daemon.says("error: .*/in/out: lies inside the inbox .*/in; name a folder outside it")
    assert not Path("in").exists()


def test_killed_again_and_again_it_loses_nothing(start: Callable[..., Daemon], draw: Draw) -> None:
    """Kill -9 after each picture: at the end every picture has one whole result, and every original is in done."""
    count = 12
    for number in range(count):
        draw(f"in/{number:02}.png", seed=number)
    for _ in range(count // 3):
        daemon = start("in", "out", "--settle-seconds", "0.05", "--workers", "2")
        daemon.says(" -> ")
        daemon.process.kill()
        assert daemon.ends() == -signal.SIGKILL
        for result in Path("out").glob("*.png"):
            opened(result)
    assert start("in", "out", "--settle-seconds", "0.05", "--once").ends() in (0, 1)
    wanted = {f"out/{number:02}.png" for number in range(count)} | {
        f"out/done/{number:02}.png" for number in range(count)
    }
    assert names("in") | names("out") == wanted


def test_a_killed_worker_costs_no_picture(start: Callable[..., Daemon], draw: Draw) -> None:
    daemon = start("in", "out", "--settle-seconds", "0.05", "--workers", "1")
    daemon.says("watching")
    draw("first.png")
    Path("first.png").rename("in/first.png")
    daemon.says(r"first\.png -> ")
    for child in children(daemon.process.pid):
        os.kill(child, signal.SIGKILL)
    draw("second.png")
    Path("second.png").rename("in/second.png")
    daemon.says(r"second\.png -> ")
    assert daemon.ends(signal.SIGTERM) == 0


def test_a_long_picture_does_not_hold_up_the_end(start: Callable[..., Daemon]) -> None:
    daemon = _at_work_for_long(start)
    assert daemon.ends(signal.SIGTERM, within=10) == 0
    assert names("in") | names("out") == {"in/long.png"}


@pytest.mark.parametrize("command", ["watch", "remove"])
@pytest.mark.parametrize("stage", ["bgwatch.workers", "pydantic", "numpy", "bgwatch.place", "the first worker"])
def test_interrupted_while_it_starts_it_says_one_line(
    start: Callable[..., Daemon], draw: Draw, command: str, stage: str
) -> None:
    """Ctrl-C reaches the whole process group, with workers that are still importing."""
    draw("in/a.png")
    options = ["-o", "out"] if command == "remove" else ["out", "--settle-seconds", "0.05"]
    daemon = start("in", *options, command=command, python=["-X", "importtime"])
    if stage == "the first worker":
        while not children(daemon.process.pid):
            threading.Event().wait(0.005)
    else:
        daemon.says(rf"\| +{stage}$")
    os.killpg(daemon.process.pid, signal.SIGINT)
    assert daemon.ends() == (0 if command == "watch" else 130)
    words = [line for line in daemon.said if line.strip() and not re.search("import time:| INFO ", line)]
    assert words == ([] if command == "watch" else ["interrupted; the same call goes on from here\n"])
    assert names("in") | names("out") in ({"in/a.png"}, {"out/a.png", "out/done/a.png"}), "untouched or done"


def test_a_second_interrupt_does_not_wait(start: Callable[..., Daemon]) -> None:
    daemon = _at_work_for_long(start)
    daemon.process.send_signal(signal.SIGINT)
    threading.Event().wait(0.3)  # two signals at once are one
    assert daemon.ends(signal.SIGINT, within=5) == 0
    assert names("in") | names("out") == {"in/long.png"}
    assert "Traceback" not in "".join(daemon.said)


def _at_work_for_long(start: Callable[..., Daemon]) -> Daemon:
    """Start a daemon and wait until a worker is in the middle of a picture that takes minutes."""
    Path("in").mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (1500, 1500, 3), np.uint8)
    Image.fromarray(noise).save("in/long.png", compress_level=1)
    slow = ["--method", "kmeans", "--clusters", "200", "--n-init", "100"]
    daemon = start("in", "out", *slow, "--settle-seconds", "0.05")
    daemon.says("watching")
    while not any(_busy(child) for child in children(daemon.process.pid)):
        threading.Event().wait(0.05)
    return daemon


def _busy(pid: int) -> bool:
    """Whether a process has used more than a second of processor time."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return False
    return int(fields[11]) > os.sysconf("SC_CLK_TCK")
