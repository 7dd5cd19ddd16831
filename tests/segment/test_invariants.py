"""What holds for every picture, however small or odd."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

import bgwatch
from bgwatch import remove_background
from bgwatch.errors import PictureError, SettingsError
from bgwatch.process import THREAD_VARIABLES

PLAIN = ["1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "LAB", "HSV", "I", "F", "I;16"]
MODES = [*PLAIN, "LA", "La", "PA", "RGBA", "RGBa"]
BYTES_A_PIXEL = {"LA": 2, "La": 2, "PA": 2, "RGB": 3, "YCbCr": 3, "LAB": 3, "HSV": 3, "I;16": 2}
FOUR = {"RGBA", "RGBa", "RGBX", "CMYK", "I", "F"}

quick = settings(
    max_examples=60, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip


@st.composite
def images(draw: st.DrawFn) -> Image.Image:
    """A PIL image of any mode: noise, one colour, or a block on a ground."""
    mode = draw(st.sampled_from(MODES))
    size = (draw(st.integers(1, 64)), draw(st.integers(1, 64)))
    each = 4 if mode in FOUR else BYTES_A_PIXEL.get(mode, 1)
    if mode == "1":
        return Image.new("1", size, draw(st.integers(0, 1)))
    values = np.random.default_rng(draw(st.integers(0, 99))).integers(0, 256, (size[1], size[0], each), dtype=np.uint8)
    kind = draw(st.sampled_from(["noise", "plain", "block"]))
    if kind != "noise":
        values[:] = values[0, 0]
    if kind == "block":
        values[size[1] // 3 : 2 * size[1] // 3 + 1, size[0] // 4 : size[0] // 2 + 1] ^= 0x7F
    return Image.frombytes(mode, size, values.tobytes())


@quick
@given(images(), st.sampled_from(["auto", "threshold", "kmeans"]), st.sampled_from(["auto", "first-pixel", "#808080"]))
def test_any_picture_gives_a_cutout_or_a_picture_error(image: Image.Image, method: str, backdrop: str) -> None:
    """Alpha and confidence are in [0, 1], what is clear has no colour, and the input is as it was."""
    before = image.tobytes()
    try:
        cutout = remove_background(image, method=method, backdrop=backdrop)
    except PictureError:
        assert image.mode in ("I", "F")
        return
    assert image.tobytes() == before
    assert cutout.rgba.shape == (image.height, image.width, 4)
    assert cutout.alpha.dtype == np.float32
    assert 0 <= cutout.alpha.min() <= cutout.alpha.max() <= 1
    assert 0 <= cutout.confidence <= 1
    assert not cutout.rgba[cutout.rgba[..., 3] == 0].any()
    assert cutout.confidence == 1 or cutout.report.reasons or cutout.confidence > 0.5


@quick
@given(st.integers(0, 10**6), st.sampled_from(["auto", "open", "fill"]), st.sampled_from([np.uint8, np.uint16]))
def test_input_arrays_are_never_changed(seed: int, holes: str, dtype: type) -> None:
    """Neither grey, RGB nor RGBA, whole or a view; and alpha only falls."""
    rng = np.random.default_rng(seed)
    shape = [(40, 30), (40, 30, 3), (40, 30, 4)][seed % 3]
    array = rng.integers(0, np.iinfo(dtype).max, shape, dtype=dtype, endpoint=True)
    array[5:] = array[0, 0]
    array[12:25, 8:20] //= 3
    view = array[::-1, ::-1]
    before = array.copy()
    rgba = remove_background(view, holes=holes).rgba
    assert np.array_equal(array, before)
    assert rgba.dtype == dtype
    if view.ndim == 3 and view.shape[2] == 4:
        assert (rgba[..., 3] <= view[..., 3]).all()


@pytest.mark.parametrize("name", ["portrait", "mug", "logo"])
def test_a_mirrored_picture_has_the_mirrored_alpha(request: pytest.FixtureRequest, name: str) -> None:
    """Nothing in the method knows left from right."""
    rgb = request.getfixturevalue(name).rgb
    alpha, mirrored = remove_background(rgb).alpha, remove_background(rgb[:, ::-1]).alpha
    assert np.abs(alpha - mirrored[:, ::-1]).mean() <= 0.002


def test_memory_layout_does_not_matter(mug) -> None:
    """A Fortran-ordered array or a read-only one gives the same bytes."""
    wanted = remove_background(mug.rgb).rgba
    frozen = mug.rgb.copy()
    frozen.flags.writeable = False
    assert np.array_equal(remove_background(frozen).rgba, wanted)
    assert np.array_equal(remove_background(np.asfortranarray(mug.rgb)).rgba, wanted)


@pytest.mark.parametrize("options", [{"method": "magic"}, {"holes": "some"}, {"backdrop": "blue"}, {"tolerence": 3}])
def test_a_wrong_option_is_a_settings_error(options: dict[str, object]) -> None:
    """Named in the message."""
    with pytest.raises(SettingsError, match=next(iter(options))):
        remove_background(np.zeros((4, 4, 3), np.uint8), **options)


@pytest.mark.parametrize("shape", [(0, 4, 3), (4, 4, 2), (4,), (2, 4, 4, 3)])
def test_a_wrong_shape_is_a_picture_error(shape: tuple[int, ...]) -> None:
    """With the shape in the message."""
    with pytest.raises(PictureError, match="shape"):
        remove_background(np.zeros(shape, np.uint8))


def test_floats_are_a_picture_error() -> None:
    """Nobody can know their range."""
    with pytest.raises(PictureError, match="float64"):
        remove_background(np.zeros((4, 4, 3)))


DIGEST = """
import sys, hashlib
import numpy as np
from PIL import Image
from bgwatch import remove_background
rgb = np.asarray(Image.open(sys.argv[1]).convert("RGB"))
for method in ("auto", "kmeans"):
    print(hashlib.sha256(remove_background(rgb, method=method).rgba.tobytes()).hexdigest(), "sklearn" in sys.modules)
"""


@pytest.mark.slow
def test_the_same_bytes_for_any_number_of_threads() -> None:
    """And ``auto`` never loads scikit-learn."""
    picture = Path(__file__).parents[1] / "pictures" / "mug.jpg"
    rgb = np.asarray(Image.open(picture).convert("RGB"))
    here = {m: hashlib.sha256(remove_background(rgb, method=m).rgba.tobytes()).hexdigest() for m in ("auto", "kmeans")}
    for threads in ("1", "4"):
        limits = dict.fromkeys(THREAD_VARIABLES, threads)
        path = str(Path(bgwatch.__file__).parents[1])
        run = subprocess.run(
            [sys.executable, "-c", DIGEST, str(picture)],
            env={**os.environ, **limits, "PYTHONPATH": path}, capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        assert run.stdout.splitlines() == [f"{here['auto']} False", f"{here['kmeans']} True"]
