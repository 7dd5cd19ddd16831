"""The command line as a user meets it: good input, bad input, exit codes."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
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
    assert "3 done, 1 skipped that is no picture" in ended.err
    assert not list(Path("out").rglob(".*"))


def test_nothing_is_overwritten_but_a_file_that_was_named(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("a.jpg")
    Path("out").mkdir()
    Path("out/a.png").write_text("mine")
    assert bgwatch("remove", "a.jpg", "-o", "out").out == "out/a-2.png\n"
    assert Path("out/a.png").read_text() == "mine"
    assert bgwatch("remove", "a.jpg", "-o", "out/a.png").out == "out/a.png\n"
    assert opened("out/a.png").mode == "RGBA"


def test_one_picture_is_no_place_for_several_results(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("a.jpg")
    draw("in/b.jpg")
    for arguments in (("a.jpg", "in/b.jpg"), ("a.jpg", "a.jpg", "--dry-run"), ("in", "a.jpg")):
        ended = bgwatch("remove", *arguments, "-o", "both.PNG")
        assert (ended.code, ended.out) == (2, "")
        assert ended.err == (
            "error: both.PNG: OUT is named like one picture, and 2 INPUTs are given; name a folder without a suffix\n"
        )
    assert not Path("both.PNG").exists()
    Path("both.PNG").mkdir()
    assert sorted(bgwatch("remove", "a.jpg", "in/b.jpg", "-o", "both.PNG").out.split()) == [
        "both.PNG/a.png",
        "both.PNG/b.png",
    ]


def test_further_runs_over_a_folder_leave_their_own_results_alone(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("in/a.jpg")
    bgwatch("remove", "in", "--mask")
    for count in ("1 skipped that is a result", "2 skipped that are results", "3 skipped that are results"):
        assert f"1 done, {count}" in bgwatch("remove", "in", "--redo").err
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
