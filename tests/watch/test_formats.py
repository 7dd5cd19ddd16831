"""What results of watched folders are: each folder its own format and finish."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scenes import Ended, opened
from watching import Box, appears, drop, meanwhile, until

from bgwatch.config import parse
from bgwatch.errors import FolderError, SettingsError
from bgwatch.watch.service import Service

Draw = Callable[..., Path]
DOUBTFUL = {"min_confidence": 1.0, "tolerance": 1, "method": "threshold"}


def test_two_folders_have_two_formats(tmp_path: Path, draw: Draw) -> None:
    """From one settings file, in which paths are taken from where it lies."""
    draw(tmp_path / "a" / "photo.jpg")
    draw(tmp_path / "b" / "sub" / "photo.jpg", dpi=(300, 300))
    Image.new("RGB", (9, 9), (0, 0, 200)).save(tmp_path / "sky.png")
    settings = parse(
        "settle_seconds: 0.05\ncrop: true\nfolders:\n"
        "  - {inbox: a, outbox: web, format: webp, quality: 80, canvas: 100x80}\n"
        "  - {inbox: b, outbox: print, format: tiff, fill: sky.png, strip: true, crop_padding: 5%}\n",
        tmp_path,
    )
    assert Service(settings, tmp_path / "state").run(once=True) == 0
    web, paper = opened(tmp_path / "web" / "photo.webp"), opened(tmp_path / "print" / "sub" / "photo.tiff")
    assert (web.mode, web.size) == ("RGBA", (100, 80))
    assert paper.mode == "RGB"
    assert paper.size[0] < 120
    assert paper.info.get("dpi", (1, 1)) == (1, 1), "the resolution was stripped, and TIFF has 1 where it has none"
    assert paper.getpixel((0, 0)) == (0, 0, 200)
    assert (tmp_path / "web" / "done" / "photo.jpg").is_file()


@pytest.mark.parametrize(("kind", "suffix"), [("webp", ".webp"), ("avif", ".avif"), ("jpeg", ".jpg")])
def test_results_under_review_have_the_format_too_and_can_be_accepted(
    box: Box, draw: Draw, bgwatch: Callable[..., Ended], kind: str, suffix: str
) -> None:
    asked = {"format": kind, "fill": "#ffffff", **DOUBTFUL}
    for seed in (1, 2):
        draw(box.inbox / "a.jpg", seed=seed)
        assert box.once(**asked) == 0
    assert {f"out/review/a{suffix}", "out/review/a.reason.txt", f"out/review/a-2{suffix}"} <= box.files()
    settings = box.root / "c.yaml"
    settings.write_text(f"folders:\n  - {{inbox: {box.inbox}, outbox: {box.outbox}}}\n")
    call = ("retry", "-c", settings, "--state", box.root / "state")
    assert bgwatch(*call, "--accept", box.outbox / "review" / f"a{suffix}").out == f"accepted: {box.outbox}/a{suffix}\n"
    with Image.open(box.outbox / f"a{suffix}") as image:
        assert image.format == kind.upper()
    assert bgwatch(*call, box.outbox / "review" / f"a-2{suffix}").out == "to be done again: a.jpg\n"
    assert box.files() == {"in/a.jpg", "out/done/a.jpg", f"out/a{suffix}"}


def test_the_same_picture_in_another_format_is_another_result(box: Box, draw: Draw) -> None:
    for kind in ("png", "webp", "webp"):
        draw(box.inbox / "a.jpg")
        assert box.once(format=kind, on_conflict="overwrite") == 0
    assert {name for name in box.files() if "done" not in name} == {"out/a.png", "out/a.webp"}
    assert np.array_equal(np.asarray(opened(box.outbox / "a.png")), np.asarray(opened(box.outbox / "a.webp")))


def test_a_mask_is_a_setting(box: Box, draw: Draw) -> None:
    draw(box.inbox / "a.jpg")
    assert box.once(mask=True) == 0
    assert opened(box.outbox / "a.png").mode == "L"


def test_a_picture_to_lay_behind_must_be_there_and_not_in_an_inbox(box: Box, draw: Draw) -> None:
    sky = draw(box.root / "sky.png")
    with pytest.raises(FolderError, match=r"none\.png: is no picture that could be laid behind; name another one"):
        box.once(fill=str(box.root / "none.png"))
    inside = draw(box.inbox / "sky.png")
    with pytest.raises(SettingsError, match=r"in/sky\.png: this picture for fill lies inside the inbox .*/in, which"):
        box.once(fill=str(inside))
    inside.unlink()
    draw(box.inbox / "a.jpg")
    assert box.once(fill=str(sky)) == 0
    assert opened(box.outbox / "a.png").mode == "RGB"


def test_a_picture_to_lay_behind_that_is_none_keeps_the_originals_where_they_are(box: Box, draw: Draw) -> None:
    (box.root / "sky.png").write_text("no picture")
    draw(box.inbox / "a.jpg")
    assert box.once(fill=str(box.root / "sky.png")) == 3
    assert box.files() == {"in/a.jpg"}
    draw(box.root / "sky.png")
    assert box.once(fill=str(box.root / "sky.png")) == 0
    assert box.files() == {"out/a.png", "out/done/a.jpg"}


def test_a_format_that_is_read_again_names_the_next_results(
    box: Box, draw: Draw, caplog: pytest.LogCaptureFixture
) -> None:
    """And a picture behind that is not there is refused as other settings are: the old ones stay in force."""
    source = draw(box.root / "a.jpg")
    service = box.service()
    (first,) = service._settings.folders
    others = [{"fill": str(box.root / "none.png")}, {"format": "webp", "quality": 70}]
    orders = [first.model_copy(update=changes) for changes in others]
    service._reread = lambda: service._settings.model_copy(update={"folders": (orders.pop(0),)})

    def person() -> None:
        drop(source, box.inbox / "a.jpg")
        appears(box.outbox / "done" / "a.jpg")
        os.kill(os.getpid(), signal.SIGHUP)
        until(lambda: "none.png: is no picture that could be laid behind" in caplog.text)
        os.kill(os.getpid(), signal.SIGHUP)
        until(lambda: "the new settings are in force" in caplog.text)
        drop(source, box.inbox / "a.jpg")
        appears(box.outbox / "done" / "a-2.jpg")

    assert meanwhile(service, person) == 0
    assert {name for name in box.files() if "done" not in name} == {"out/a.png", "out/a.webp"}
