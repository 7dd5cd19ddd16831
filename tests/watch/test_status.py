"""``bgwatch status``, the heartbeat behind it, the log for programs, and signals."""

import json
import logging
import os
import re
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from scenes import Ended
from watching import Box, Daemon, appears, called, meanwhile

from bgwatch.watch.heartbeat import Heartbeat, Rate, pulses
from bgwatch.watch.logs import JsonLines
from bgwatch.watch.report import SILENT
from bgwatch.watch.signals import Signals

Draw = Callable[..., Path]
Bgwatch = Callable[..., Ended]


def test_where_none_has_run_it_says_how_to_start_one(bgwatch: Bgwatch, tmp_path: Path) -> None:
    ended = bgwatch("status", "--state", tmp_path / "none")
    assert (ended.code, ended.out) == (3, "not running; start it with bgwatch watch\n")
    ended = bgwatch("status", "--state", tmp_path / "none", "--json")
    assert (ended.code, json.loads(ended.out)) == (3, {"running": False, "daemons": []})


def test_it_tells_of_a_running_daemon_and_of_one_that_has_ended(box: Box, draw: Draw, bgwatch: Bgwatch) -> None:
    draw(box.inbox / "a.jpg")
    (box.inbox / "b.jpg").write_text("no picture")
    state = ("status", "--state", box.root / "state")
    told = {}

    def person() -> None:
        appears(box.outbox / "done" / "a.jpg")
        appears(box.outbox / "failed" / "b.jpg.reason.txt")
        ended = called(*state, "--json")
        assert ended.code == 0
        told.update(json.loads(ended.out))
        words = called(*state).out.splitlines()
        assert words[0].startswith(f"running as process {os.getpid()} since 20")
        assert words[1].startswith(f"{box.inbox} -> {box.outbox}: watching, by events")

    assert meanwhile(box.service(), person) == 0
    [daemon] = told["daemons"]
    assert (told["running"], daemon["pid"]) == (True, os.getpid())
    assert [folder["inbox"] for folder in daemon["folders"]] == [str(box.inbox)]
    ended = bgwatch(*state)
    assert ended.code == 3
    first, folder, counts, error = ended.out.splitlines()
    assert first.startswith("not running; the last one, of 20")
    assert folder.startswith(f"{box.inbox} -> {box.outbox}: not watched, last read ")
    assert counts == "  0 queued, 0 being worked on, 1 done, 0 to be reviewed, 1 failed"
    assert re.match(rf"  last error, 20[0-9: -]+: {box.inbox}/b\.jpg: not a picture bgwatch reads", error)


def test_only_daemons_of_the_named_settings_are_meant(box: Box) -> None:
    for name, inbox in (("this", box.inbox), ("that", box.root / "elsewhere")):
        (box.root / f"{name}.yaml").write_text(f"folders:\n  - {{inbox: {inbox}, outbox: {box.root / 'out'}}}\n")
    codes = []

    def person() -> None:
        for name in ("this", "that"):
            codes.append(called("status", "-c", box.root / f"{name}.yaml", "--state", box.root / "state").code)

    meanwhile(box.service(), person)
    assert codes == [0, 3]


def test_it_reads_no_ledger(tmp_path: Path, bgwatch: Bgwatch) -> None:
    """However large that is, and even when it cannot be read."""
    told = {"pid": 7, "since": "2026-01-01T00:00:00+00:00", "pictures_a_minute": 0.0, "folders": []}
    heartbeat = Heartbeat(tmp_path)
    heartbeat.beat({**told, "beat": time.time()})
    (tmp_path / "ledger.sqlite").write_text("no ledger")
    assert bgwatch("status", "--state", tmp_path).code == 0
    heartbeat.close()


@pytest.mark.slow
def test_a_killed_daemon_is_not_running_and_its_traces_go_with_the_next(
    start: Callable[..., Daemon], bgwatch: Bgwatch
) -> None:
    for _ in range(2):
        daemon = start("in", "out", "--state", "state")
        daemon.says("watching")
        assert bgwatch("status", "--state", "state").code == 0
        assert daemon.ends(signal.SIGKILL) == -signal.SIGKILL
        assert bgwatch("status", "--state", "state").code == 3
    assert len(list(Path("state").glob("daemon-*.json"))) == 1


def test_a_daemon_that_hangs_does_not_count_as_running(tmp_path: Path, bgwatch: Bgwatch) -> None:
    heartbeat = Heartbeat(tmp_path)
    told = {"pid": 7, "since": "2026-01-01T00:00:00+00:00", "pictures_a_minute": 0.0, "folders": []}
    heartbeat.beat({**told, "beat": 0.0})
    ended = bgwatch("status", "--state", tmp_path)
    assert ended.code == 3
    assert ended.out.startswith("process 7 has not answered for ")
    heartbeat.beat({**told, "beat": pulses(tmp_path)[0].told["beat"] + pulses(tmp_path)[0].age - SILENT / 2})
    assert bgwatch("status", "--state", tmp_path).code == 0
    heartbeat.close()
    assert not pulses(tmp_path)[0].alive


def test_a_daemon_whose_state_folder_was_deleted_is_still_found(tmp_path: Path) -> None:
    heartbeat = Heartbeat(tmp_path / "state")
    heartbeat.beat({"beat": 1.0})
    shutil.rmtree(tmp_path / "state")
    heartbeat.beat({"beat": 2.0})
    [pulse] = pulses(tmp_path / "state")
    assert (pulse.alive, pulse.told["beat"]) == (True, 2.0)
    shutil.rmtree(tmp_path / "state")
    (tmp_path / "state").touch()
    heartbeat.beat({"beat": 3.0})
    heartbeat.close()


def test_a_start_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    Heartbeat(tmp_path).close()
    assert list(tmp_path.iterdir()) == []


def test_the_rate_is_that_of_the_last_minute() -> None:
    rate = Rate()
    assert rate.a_minute(0, 0.0) == 0
    assert rate.a_minute(10, 30.0) == 20
    assert rate.a_minute(20, 60.0) == 20
    assert rate.a_minute(20, 95.0) == 0
    assert rate.a_minute(5, 96.0) == 0, "a folder was taken out of the settings"


def test_the_log_for_programs_has_a_json_object_a_line() -> None:
    record = logging.LogRecord("bgwatch", logging.WARNING, "x.py", 1, "failed: %s", ("caf\udce9\n.jpg",), None)
    record.file, record.seconds = "caf\udce9\n.jpg", 0.25
    line = JsonLines().format(record)
    assert "\n" not in line
    told = json.loads(line)
    assert told.pop("time").endswith("+00:00")
    assert told == {
        "level": "warning",
        "message": "failed: caf\udce9\n.jpg",
        "file": "caf\udce9\n.jpg",
        "seconds": 0.25,
    }


@pytest.mark.slow
def test_a_daemon_logs_for_programs(start: Callable[..., Daemon], draw: Draw) -> None:
    draw("in/a.jpg")
    daemon = start("in", "out", "--once", "--log-json", "--settle-seconds", "0.05")
    assert daemon.ends() == 0
    lines = [json.loads(line) for line in daemon.words().splitlines()]
    [told] = [line for line in lines if line.get("file") == "a.jpg"]
    assert (told["level"], told["state"]) == ("info", "done")
    assert Path(told["place"]).name == "a.png"
    assert told["seconds"] > 0


def test_signals_are_noted_and_the_second_stop_is_not_waited_for() -> None:
    signals = Signals()
    woken = []
    signals.wake = lambda: woken.append(1)
    restore = signals.obey()
    try:
        os.kill(os.getpid(), signal.SIGHUP)
        assert (signals.reload, signals.stop) == (True, False)
        os.kill(os.getpid(), signal.SIGTERM)
        assert signals.stop
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        restore()
    assert len(woken) == 2
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
