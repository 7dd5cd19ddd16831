from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scenes import Ended, opened

from bgwatch.sheet import CELL, LINE, MARGIN, Column, draw_sheet

Bgwatch = Callable[..., Ended]
Draw = Callable[..., Path]
BELOW = MARGIN + LINE + CELL + MARGIN  # where the cut-outs of the first row begin


def test_before_is_above_after(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("in/a.jpg")
    draw("in/sub/a.jpg", seed=1)
    ended = bgwatch("sheet", "in", "-o", "sheet.png", "--on", "#f0f")
    assert (ended.code, ended.out) == (0, "sheet.png\n")
    sheet = np.asarray(opened("sheet.png"))
    assert sheet.shape[1] == MARGIN + 2 * (CELL + MARGIN)
    for number in range(2):
        middle = MARGIN + number * (CELL + MARGIN) + CELL // 2
        backdrop_before = sheet[MARGIN + LINE + CELL // 2 - 60, middle - 50]
        assert abs(backdrop_before.astype(int) - 190).max() < 12
        assert tuple(sheet[BELOW + CELL // 2 - 60, middle - 50]) == (255, 0, 255)
        red = sheet[BELOW + CELL // 2 - 25, middle]
        assert red[0] > 150
        assert red[2] < 100


def test_a_failed_picture_has_its_column_and_is_told(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("a.jpg")
    Path("bad.jpg").write_text("no picture")
    ended = bgwatch("sheet", "bad.jpg", "a.jpg", "-o", "new/sheet.png")
    assert ended.code == 1
    assert "failed: bad.jpg: not a picture" in ended.err
    sheet = np.asarray(opened("new/sheet.png"))
    assert (sheet[BELOW : BELOW + CELL, MARGIN : MARGIN + CELL] == 255).all()
    assert len(np.unique(sheet[BELOW : BELOW + CELL, 2 * MARGIN + CELL :])) > 50


def test_an_earlier_sheet_is_no_picture_of_the_next(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("a.jpg")
    for _ in range(2):
        bgwatch("sheet", ".", "-o", "sheet.png")
        assert opened("sheet.png").width == MARGIN + CELL + MARGIN
    assert sorted(path.name for path in Path().iterdir()) == ["a.jpg", "sheet.png"]


@pytest.mark.parametrize("given", ["a.png", "in/../a.png", "{here}/a.png", "."])
def test_a_picture_is_never_replaced_by_a_sheet(draw: Draw, bgwatch: Bgwatch, given: str) -> None:
    picture = draw("a.png").read_bytes()
    draw("in/b.png")
    ended = bgwatch("sheet", given.format(here=Path.cwd()), "in", "-o", "a.png")
    assert ended.code == 2
    assert "a.png: SHEET is one of the pictures, which are never changed; name another file" in ended.err
    assert Path("a.png").read_bytes() == picture


def test_an_earlier_sheet_is_known_under_every_name(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("a.jpg")
    for _ in range(2):
        assert bgwatch("sheet", "a.jpg", f"{Path.cwd()}", "-o", "sheet.png").code == 0
    assert opened("sheet.png").width == MARGIN + CELL + MARGIN


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("a.jpg", "-o", "sheet.pdf"), "sheet.pdf: a sheet is a picture or a page"),
        (("a.jpg", "-o", "s.png", "--on", "#ffff"), "--on: must be checkerboard or a colour"),
        (("a.jpg", "-o", "s.png", "--on", "pink"), "--on: must be checkerboard or a colour"),
        (("a.jpg",), "Missing option '-o'"),
    ],
)
def test_wrong_usage_is_refused(draw: Draw, bgwatch: Bgwatch, arguments: tuple[str, ...], said: str) -> None:
    draw("a.jpg")
    ended = bgwatch("sheet", *arguments)
    assert ended.code == 2
    assert said in ended.err


def test_nothing_to_show_is_told(bgwatch: Bgwatch) -> None:
    Path("in").mkdir()
    ended = bgwatch("sheet", "in", "-o", "sheet.png")
    assert ended.code == 1
    assert not Path("sheet.png").exists()


def test_nine_pictures_take_two_rows_and_long_names_stay_in_their_column() -> None:
    image = Image.new("RGBA", (20, 20), "red")
    columns = [Column("n" * 200 + "\x1b", "unsure", image, image, 0.4) for _ in range(9)]
    one_row = draw_sheet(columns[:8], "checkerboard")
    two_rows = draw_sheet(columns, "checkerboard")
    assert two_rows.width == one_row.width
    assert two_rows.height > 1.9 * one_row.height
    gaps = [MARGIN + number * (CELL + MARGIN) - MARGIN // 2 for number in range(1, 8)]
    assert (np.asarray(one_row)[:, gaps] == 255).all()
