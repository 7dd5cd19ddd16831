"""Folders that cannot be watched as they are: refused with one sentence before anything is done, or worked around."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from scenes import Ended
from watching import Daemon, children, names, until

from bgwatch.watch.heartbeat import pulses

Draw = Callable[..., Path]
Start = Callable[..., Daemon]
HASTE = ("--settle-seconds", "0.05", "--rescan-seconds", "0.2", "--workers", "1")
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'


def under(*prefix: str) -> Sequence[str]:
    """Give the words that start a program with less than this user may; skip where the system has no such means."""
    try:
        subprocess.run([*prefix, sys.executable, "-c", "import bgwatch"], check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"{prefix[0]} does not work here: {getattr(error, 'stderr', None) or error}")
    return prefix


def without_roots_rights() -> Sequence[str]:
    """Keep the user, for whom the tests' folders are, and take away what lets root pass by permissions."""
    return under("setpriv", "--inh-caps", "-all", "--bounding-set", "-all") if os.geteuid() == 0 else ()


def with_read_only(folder: str) -> Sequence[str]:
    """Mount a folder read-only, for the program alone."""
    Path(folder).mkdir()
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return under("unshare", *as_root, "--mount", "sh", "-c", READ_ONLY, folder)


@pytest.mark.parametrize("there", ["b", "link-to-b", "b/sub"])
def test_two_folders_that_feed_each_other_are_refused(bgwatch: Callable[..., Ended], there: str) -> None:
    Path("link-to-b").symlink_to("b")
    Path("c.yaml").write_text(f"folders:\n  - {{inbox: a, outbox: {there}}}\n  - {{inbox: b, outbox: a}}\n")
    for command in (("watch", "--once"), ("check",)):
        ended = bgwatch(*command, "-c", "c.yaml")
        assert ended.code == 2
        assert (
            "/a: lies inside the inbox" in ended.err
            or "/b: lies inside the inbox" in ended.err
            or "/b/sub" in ended.err
        )
        assert not Path("a").exists()


def test_an_inbox_that_is_a_file_is_refused(bgwatch: Callable[..., Ended], draw: Draw) -> None:
    draw("in.jpg")
    ended = bgwatch("watch", "in.jpg", "out", "--once")
    assert ended.code == 3
    assert ended.err.endswith("/in.jpg: cannot be made (a file has its name); name another folder\n")
    assert names(".") == {"in.jpg"}


@pytest.mark.parametrize("arguments", [("in", "out"), (), ("-c", "in"), ("/in", "/out", "--state", "in")])
def test_from_a_working_directory_that_has_gone_nothing_relative_is_watched(
    bgwatch: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch, arguments: Sequence[str]
) -> None:
    Path("gone").mkdir()
    monkeypatch.chdir("gone")
    Path.cwd().rmdir()
    ended = bgwatch("watch", "--once", *arguments)
    assert ended.code == 3
    said = "is to be found from the working directory, which has gone; change to a folder that is there, or give"
    assert ended.err.startswith(f"error: in{'' if arguments else 'box'}: {said}")


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before the start", "later"])
def test_a_working_directory_that_goes_stops_no_daemon(start: Start, draw: Draw, when: str) -> None:
    """Workers that are started after it has gone work, and settings from it are refused, not sought elsewhere."""
    top, source = Path.cwd(), draw("a.jpg")
    entry = f"settle_seconds: 0.05\nfolders:\n  - {{inbox: {top}/in, outbox: {top}/out}}\n"
    for file in ("c.yaml", "here/c.yaml"):
        Path(file).parent.mkdir(exist_ok=True)
        Path(file).write_text(entry)
    script = 'cd here; test "$0" = later || rm -r "$PWD"; exec "$@"'
    config = "c.yaml" if when == "later" else top / "c.yaml"
    daemon = start("-c", config, "--state", top / "state", under=["sh", "-c", script, when])
    daemon.says("watching")
    shutil.copy(source, "in/a.jpg")
    daemon.says(r"a\.jpg -> ")
    if when == "later":
        shutil.rmtree("here")
        until(lambda: Path(f"/proc/{daemon.pid}/cwd").readlink() == Path("/"))
        daemon.process.send_signal(signal.SIGHUP)
        daemon.says(r"old ones stay in force: c\.yaml: is to be found from the working directory, which has gone")
    for child in children(daemon.pid):
        if b"bgwatch.process" in Path(f"/proc/{child}/cmdline").read_bytes():
            os.kill(child, signal.SIGKILL)
    shutil.copy(source, "in/b.jpg")
    daemon.says(r"b\.jpg -> ")
    assert daemon.ends(signal.SIGTERM) == 0
    assert names("in") | names("out") == {f"out/{name}" for name in ("a.png", "b.png", "done/a.jpg", "done/b.jpg")}


@pytest.mark.slow
def test_a_read_only_inbox_is_refused_before_the_work(start: Start, draw: Draw) -> None:
    read_only = with_read_only("in")
    draw("in/a.jpg")
    daemon = start("in", "out", *HASTE, under=read_only)
    assert daemon.ends() == 3
    daemon.says("error: .*/in: originals cannot be moved out of it; give the right to, or set done: keep")
    assert names("in") | names("out") == {"in/a.jpg"}


@pytest.mark.slow
def test_originals_in_a_read_only_inbox_may_stay(start: Start, draw: Draw) -> None:
    """What fails there cannot be moved to failed: only its reason goes there, and it is not done again."""
    read_only = with_read_only("in")
    draw("in/a.jpg")
    Path("in/bad.jpg").write_text("no picture")
    wanted = {"in/a.jpg", "in/bad.jpg", "out/a.png", "out/failed/bad.jpg.reason.txt"}
    for name in ("b", "c"):
        daemon = start("in", "out", "--done", "keep", *HASTE, under=read_only)
        if name == "b":
            daemon.says(r"failed: .*bad\.jpg: not a picture .*it stays, see .*/failed/bad\.jpg\.reason\.txt")
        draw(f"in/{name}.jpg")  # not read-only for others
        daemon.says(rf"{name}\.jpg -> ")
        assert daemon.ends(signal.SIGTERM) == 0
        assert daemon.words().count("/bad.jpg: not a picture") == (name == "b")
        wanted |= {f"in/{name}.jpg", f"out/{name}.png"}
    assert names("in") | names("out") == wanted


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folder", "mode", "said"),
    [
        ("out", 0o500, "/out: cannot be written"),
        ("in", 0o300, "/in: cannot be read"),
        ("in", 0o500, "/in: originals cannot be moved out of it"),
    ],
)
def test_a_folder_without_rights_is_refused(start: Start, draw: Draw, folder: str, mode: int, said: str) -> None:
    daemon_rights = without_roots_rights()
    draw("in/a.jpg")
    for name in ("out", "out/done", "out/failed", "out/review"):
        Path(name).mkdir()
    Path(folder).chmod(mode)
    daemon = start("in", "out", *HASTE, under=daemon_rights)
    assert daemon.ends() == 3
    daemon.says(f"error: .*{said}")
    Path(folder).chmod(0o700)
    assert names("in") | names("out") == {"in/a.jpg"}


@pytest.mark.slow
def test_an_unreadable_picture_fails_with_one_line_and_the_next_one_comes_out(start: Start, draw: Draw) -> None:
    daemon_rights = without_roots_rights()
    content = draw("in/secret.jpg").read_bytes()
    Path("in/secret.jpg").chmod(0)
    daemon = start("in", "out", *HASTE, under=daemon_rights)
    daemon.says(r"failed: .*/secret\.jpg: cannot be opened \(Permission denied\); check its rights")
    draw("good.jpg").rename("in/good.jpg")
    daemon.says(r"good\.jpg -> ")
    assert daemon.ends(signal.SIGTERM) == 0
    assert daemon.words().count("secret.jpg: cannot be opened") == 1
    assert names("in") | names("out") == {
        *("out/good.png", "out/done/good.jpg", "out/failed/secret.jpg", "out/failed/secret.jpg.reason.txt")
    }
    Path("out/failed/secret.jpg").chmod(0o600)
    assert Path("out/failed/secret.jpg").read_bytes() == content


@pytest.mark.slow
def test_an_unreadable_subfolder_is_told_once_and_read_when_it_can_be(start: Start, draw: Draw) -> None:
    daemon_rights = without_roots_rights()
    draw("in/sub/a.jpg")
    draw("in/b.jpg")
    Path("in/sub").chmod(0)
    daemon = start("in", "out", *HASTE, under=daemon_rights)
    daemon.says(r"/sub: cannot be read \(Permission denied\); check its rights")
    daemon.says(r"b\.jpg -> ")
    Path("in/sub").chmod(0o700)
    daemon.says(r"sub/a\.jpg -> ")
    assert daemon.ends(signal.SIGTERM) == 0
    assert daemon.words().count("cannot be read") == 1
    assert names("in") | names("out") == {"out/b.png", "out/sub/a.png", "out/done/b.jpg", "out/done/sub/a.jpg"}


@pytest.mark.slow
def test_ten_thousand_subfolders_are_watched(start: Start, draw: Draw) -> None:
    """By events alone: those that are there, and those that come with pictures in them.

    Opening so many once overflowed the kernel's queue, which watchdog answered by opening them again, for ever.
    """
    source = draw("a.jpg")
    for number in range(10_000):
        Path(f"in/{number // 100}/{number}").mkdir(parents=True)
    shutil.copy(source, "in/99/9999/first.jpg")
    daemon = start("in", "out", "--settle-seconds", "0.05", "--rescan-seconds", "3600", "--workers", "1")
    try:
        daemon.says("watching")
        daemon.says(r"first\.jpg -> ")
        for place in ("in/0/0", "in/57/5711", "in/99/9999", "in/99/9999/new/and/newer"):
            Path(place).mkdir(parents=True, exist_ok=True)
            shutil.copy(source, f"{place}/later.jpg")
            daemon.says(rf"{place[3:]}/later\.jpg -> ")
        assert daemon.ends(signal.SIGTERM) == 0
        assert names("in") == set()
        assert len(names("out")) == 2 * 5
        assert "events were lost" not in daemon.words()
    finally:
        shutil.rmtree("in")  # which pytest would keep


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/schedstat").exists(), reason="processor time is read from /proc")
def test_an_idle_daemon_costs_nothing(start: Start, draw: Draw) -> None:
    """Under one percent of a core, from one of its own heartbeats to the next, with a picture that stays.

    What is compared is processor time and the time that the daemon itself tells: where others keep the machine busy its
    heartbeats are further apart, and cost the same. One turn is a twentieth of what is allowed.
    """
    draw("in/a.jpg")
    daemon = start("in", "out", "--state", "state", "--done", "keep", "--settle-seconds", "0.05", "--workers", "1")
    daemon.says(r"a\.jpg -> ")
    start_of_turn = next_beat()
    used = processor_seconds(daemon.process.pid)
    end_of_turn = next_beat()
    used = processor_seconds(daemon.process.pid) - used
    assert used <= (end_of_turn - start_of_turn) / 100
    assert daemon.ends(signal.SIGTERM) == 0


def next_beat() -> float:
    """Wait for the next heartbeat of the daemon and give its time."""

    def beat() -> float:
        (pulse,) = pulses(Path("state"))
        return float(pulse.told.get("beat", 0))

    before = beat()
    until(lambda: beat() > before, "a heartbeat")
    return beat()


def processor_seconds(pid: int) -> float:
    """Processor time of a process and its children."""
    spent = (
        file.read_text() for one in (pid, *children(pid)) for file in Path(f"/proc/{one}/task").glob("*/schedstat")
    )
    return sum(int(text.split()[0]) for text in spent) / 1e9
