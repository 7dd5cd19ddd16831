"""The command line as a user meets it: good input, bad input, exit codes."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pexpect
import pytest
from PIL import Image
from scenes import Ended, opened, png_header

Bgwatch = Callable[..., Ended]
Draw = Callable[..., Path]


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60).stdout


def test_importing_and_help_load_nothing_heavy() -> None:
    heavy = "{'sklearn', 'numpy', 'PIL', 'scipy', 'pydantic', 'watchdog', 'rich'} & set(sys.modules)"
    assert python(f"import sys, bgwatch; print({heavy})") == "set()\n"
    code = (
        f"import sys, bgwatch.cli\nsys.argv = ['bgwatch', '--help']\ntry: bgwatch.cli.main()\nfinally: print({heavy})"
    )
    assert python(code).endswith("set()\n")


def test_auto_needs_no_scikit_learn(tmp_path: Path, draw: Draw) -> None:
    source = draw(tmp_path / "a.png")
    code = f"import sys, PIL.Image, bgwatch; bgwatch.remove_background(PIL.Image.open({str(source)!r}))"
    assert python(code + "; print('sklearn' in sys.modules)") == "False\n"


def test_a_picture_comes_out_beside_itself(draw: Draw, bgwatch: Bgwatch) -> None:
    source = draw("a.jpg")
    before = source.read_bytes()
    ended = bgwatch("remove", source)
    assert (ended.code, ended.out) == (0, "a.cutout.png\n")
    assert opened("a.cutout.png").mode == "RGBA"
    assert source.read_bytes() == before


def test_a_folder_is_mirrored_and_clashes_are_numbered_in_order(draw: Draw, bgwatch: Bgwatch) -> None:
    for name in ("in/a.jpg", "in/a.png", "in/sub/a.jpg", "in/.hidden.jpg"):
        draw(name)
    Path("in/notes.txt").write_text("no picture")
    ended = bgwatch("remove", "in", "-o", "out", "--workers", 2)
    assert ended.code == 0
    assert sorted(ended.out.split()) == ["out/a-2.png", "out/a.png", "out/sub/a.png"]
    assert "3 done, 1 skipped that are no pictures" in ended.err
    assert not list(Path("out").rglob(".*"))


def test_nothing_is_overwritten_but_a_file_that_was_named(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("a.jpg")
    Path("out").mkdir()
    Path("out/a.png").write_text("mine")
    assert bgwatch("remove", "a.jpg", "-o", "out").out == "out/a-2.png\n"
    assert Path("out/a.png").read_text() == "mine"
    assert bgwatch("remove", "a.jpg", "-o", "out/a.png").out == "out/a.png\n"
    assert opened("out/a.png").mode == "RGBA"


def test_further_runs_over_a_folder_leave_their_own_results_alone(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("in/a.jpg")
    bgwatch("remove", "in", "--mask")
    for count in (1, 2, 3):
        assert f"1 done, {count} skipped that are results" in bgwatch("remove", "in", "--redo").err
    found = sorted(path.name for path in Path("in").iterdir())
    assert found == ["a.cutout-2.png", "a.cutout-3.png", "a.cutout.png", "a.jpg", "a.mask.png"]


def test_a_picture_given_twice_is_done_once(draw: Draw, bgwatch: Bgwatch) -> None:
    source = draw("in/a.jpg").absolute()
    Path("link").symlink_to("in")
    ended = bgwatch("remove", "in/a.jpg", source, "link", "in", "-o", "out")
    assert (ended.code, ended.out) == (0, "out/a.png\n")


@pytest.mark.parametrize("arguments", [("",), ("a.jpg", "-o", "")])
def test_an_empty_argument_is_not_the_current_folder(draw: Draw, bgwatch: Bgwatch, arguments: tuple[str, ...]) -> None:
    draw("a.jpg")
    ended = bgwatch("remove", *arguments)
    assert ended.code == 2
    assert "is empty; name a file or a folder" in ended.err
    assert [path.name for path in Path().iterdir()] == ["a.jpg"]


def test_mask_writes_the_alpha_alone(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("a.jpg")
    assert bgwatch("remove", "a.jpg", "--mask").out == "a.mask.png\n"
    bgwatch("remove", "a.jpg")
    assert np.array_equal(np.asarray(opened("a.mask.png")), np.asarray(opened("a.cutout.png"))[..., 3])


def test_a_failure_does_not_stop_the_rest_and_is_named_at_the_end(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("a.jpg")
    draw("z.jpg")
    Path("m.jpg").write_text("this is text")
    ended = bgwatch("remove", "a.jpg", "m.jpg", "missing.jpg", "z.jpg", "-o", "out")
    assert ended.code == 1
    assert sorted(ended.out.split()) == ["out/a.png", "out/z.png"]
    summary, *failures = ended.err.splitlines()[-3:]
    assert summary.startswith("2 done, 2 failed in")
    assert sorted(line.strip() for line in failures) == [
        "failed: m.jpg: not a picture bgwatch reads (JPEG, PNG, WebP, TIFF, BMP, GIF, AVIF, JPEG 2000);"
        " convert it to one of these",
        "failed: missing.jpg: there is no such file; check the name",
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.jpg", b"", "the file is empty (0 bytes)"),
        ("bomb.png", png_header(50_000, 50_000), "50000 x 50000 pixels are more than max_pixels (250000000)"),
    ],
)
def test_bad_files_give_one_sentence(bgwatch: Bgwatch, name: str, content: bytes, said: str) -> None:
    Path(name).write_bytes(content)
    ended = bgwatch("remove", name)
    assert ended.code == 1
    assert f"failed: {name}: {said}" in ended.err
    assert not list(Path().glob("*.cutout*"))


def test_a_jpeg_cut_short_gives_one_sentence(draw: Draw, bgwatch: Bgwatch) -> None:
    source = draw("short.jpg")
    source.write_bytes(source.read_bytes()[:1500])
    ended = bgwatch("remove", source)
    assert ended.code == 1
    assert "short.jpg: the picture is broken or cut short" in ended.err


def test_odd_pictures_come_out(draw: Draw, bgwatch: Bgwatch) -> None:
    for mode, name in (("L", "grey.png"), ("P", "palette.gif"), ("CMYK", "cmyk.jpg")):
        ended = bgwatch("remove", draw(name, mode=mode))
        assert (ended.code, "unsure" in ended.err) == (0, False), name


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (Image.new("RGB", (1, 1), "red"), "nothing stands out"),
        (Image.new("RGB", (40, 30), "red"), "nothing stands out"),
        (Image.new("RGBA", (40, 30), (9, 9, 9, 0)), "transparent already"),
    ],
)
def test_pictures_with_nothing_to_cut_are_unsure(bgwatch: Bgwatch, image: Image.Image, said: str) -> None:
    image.save("a.png")
    ended = bgwatch("remove", "a.png", "-o", "out.png")
    assert ended.code == 0
    assert "unsure: out.png (confidence 0.00)" in ended.err
    assert said in ended.err
    assert "0 done, 1 unsure" in ended.err
    assert not np.asarray(opened("out.png")).any()
    assert bgwatch("remove", "a.png", "-o", "out.png", "--strict").code == 1


def test_a_folder_without_pictures_is_nothing_to_do(bgwatch: Bgwatch) -> None:
    Path("in").mkdir()
    ended = bgwatch("remove", "in", "-o", "out")
    assert ended.code == 1
    assert "nothing to do: no picture was found" in ended.err


@pytest.mark.parametrize("out", ["in", "in/out", "in/sub/../out"])
def test_out_inside_an_input_folder_is_refused(draw: Draw, bgwatch: Bgwatch, out: str) -> None:
    draw("in/sub/a.jpg")
    ended = bgwatch("remove", "in", "-o", out)
    assert ended.code == 2
    assert "OUT lies inside the input folder in" in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("remove",), "Missing argument"),
        (("remove", "a.jpg", "--clusters", "0"), "--clusters"),
        (("remove", "a.jpg", "--backdrop", "grey"), "backdrop: must be auto, first-pixel or a colour"),
        (("remove", "a.jpg", "-o", "a.gif"), "a.gif: results are not written as .gif; let OUT end in one of .png"),
        (("remove", "a.jpg", "-o", "b.jpg"), "format: jpeg has no transparency; set fill"),
        (("remove", "a.jpg", "-o", "a.webp", "--format", "png"), "a.webp: is named as webp, and --format is png"),
        (("remove", "a.jpg", "--mask", "--fill", "#fff"), "fill: nothing is laid behind a mask"),
        (("remove", "a.jpg", "--quality", "9"), "quality: png is written without loss"),
        (("remove", "p.png", "-o", "p.png"), "OUT is the picture itself"),
        (("remove", "in", "-o", "out.png"), "in is a folder"),
        (("remvoe",), "No such command 'remvoe'"),
        (("watch", "inbox"), "give both INBOX and OUTBOX"),
        (("watch", "-c", "none.yaml"), "none.yaml: the settings file cannot be read"),
    ],
)
def test_wrong_usage_is_refused(draw: Draw, bgwatch: Bgwatch, arguments: tuple[str, ...], said: str) -> None:
    draw("a.jpg")
    draw("p.png")
    draw("in/a.jpg")
    before = sorted(Path().rglob("*"))
    ended = bgwatch(*arguments)
    assert ended.code == 2
    assert said in ended.err
    assert sorted(Path().rglob("*")) == before


def test_an_output_that_cannot_be_written_is_the_environment(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("a.jpg")
    Path("file").write_text("in the way")
    ended = bgwatch("remove", "a.jpg", "-o", "file/out")
    assert ended.code == 3
    assert "file/out: cannot be made (Not a directory); name another folder" in ended.err


def test_one_folder_that_cannot_be_made_leaves_the_others_to_be_done(draw: Draw, bgwatch: Bgwatch) -> None:
    for name in ("in/a/x.jpg", "in/b/x.jpg", "in/c/x.jpg"):
        draw(name)
    Path("out").mkdir()
    Path("out/b").write_text("in the way")
    ended = bgwatch("remove", "in", "-o", "out")
    assert ended.code == 3
    assert sorted(ended.out.split()) == ["out/a/x.png", "out/c/x.png"]
    assert "2 done, 1 not written" in ended.err


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


def on_a_terminal(*arguments: str) -> tuple[int, str]:
    """Run the command where a person looks at it; give its exit code and all that was shown."""
    child = pexpect.spawn(sys.executable, ["-m", "bgwatch", *arguments], timeout=60, encoding="utf-8")
    shown = child.read()
    child.close()
    return child.exitstatus, shown


def test_names_cannot_write_to_the_terminal(draw: Draw) -> None:
    draw("\x1b]0;title\x07\x1b[31m[bold].jpg")
    Path("in").mkdir()
    for arguments in (
        ("remove", "\x1b]0;title\x07\x1b[31m[bold].jpg", "-o", "out"),
        ("remove", "\x1b[31mnone.jpg"),
        ("remove", "in", "-o", "in/\x1b[31m"),
        ("check", "-c", "\x1b[31m.yaml"),
    ):
        _, shown = on_a_terminal(*arguments)
        assert "\x1b" not in shown
        assert "\\x1b[31m" in shown


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
    code, shown = on_a_terminal("remove", "in", "-o", "out")
    assert code == 1
    lines = [re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line).strip() for line in re.split(r"[\r\n]+", shown)]
    assert {"out/0.png", "out/1.png", "out/2.png"} <= set(lines), "each result has a line to itself"
    last = next(line for line in reversed(lines) if "4/4" in line)
    assert re.search(r"━ 4/4 [\d.]+/s \d:\d\d:\d\d 1 failed$", last), "how fast, how long, how many failed"
    assert any(re.search(r"/4 .*-:--:--", line) for line in lines), "the time that is left, once it is known"
    assert re.match(r"3 done, 1 failed in [\d.]+ s, [\d.]+ pictures a second$", lines[-3])


def test_a_name_too_long_for_the_system_is_a_failed_picture(bgwatch: Bgwatch) -> None:
    ended = bgwatch("remove", "n" * 300 + ".jpg", "-o", "out")
    assert ended.code == 1
    assert "cannot be opened (File name too long)" in ended.err


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_only_whole_results(draw: Draw, number: int) -> None:
    for name in range(60):
        draw(f"in/{name}.png", seed=name)
    command = [sys.executable, "-m", "bgwatch", "remove", "in", "-o", "out"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.endswith("interrupted; the same call goes on from here\n")
    results = list(Path("out").rglob("*"))
    assert 0 < len(results) < 60
    assert all(path.suffix == ".png" and opened(path).mode == "RGBA" for path in results)


@pytest.mark.parametrize("arguments", [("remove", "in", "-o", "out"), ("watch",), ("check",)])
def test_a_working_directory_that_has_gone_is_told(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    code = f"import os, sys\nos.chdir({str(tmp_path / 'gone')!r}); os.rmdir({str(tmp_path / 'gone')!r})\n"
    code += f"import bgwatch.cli\nsys.argv = ['bgwatch', *{arguments!r}]\nbgwatch.cli.main()"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ended.returncode in (1, 3)
    assert "Traceback" not in ended.stderr
    assert ended.stderr


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


def test_check_prints_what_is_in_force(bgwatch: Bgwatch) -> None:
    Path("c.yaml").write_text("settle_seconds: 2.5\nfolders:\n  - {inbox: in, outbox: out}\n")
    ended = bgwatch("check", "-c", "c.yaml")
    assert ended.code == 0
    assert "settle_seconds: 2.5" in ended.out
    assert f"inbox: {Path('in').absolute()}" in ended.out
    assert "settings: c.yaml" in ended.err
    assert f"{Path('out').absolute() / 'done'}: is not there yet; watch makes it" in ended.err
    Path("c.yaml").write_text("folders:\n  - {inbox: in, outbox: in/out}\n")
    assert bgwatch("check", "-c", "c.yaml").code == 2
    Path("c.yaml").write_text("setle_seconds: 2.5\n")
    ended = bgwatch("check", "-c", "c.yaml")
    assert ended.code == 2
    assert "c.yaml: setle_seconds: is not a setting; did you mean 'settle_seconds'?" in ended.err
