"""Files of several frames or pages to numbered results, in a folder that appears as one."""

import itertools
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image
from scenes import Ended, disc

from bgwatch import numbering, remove_background
from bgwatch.numbering import fitting
from bgwatch.place import replaceable
from bgwatch.series import is_series, numbers, series_of

Bgwatch = Callable[..., Ended]


@pytest.fixture(autouse=True)
def pages() -> Path:
    """Three pages, of which the second is half as large, in the current folder."""
    first, *others = [disc(seed=seed) for seed in range(3)]
    others[0] = others[0].resize((60, 70))
    first.save("scan.tif", save_all=True, append_images=others)
    return Path("scan.tif")


def gif(path: Path | str = "moving.gif", count: int = 2) -> None:
    first, *others = [disc(seed=seed) for seed in range(count)]
    first.save(path, save_all=True, append_images=others, duration=50)


def names(top: str = "out") -> set[str]:
    """All that is in a folder, hidden files too."""
    return {str(path.relative_to(top)) for path in Path(top).rglob("*") if path.is_file()}


def test_pages_become_numbered_results_each_as_if_it_were_alone(bgwatch: Bgwatch) -> None:
    ended = bgwatch("remove", "scan.tif", "-o", "out", "--frames", "all", "--json")
    told = json.loads(ended.out)
    assert (ended.code, told["result"], told["series"], told["state"]) == (0, "out/scan.frames", 3, "done")
    assert names() == {f"scan.frames/scan-{number}.png" for number in (1, 2, 3)}
    with Image.open("scan.tif") as image:
        for page in range(3):
            image.seek(page)
            alone = remove_background(np.asarray(image.convert("RGB"))).rgba
            with Image.open(f"out/scan.frames/scan-{page + 1}.png") as made:
                assert np.array_equal(np.asarray(made), alone)


@pytest.mark.parametrize(
    ("source", "options", "wanted"),
    [
        ("scan.tif", "--frames first", "scan.png"),
        ("scan.tif", "--frames all --format tiff", "scan.tiff"),
        ("scan.tif", "--frames each --format tiff", "scan.frames/scan-{}.tiff"),
        ("scan.tif", "--frames all --format avif", "scan.frames/scan-{}.avif"),
        ("scan.tif", "--frames all --format webp", "scan.frames/scan-{}.webp"),
        ("scan.tif", "--frames all --mask", "scan.frames/scan-{}.png"),
        ("scan.tif", "--frames all --name {folder}/{stem}_cut", "work/scan_cut.frames/scan_cut-{}.png"),
        ("moving.gif", "--frames all", "moving.png"),
        ("moving.gif", "--frames all --format jpeg --fill #fff", "moving.frames/moving-{}.jpg"),
        ("moving.gif", "--frames each", "moving.frames/moving-{}.png"),
        ("one.png", "--frames each", "one.png"),
    ],
)
def test_one_file_where_it_shows_them_and_else_numbered(
    bgwatch: Bgwatch, draw: Callable[..., Path], source: str, options: str, wanted: str
) -> None:
    """An animation stays one where the format has them, and pages where it has pages."""
    gif(count=3)
    draw("one.png")
    assert bgwatch("remove", source, "-o", "out", *options.split()).code == 0
    assert names() == {wanted.format(number) for number in (1, 2, 3)}


def test_the_least_sure_page_is_named(bgwatch: Bgwatch) -> None:
    """Black and white noise in the third of three."""
    pages = [disc(), disc(), Image.effect_noise((120, 140), 255).convert("RGB")]
    pages[0].save("scan.tif", save_all=True, append_images=pages[1:])
    ended = bgwatch("remove", "scan.tif", "-o", "out", "--frames", "each")
    assert "unsure: out/scan.frames (confidence" in ended.err
    assert "): frame 3 of 3: " in ended.err


def test_numbers_sort_as_the_frames_come(bgwatch: Bgwatch) -> None:
    gif(count=11)
    assert bgwatch("remove", "moving.gif", "-o", "out", "--frames", "each", "--workers", 1).code == 0
    assert sorted(names())[1::9] == ["moving.frames/moving-02.png", "moving.frames/moving-11.png"]


@given(
    st.text(min_size=1, max_size=300).filter(lambda text: text.isprintable() and "/" not in text),
    st.integers(1, 20),
    st.integers(1, 12),
)
@example("n" * 251, 2, 1)
@example("n" * 240, 2, 2)
def test_a_series_is_known_by_its_names(
    tmp_path_factory: pytest.TempPathFactory, name: str, count: int, number: int
) -> None:
    """Of whatever name, also of one that had to be numbered, and they fit into a folder."""
    result = Path(fitting(name, ".png"))
    folder = next(itertools.islice(numbering.names(series_of(result).name), number - 1, None))
    made = list(numbers(result.stem, count, ".png"))
    assert len({*made}) == count
    series = tmp_path_factory.mktemp("out") / folder
    series.mkdir()
    for file in made:
        (series / file).touch()
    assert is_series(series)


def test_a_series_is_told_from_a_folder_of_a_persons(bgwatch: Bgwatch) -> None:
    bgwatch("remove", "scan.tif", "-o", "out", "--frames", "each")
    series = Path("out/scan.frames")
    assert is_series(series)
    assert is_series(series.rename("out/scan-2.frames")), "numbered as a whole"
    for name in ("other-1.png", "scan-1", "notes.txt", "sub"):
        folder = Path(f"{name}.d") / "scan.frames"
        folder.mkdir(parents=True)
        (folder / "scan-1.png").touch()
        (folder / name).mkdir() if name == "sub" else (folder / name).touch()
        assert not is_series(folder), name
        assert not replaceable(folder)
    Path("link.frames").symlink_to("out/scan-2.frames")
    assert not is_series(Path("link.frames"))
    assert not is_series(Path("gone.frames"))


def test_the_same_call_again_does_nothing_and_another_is_numbered(bgwatch: Bgwatch) -> None:
    call = "remove", "scan.tif", "-o", "out", "--frames", "each"
    assert bgwatch(*call).out == "out/scan.frames\n"
    assert "nothing to do: it was done before" in bgwatch(*call).err
    assert bgwatch(*call, "--redo").out == "out/scan-2.frames\n"
    assert bgwatch(*call, "--seed", 5, "--on-conflict", "skip").err == "nothing to do: 1 has a result already\n"
    assert names() == {f"{folder}.frames/scan-{number}.png" for folder in ("scan", "scan-2") for number in (1, 2, 3)}
    Path("out/scan-2.frames/scan-2.png").unlink()
    assert bgwatch(*call).code == 0, "the first one is still there"
    Path("out/scan.frames/scan-2.png").unlink()
    assert bgwatch(*call).out == "out/scan-3.frames\n"


def test_a_series_is_replaced_whole_and_a_persons_folder_never(bgwatch: Bgwatch) -> None:
    call = "remove", "-o", "out", "--frames", "each", "--on-conflict", "overwrite"
    gif("scan.gif", count=4)
    assert bgwatch(*call, "scan.gif").out == "out/scan.frames\n"
    assert bgwatch(*call, "scan.tif").out == "out/scan.frames\n"
    assert names() == {f"scan.frames/scan-{number}.png" for number in (1, 2, 3)}
    Path("out/scan.frames/notes.txt").write_text("mine")
    assert bgwatch(*call, "scan.gif").out == "out/scan-2.frames\n"
    assert Path("out/scan.frames/notes.txt").read_text() == "mine"


def test_a_series_that_holds_a_picture_of_the_run_is_not_replaced(bgwatch: Bgwatch) -> None:
    assert bgwatch("remove", "scan.tif", "-o", ".", "--frames", "each").code == 0
    before = Path("scan.frames/scan-1.png").read_bytes()
    call = "remove", "-o", ".", "--frames", "each", "--on-conflict", "overwrite", "--seed", 1
    assert bgwatch(*call, "scan.tif", "scan.frames/scan-1.png").code == 0
    assert Path("scan.frames/scan-1.png").read_bytes() == before
    assert len(names("scan-2.frames")) == 3


def test_what_file_managers_leave_in_a_series_makes_it_no_other(bgwatch: Bgwatch) -> None:
    call = "remove", "scan.tif", "-o", "out", "--frames", "each", "--on-conflict", "overwrite"
    assert bgwatch(*call).code == 0
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (Path("out/scan.frames") / name).write_bytes(b"how it is shown")
    assert "nothing to do: it was done before" in bgwatch(*call).err
    assert bgwatch(*call, "--redo").out == "out/scan.frames\n"
    assert names() == {f"scan.frames/scan-{number}.png" for number in (1, 2, 3)}


def test_a_series_in_which_a_person_has_changed_a_page_is_not_the_result(bgwatch: Bgwatch) -> None:
    call = "remove", "scan.tif", "-o", "out", "--frames", "each"
    assert bgwatch(*call).code == 0
    page = Path("out/scan.frames/scan-2.png")
    page.write_bytes(page.read_bytes()[::-1])
    os.utime(page, (10**9, 2 * 10**9))
    assert bgwatch(*call).out == "out/scan-2.frames\n"


def test_a_file_in_the_place_of_a_series_is_no_result_and_stays(bgwatch: Bgwatch) -> None:
    """It may be one of the pictures."""
    Path("scan.frames").write_bytes(content := Path("scan.tif").read_bytes())
    call = "remove", "scan.tif", "scan.frames", "-o", ".", "--frames", "each", "--on-conflict", "overwrite"
    assert bgwatch(*call).code == 0
    assert Path("scan.frames").read_bytes() == content
    assert len(names("scan-2.frames")) == 3


def test_a_series_and_a_mirrored_folder_of_its_name_leave_each_other(
    bgwatch: Bgwatch, draw: Callable[..., Path]
) -> None:
    """Asked to overwrite, too: never another result of the same call."""
    draw("in/scan.frames/scan-1.png")
    Path("scan.tif").rename("in/scan.tif")
    call = "remove", "in", "-o", "out", "--frames", "each", "--on-conflict", "overwrite", "--workers", 1
    for _ in range(2):
        assert bgwatch(*call, "--redo").code == 0
        assert names() == {"scan.frames/scan-1.png", *(f"scan-2.frames/scan-{number}.png" for number in (1, 2, 3))}


def test_a_series_that_was_numbered_is_not_replaced_by_the_next(bgwatch: Bgwatch) -> None:
    Path("out/scan.frames").mkdir(parents=True)
    Path("out/scan.frames/notes.txt").touch()
    gif("scan-2.gif")
    call = "remove", "scan.tif", "scan-2.gif", "-o", "out", "--frames", "each", "--on-conflict", "overwrite"
    told = bgwatch(*call, "--workers", 1).out
    assert told == "out/scan-2.frames\nout/scan-2-2.frames\n"
    assert len(names()) == 1 + 3 + 2


def test_results_beside_their_pictures_are_none_the_next_time(bgwatch: Bgwatch) -> None:
    Path("in").mkdir()
    Path("scan.tif").rename("in/scan.tif")
    for options in ((), ("--name", "{stem} out")):
        assert bgwatch("remove", "in", "--frames", "each", *options).code == 0
    before = names("in")
    assert before == {
        "scan.tif",
        *(f"scan.cutout.frames/scan.cutout-{number}.png" for number in (1, 2, 3)),
        *(f"scan out.frames/scan out-{number}.png" for number in (1, 2, 3)),
    }
    again = bgwatch("remove", "in", "--frames", "each")
    assert (again.code, names("in")) == (0, before)
    again = bgwatch("remove", "in", "--frames", "each", "--redo", "-o", "out", "--dry-run")
    assert again.out.splitlines()[0] == "in/scan.tif -> out/scan.png"
    assert "2 skipped that are results" in bgwatch("remove", "in", "--frames", "each", "--redo").err


def test_one_file_or_standard_output_takes_no_series(bgwatch: Bgwatch) -> None:
    ended = bgwatch("remove", "scan.tif", "-o", "a.png", "--frames", "all")
    assert (ended.code, Path("a.png").exists()) == (1, False)
    said = "its 3 frames or pages become as many png files; name a folder with -o, or say frames: first"
    assert f"failed: scan.tif: {said}" in ended.err
    assert bgwatch("remove", "scan.tif", "-o", "a.tiff", "--frames", "all").code == 0
    with Image.open("a.tiff") as made:
        assert made.n_frames == 3  # type: ignore[attr-defined]


def test_a_page_that_is_broken_leaves_nothing(bgwatch: Bgwatch) -> None:
    content = bytearray(Path("scan.tif").read_bytes())
    Path("scan.tif").write_bytes(content[: -len(content) // 5])
    ended = bgwatch("remove", "scan.tif", "-o", "out", "--frames", "each")
    assert (ended.code, names()) == (1, set())


def test_a_sheet_shows_the_first(bgwatch: Bgwatch) -> None:
    assert bgwatch("sheet", "scan.tif", "-o", "sheet.png", "--frames", "each").code == 0
    with Image.open("sheet.png") as sheet:
        assert sheet.width > 200
