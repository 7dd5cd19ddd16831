"""What results are to be: the settings, and the command line that has the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image
from profiles import gamma, rgb_profile
from scenes import Ended, opened

from bgwatch.config import in_force, parse
from bgwatch.errors import SettingsError
from bgwatch.job import Job, run
from bgwatch.settings import Output, PictureLimits, Segmentation
from bgwatch.writing.encode import encode

Draw = Callable[..., Path]
Bgwatch = Callable[..., Ended]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"format": "gif"}, "format: must be 'png', 'webp', 'tiff', 'avif' or 'jpeg', got 'gif'"),
        ({"quality": 0}, "quality: must be greater than or equal to 1, got 0"),
        ({"quality": 101, "format": "webp"}, "quality: must be less than or equal to 100, got 101"),
        ({"fill": "#12345"}, "fill: must be transparent, a colour like '#ffffff' or a picture, got '#12345'"),
        ({"fill": ""}, "fill: must be transparent, a colour like '#ffffff' or a picture, got ''"),
        ({"canvas": "10"}, "canvas: must be square or a size like 1000x1000, got '10'"),
        ({"canvas": "0x10"}, "canvas: must be square or a size like 1000x1000, got '0x10'"),
        ({"crop": True, "crop_padding": "-3"}, "crop_padding: must be pixels like 20 or a share like 5%, got '-3'"),
        ({"crop": True, "crop_padding": True}, "crop_padding: must be a valid string, got True"),
        ({"crop_alpha": 1.5}, "crop_alpha: must be less than or equal to 1, got 1.5"),
        ({"format": "jpeg"}, "format: jpeg has no transparency; set fill to a colour like '#ffffff', or take another"),
        ({"mask": True, "fill": "#fff"}, "fill: nothing is laid behind a mask; leave out fill or mask"),
        ({"quality": 80}, "quality: png is written without loss; leave it out, or take webp, avif or jpeg"),
        ({"enlarge": True}, "enlarge: there is nothing to enlarge to; set canvas"),
        ({"fit": "contain", "fill": "#fff"}, "fit: there is no picture to fit; name one with fill"),
        ({"crop_padding": "5%"}, "crop_padding: has no effect without crop or canvas; set one of them"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(options: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError) as told:
        Output.of(options)
    assert str(told.value).startswith(said)
    assert "\n" not in str(told.value)


def test_all_that_does_not_go_together_is_told_at_once() -> None:
    with pytest.raises(SettingsError) as told:
        Output.of({"quality": 3, "enlarge": True, "crop_alpha": 0.5, "crop_padding": "7"})
    assert [part.split(":")[0] for part in str(told.value).split("; ") if ":" in part] == [
        *("quality", "enlarge", "crop_padding", "crop_alpha"),
    ]


def test_what_contradicts_is_told_together_with_what_has_no_effect() -> None:
    with pytest.raises(SettingsError) as told:
        Output.of({"mask": True, "fill": "#fff", "quality": 3, "enlarge": True})
    assert [str(told.value).count(f"{name}: ") for name in ("fill", "quality", "enlarge")] == [1, 1, 1]


def test_a_mask_needs_no_fill_in_any_format() -> None:
    assert Output.of({"format": "jpeg", "mask": True, "crop": True}).suffix == ".jpg"


def test_defaults_for_all_folders_are_completed_by_each() -> None:
    text = "format: jpeg\ncrop_padding: 20\nfolders:\n  - {inbox: a, outbox: b, fill: '#fff', crop: true}\n"
    folder = parse(text, Path("/base")).folders[0]
    assert (folder.suffix, folder.crop_padding, folder.crop) == (".jpg", "20", True)
    with pytest.raises(SettingsError, match=r"^folders\.0: format: jpeg has no transparency; set fill"):
        parse("format: jpeg\nfolders:\n  - {inbox: a, outbox: b}\n", Path("/base"))
    with pytest.raises(SettingsError, match="fill: must be a valid string, got None; write it in quotes"):
        parse("folders:\n  - {inbox: a, outbox: b, fill: #fff\n  }\n", Path("/base"))


def test_a_picture_behind_is_taken_from_where_it_was_named() -> None:
    """From the settings file's folder, or from here where the command line names it."""
    text = "fill: sky.jpg\nfolders:\n  - {inbox: a, outbox: b}\n  - {inbox: c, outbox: d, fill: ../wall.jpg}\n"
    assert [folder.picture_behind for folder in parse(text, Path("/base")).folders] == [
        *("/base/sky.jpg", "/base/../wall.jpg"),
    ]
    assert in_force(None, ("a", "b"), {"fill": "sky.jpg"}).folders[0].fill == str(Path.cwd() / "sky.jpg")
    assert Output(fill="#fff").picture_behind is None


def test_the_name_of_the_result_chooses_its_format(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("a.jpg")
    for name, kind in (("out/a.TIF", "TIFF"), ("m.jpeg", "JPEG")):
        options = ("--fill", "#ffffff") if kind == "JPEG" else ()
        assert bgwatch("remove", "a.jpg", "-o", name, *options).out == f"{name}\n"
        with Image.open(name) as image:
            assert image.format == kind
            assert image.mode == ("RGB" if kind == "JPEG" else "RGBA")


def test_a_format_names_the_results(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("in/a.jpg")
    draw("in/a.png")
    assert sorted(bgwatch("remove", "in", "--format", "tiff", "--mask", "--workers", 1).out.split()) == [
        *("in/a.mask-2.tiff", "in/a.mask.tiff"),
    ]
    ended = bgwatch("remove", "in", "--format", "webp", "--workers", 1)
    assert sorted(ended.out.split()) == ["in/a.cutout-2.webp", "in/a.cutout.webp"]
    assert "2 skipped that are results" in ended.err
    assert bgwatch("remove", "in/a.jpg", "-o", "out").out == "out/a.png\n"
    assert np.array_equal(np.asarray(opened("in/a.cutout.webp")), np.asarray(opened("out/a.png")))


def test_everything_that_is_asked_for_happens_at_once(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("a.png", dpi=(300, 300))
    asked = ("--crop", "--crop-padding", "10%", "--canvas", "square", "--fill", "#00f", "--strip", "--quality", "95")
    assert bgwatch("remove", "a.png", "-o", "a.webp", *asked).code == 0
    image = opened("a.webp")
    assert image.mode == "RGB"
    assert image.size[0] == image.size[1]
    assert 70 < image.size[0] < 100, "the disc, 60 pixels wide and 70 high, and a tenth of that around it"
    assert np.abs(np.subtract(image.getpixel((0, 0)), (0, 0, 255))).max() <= 3
    assert not image.getexif()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"canvas": "16384x1", "format": "webp"}, "a result of 16384 x 1 pixels is more than webp can hold; take png"),
        ({"canvas": "2000x2000"}, "crop and canvas make 2000 x 2000 pixels, more than max_pixels (1000000); ask for"),
    ],
)
def test_a_result_that_is_too_large_fails_in_one_sentence(draw: Draw, asked: dict[str, Any], said: str) -> None:
    outcome = run(Job(str(draw("a.jpg")), "a.tmp", {}, {"max_pixels": 10**6}, Output(**asked).model_dump()))
    assert (outcome.state, outcome.again) == ("failed", False)
    assert outcome.reasons[0].startswith(f"a.jpg: {said}")
    assert not Path("a.tmp").exists()


@pytest.mark.parametrize("source", ["tiff", "png"])
@pytest.mark.parametrize("target", ["tiff", "png"])
def test_sixteen_bits_stay_sixteen_from_file_to_file(source: str, target: str) -> None:
    """A value of 9001 comes out as 9001, cropped, on a canvas and over a colour; resolution and profile with it."""
    deep = np.full((80, 60, 3), (50_000, 50_100, 50_200), np.uint16)
    deep += np.random.default_rng(1).integers(0, 300, deep.shape, np.uint16)
    deep[20:60, 20:40] = (9001, 20_003, 777)
    profile = rgb_profile("Adobe RGB", gamma(2.2))
    Path("deep").write_bytes(encode(deep, {"dpi": (300.0, 300.0), "icc_profile": profile}, source))
    asked = Output(format=target, crop=True, canvas="square", fill="#ffffff")  # type: ignore[arg-type]
    outcome = run(Job("deep", "made", Segmentation().model_dump(), PictureLimits().model_dump(), asked.model_dump()))
    assert (outcome.state, outcome.reasons) == ("done", ())
    made = cv2.imread("made", cv2.IMREAD_UNCHANGED)
    assert made is not None
    assert (made.dtype, made.shape) == (np.uint16, (40, 40, 3))
    assert (made[1:-1, 12:-12, ::-1] == (9001, 20_003, 777)).all()
    assert (made[0, 0] == 65535).all()
    with Image.open("made") if target == "png" else tifffile.TiffFile("made") as file:
        if isinstance(file, Image.Image):
            assert file.info["icc_profile"] == profile
            assert file.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        else:
            (page,) = file.pages
            assert page.iccprofile == profile
            assert page.get_resolution() == pytest.approx((300, 300), abs=0.1)


def test_a_picture_behind_that_is_not_there_is_wrong_usage(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("a.jpg")
    ended = bgwatch("remove", "a.jpg", "--fill", "white")
    assert ended.code == 2
    assert "/white: there is no file that can be read; name a picture, or a colour like '#ffffff'" in ended.err


def test_the_options_tell_their_defaults(bgwatch: Bgwatch) -> None:
    told = " ".join(bgwatch("remove", "--help").out.split())
    for words in ("--format [png|webp|tiff|avif|jpeg] File format of results. [default: png]", "--crop / --no-crop"):
        assert words in told
    assert "--canvas TEXT" in told
    assert "None" not in told
