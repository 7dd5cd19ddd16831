"""What the command line says: where, to whom, and what no name can make of it."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest
from scenes import Ended

Bgwatch = Callable[..., Ended]
Draw = Callable[..., Path]


def test_explain_tells_the_evidence(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("a.jpg")
    ended = bgwatch("remove", "a.jpg", "none.jpg", "--explain")
    lines = ended.err.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("a.jpg: auto, confidence 1.00"))
    colours = r"#b[0-9a-f]b[0-9a-f]b[0-9a-f] \d+%(, #[0-9a-f]{6} <?\d+%)*"
    assert re.fullmatch(rf"  backdrop: {colours}; \d colour clusters; noise \d\.\d levels", lines[start + 1])
    assert lines[start + 2] == "  border: 100% of it was taken for backdrop"
    assert lines[start + 3] == "  enclosed by the subject: 0 opened, 0 kept"
    took = r"[\d.]+ m?s"
    assert re.fullmatch(f"  time: start {took}, decode {took}, segmentation {took}, encode {took}", lines[start + 4])
    steps = f"look {took}(, [a-z]+ {took})+, confidence {took}"
    assert re.fullmatch(f"  time of the segmentation: {steps}", lines[start + 5])


def test_json_is_one_object_a_line(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("a.jpg")
    ended = bgwatch("remove", "a.jpg", "none.jpg", "-o", "out", "--json")
    rows = {row["source"]: row for row in map(json.loads, ended.out.splitlines())}
    assert rows["a.jpg"]["state"] == "done"
    assert rows["a.jpg"]["result"] == "out/a.png"
    assert rows["a.jpg"]["confidence"] > 0.5
    evidence = rows["a.jpg"]["evidence"]
    assert evidence["border_share"] == 1.0
    assert set(evidence["backdrop"][0]) == {"colour", "share"}
    assert sum(part["share"] for part in evidence["backdrop"]) == pytest.approx(1, abs=1e-3)
    assert 2 <= evidence["clusters"] <= 8
    assert all(set(step) == {"name", "seconds"} for step in (*evidence["steps"], *rows["a.jpg"]["steps"]))
    assert evidence["steps"][0]["name"] == "look"
    assert [step["name"] for step in rows["a.jpg"]["steps"]] == ["start", "decode", "segmentation", "encode"]
    assert rows["none.jpg"]["state"] == "failed"
    assert (rows["none.jpg"]["evidence"], rows["none.jpg"]["steps"]) == (None, [])
    assert rows["none.jpg"]["reasons"] == ["none.jpg: there is no such file; check the name"]


ONE_AFTER_THE_OTHER = """
import contextlib, json, sys
from bgwatch.cli import main
for arguments in json.loads(sys.argv[1]):
    sys.argv[1:] = arguments
    with contextlib.suppress(SystemExit):
        main()
    print(end="-- next --", flush=True)
"""


def on_a_terminal(*arguments: str) -> tuple[int, str]:
    """Run Python where a person looks at it; give its exit code and all that was shown."""
    child = pexpect.spawn(sys.executable, list(arguments), timeout=60, encoding="utf-8")
    shown = child.read()
    child.close()
    return child.exitstatus, shown


def test_names_cannot_write_to_the_terminal(draw: Draw) -> None:
    draw("\x1b]0;title\x07\x1b[31m[bold].jpg")
    Path("in").mkdir()
    commands = (
        ("remove", "\x1b]0;title\x07\x1b[31m[bold].jpg", "-o", "out"),
        ("remove", "\x1b[31mnone.jpg"),
        ("remove", "in", "-o", "in/\x1b[31m"),
        ("check", "-c", "\x1b[31m.yaml"),
    )
    _, shown = on_a_terminal("-c", ONE_AFTER_THE_OTHER, json.dumps(commands))
    *each, rest = shown.split("-- next --")
    assert (len(each), rest) == (len(commands), "")
    for words in each:
        assert "\x1b" not in words
        assert "\\x1b[31m" in words


def test_no_name_begins_a_line_of_its_own(bgwatch: Bgwatch) -> None:
    Path("a\ndone: b.csv").write_text("")
    ended = bgwatch("remove", "a\ndone: b.csv")
    assert ended.err.startswith("a\\ndone: b.csv: the list is empty")


def test_a_program_gets_the_path_as_it_is(draw: Draw, bgwatch: Bgwatch) -> None:
    """Screenshots of some systems have a narrow no-break space in their names."""
    draw("Shot 1.00\u202fPM.jpg")
    assert bgwatch("remove", "Shot 1.00\u202fPM.jpg", "-o", "out").out == "out/Shot 1.00\u202fPM.png\n"
    ended = bgwatch("remove", "Shot 1.00\u202fPM.jpg", "-o", "out", "--json", "--redo")
    assert json.loads(ended.out)["result"] == "out/Shot 1.00\u202fPM-2.png"


def test_a_bar_shows_on_a_terminal_only(draw: Draw, bgwatch: Bgwatch) -> None:
    for number in range(3):
        draw(f"in/{number}.jpg")
    Path("in/broken.jpg").write_text("no picture")
    assert "4/4" not in bgwatch("remove", "in", "-o", "plain").err
    code, shown = on_a_terminal("-m", "bgwatch", "remove", "in", "-o", "out")
    assert code == 1
    lines = [re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line).strip() for line in re.split(r"[\r\n]+", shown)]
    assert {"out/0.png", "out/1.png", "out/2.png"} <= set(lines), "each result has a line to itself"
    last = next(line for line in reversed(lines) if "4/4" in line)
    assert re.search(r"━ 4/4 [\d.]+/s \d:\d\d:\d\d 1 failed$", last), "how fast, how long, how many failed"
    assert any(re.search(r"/4 .*-:--:--", line) for line in lines), "the time that is left, once it is known"
    assert re.match(r"3 done, 1 failed in [\d.]+ s, [\d.]+ pictures a second$", lines[-3])


def test_a_full_disk_behind_the_output_is_told(draw: Draw) -> None:
    draw("a.jpg")
    command = [sys.executable, "-m", "bgwatch", "remove", "a.jpg"]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert ended.returncode == 3
    assert ended.stderr.startswith("error: ")
    assert "No space left on device" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_nobody_may_want_to_hear_it(draw: Draw, closed: str) -> None:
    draw("in/a.jpg")
    draw("in/b.jpg")
    command = f"{sys.executable} -m bgwatch remove in -o out {closed}"
    ended = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0
    assert "Traceback" not in ended.stderr
    assert len(list(Path("out").iterdir())) == 2


@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- >&- 2>&-"])
def test_no_file_takes_the_place_of_a_closed_stream(closed: str) -> None:
    """Where a library's words would get into it; workers inherit what is there."""
    look = (
        "import os; from bgwatch.cli import _open_standard_streams; _open_standard_streams();"
        "os.write(os.open('seen', os.O_CREAT | os.O_WRONLY), str([os.get_inheritable(n) for n in range(3)]).encode())"
    )
    subprocess.run(["sh", "-c", f'"$0" -c "$1" {closed}', sys.executable, look], check=True, timeout=60)
    assert Path("seen").read_text() == "[True, True, True]"
