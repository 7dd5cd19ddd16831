"""Pictures of the world that have no plain backdrop: a remover must call its result unsure."""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from backdrops import clouds
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage
from sklearn.datasets import load_sample_images

Picture = NDArray[np.uint8]
Rng = np.random.Generator
CROPS = {"left": (slice(60, 420), slice(0, 300)), "right": (slice(90, 420), slice(300, 640)),
         "middle": (slice(110, 370), slice(150, 500)), "low": (slice(210, 427), slice(40, 620))}  # fmt: skip
SHIPPED = ("astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "gravel.png", "motorcycle_left.png")


def painted(make: Callable[[Rng, int, int], NDArray[np.float64]], seed: int) -> Picture:
    """Paint a picture of the world, with a camera's noise."""
    rng = np.random.default_rng(seed)
    rgb = make(rng, 420, 560)
    return (rgb + rng.normal(0, 1.5, rgb.shape)).clip(0, 255).astype(np.uint8)


def fractal(falling: float) -> Callable[[Rng, int, int], NDArray[np.float64]]:
    """Give a painter of coloured noise: from sand (0.5) to a cloudy sky (2)."""

    def paint(rng: Rng, height: int, width: int) -> NDArray[np.float64]:
        grey = clouds(height, width, falling, 1, rng)
        return np.dstack([120 + 34 * grey + 16 * clouds(height, width, falling, 1, rng) for _ in "rgb"])

    return paint


def tiles(rng: Rng, height: int, width: int) -> NDArray[np.float64]:
    """Lay glazed tiles of uneven colour in dark mortar."""
    side = int(rng.integers(36, 60))
    y, x = np.mgrid[0:height, 0:width]
    shades = rng.normal(0, 14, (height // side + 1, width // side + 1))[y // side, x // side]
    mortar = (x % side < 3) | (y % side < 3)
    rgb = np.array((150, 110, 90.0)) + (shades + 4 * clouds(height, width, 1.5, 1, rng))[..., None]
    rgb[mortar] = 74
    return rgb


def bricks(rng: Rng, height: int, width: int) -> NDArray[np.float64]:
    """Lay bricks in rows that are shifted by half a brick."""
    y, x = np.mgrid[0:height, 0:width]
    row = y // 24
    shifted = x + 32 * (row % 2)
    shades = rng.normal(0, 16, (height // 24 + 1, width // 64 + 2))[row, shifted // 64]
    rgb = np.array((156, 82, 62.0)) + (shades + 7 * clouds(height, width, 1, 1, rng))[..., None]
    rgb[(y % 24 < 4) | (shifted % 64 < 4)] = (186, 180, 170)
    return rgb


def stripes(rng: Rng, height: int, width: int) -> NDArray[np.float64]:
    """Hang a striped cloth with folds."""
    y, x = np.mgrid[0:height, 0:width]
    phase = x * rng.uniform(0.1, 0.3) + 3 * np.sin(y / 60 + rng.uniform(0, 6))
    light = 1 + 0.2 * np.sin(x / 90 + y / 200)
    return (np.array((170, 160, 150.0)) + 60 * np.sign(np.sin(phase))[..., None]) * light[..., None]


def foliage(rng: Rng, height: int, width: int) -> NDArray[np.float64]:
    """Pile up leaves, the lit ones on top."""
    picture = Image.new("RGB", (width, height), (18, 30, 14))
    draw = ImageDraw.Draw(picture)
    for level in np.linspace(0.25, 1.1, 2400):
        x, y, turn, size = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0, np.pi), rng.uniform(8, 26)
        along = size * np.array([np.cos(turn), np.sin(turn)])
        across = np.array([-along[1], along[0]]) * 0.35
        leaf = [tuple(np.array([x, y]) + v) for v in (-along, across, along, -across)]
        green = (np.array((96, 148, 52)) * level * rng.uniform(0.7, 1.2)).clip(0, 255)
        draw.polygon(leaf, tuple(int(v) for v in green))
    return np.asarray(picture, float)


def street(rng: Rng, height: int, width: int) -> NDArray[np.float64]:
    """Build houses with windows between a sky and a road, with cars."""
    picture = Image.new("RGB", (width, height))
    draw = ImageDraw.Draw(picture)
    for y in range(height):
        draw.line([(0, y), (width, y)], (150 + y // 6, 180 + y // 8, 220))
    x, ground = 0, int(0.78 * height)
    while x < width:
        wide, top = int(rng.integers(60, 130)), int(rng.uniform(0.02, 0.35) * height)
        wall = rng.integers(90, 200, 3)
        draw.rectangle((x, top, x + wide, ground), tuple(int(v) for v in wall))
        for wx in range(x + 8, x + wide - 14, 24):
            for wy in range(top + 12, ground - 26, 34):
                draw.rectangle((wx, wy, wx + 12, wy + 20), (40, 50, int(rng.integers(50, 110))))
        x += wide
    draw.rectangle((0, ground, width, height), (84, 84, 88))
    for x in rng.integers(0, width - 80, 4):
        body = tuple(int(v) for v in rng.integers(20, 220, 3))
        draw.rounded_rectangle((x, ground - 4, x + 80, ground + 26), 8, body)
        for wheel in (14, 66):
            draw.ellipse((x + wheel - 9, ground + 17, x + wheel + 9, ground + 35), (20, 20, 22))
    rough = 9 * clouds(height, width, 1.2, 1, rng)[..., None]
    return ndimage.gaussian_filter(np.asarray(picture, float), (0.7, 0.7, 0)) + rough


def pebbles(rng: Rng, height: int, width: int) -> NDArray[np.float64]:
    """Cover the ground with rounded stones."""
    seeds = np.ones((height, width), bool)
    centres = rng.integers(0, height * width, 420)
    seeds.flat[centres] = False
    away, (y, x) = ndimage.distance_transform_edt(seeds, return_indices=True)
    shades = rng.normal(130, 30, (height, width))[y, x]
    return (shades - 2.4 * away)[..., None] * np.array((1, 0.96, 0.9)) + 5 * rng.standard_normal((height, width, 1))


def planks(rng: Rng, height: int, width: int) -> NDArray[np.float64]:
    """Join boards whose grain runs along them."""
    y = np.mgrid[0:height, 0:width][0]
    bend = 12 * clouds(height, width, 2.5, 1, rng)
    grain = np.sin((y + bend) * 0.55) + 0.7 * np.sin((y + 2 * bend) * 0.21)
    rgb = np.array((150, 108, 70.0)) + (13 * grain + rng.normal(0, 12, 12)[y // 70 % 12])[..., None]
    rgb[y % 70 < 2] = (50, 34, 24)
    return rgb


def shore(rng: Rng, height: int, width: int) -> NDArray[np.float64]:
    """Set clouds over waves and sand."""
    y = np.mgrid[0:height, 0:width][0] / height
    sky = np.array((120, 160, 214.0)) + 45 * np.maximum(0, clouds(height, width, 1.7, 2, rng))[..., None]
    waves = ndimage.zoom(clouds(height, width // 8 + 1, 1.0, 2, rng), (1, 8), order=1)[:, :width]
    sea = np.array((40, 92, 120.0)) + 26 * waves[..., None]
    sand = np.array((200, 176, 134.0)) + 12 * clouds(height, width, 0.6, 2, rng)[..., None]
    return np.where(y[..., None] < 0.42, sky, np.where(y[..., None] < 0.75, sea, sand))


def skyline(rng: Rng, height: int, width: int) -> NDArray[np.float64]:
    """Raise roofs and trees into a clear sky: a third of it is nearly plain, but no backdrop."""
    y, x = np.mgrid[0:height, 0:width]
    haze = 4 * clouds(height, width, 2.0, 2, rng) + 60 * y / height
    sky = np.array((150, 186, 226.0)) + haze[..., None] * (1, 0.8, 0.4)
    roofs = 0.3 + 0.07 * np.cumsum(rng.normal(0, 0.35, 14))[x[0] // 44].clip(-2.5, 2.5)
    trees = 0.5 + 0.05 * clouds(height, width, 1.6, 2, rng)[0]
    houses = np.array((150, 120, 100.0)) + rng.normal(0, 22, (14, 1, 3))[x // 44, 0] + 8 * np.sin(y / 5)[..., None]
    leaves = np.array((52, 78, 40.0)) + 22 * clouds(height, width, 0.8, 3, rng)[..., None]
    below_roofs, below_trees = y / height > roofs[None], y / height > trees[None]
    return np.where(below_trees[..., None], leaves, np.where(below_roofs[..., None], houses, sky))


def bokeh(rng: Rng, height: int, width: int) -> NDArray[np.float64]:
    """Throw a garden out of focus: discs of light that overlap, every colour soft."""
    picture = np.full((height, width, 3), (40.0, 62, 34))
    y, x = np.mgrid[0:height, 0:width]
    for _ in range(90):
        disc = np.hypot(x - rng.uniform(0, width), y - rng.uniform(0, height)) < rng.uniform(14, 46)
        picture[disc] = 0.55 * picture[disc] + 0.45 * rng.uniform((40, 70, 20), (230, 220, 130))
    return ndimage.gaussian_filter(picture, (3, 3, 0))


PAINTERS = {"tiles": tiles, "bricks": bricks, "stripes": stripes, "foliage": foliage, "street": street,
            "pebbles": pebbles, "planks": planks, "shore": shore, "sand": fractal(0.5), "rock": fractal(1.0),
            "smoke": fractal(1.5), "sky": fractal(2.0), "skyline": skyline, "bokeh": bokeh}  # fmt: skip


def world() -> Iterator[tuple[str, Callable[[], Picture]]]:
    """Name every picture of the world, with what makes it."""
    for name, make in PAINTERS.items():
        for seed in (1, 2):
            yield f"{name}-{seed}", lambda make=make, seed=seed: painted(make, seed)
    for number, name in enumerate(("china", "flower")):
        yield name, lambda number=number: load_sample_images().images[number]
        for crop, cut in CROPS.items():
            yield f"{name}-{crop}", lambda number=number, cut=cut: load_sample_images().images[number][cut]
    for path in shipped():
        yield path.stem, lambda path=path: np.asarray(Image.open(path).convert("RGB"))


def shipped() -> list[Path]:
    """Find the photographs that lie in scikit-image, where it is installed; nothing is downloaded."""
    found = importlib.util.find_spec("skimage")
    if found is None or found.origin is None:
        return []
    folder = Path(found.origin).parent / "data"
    return [folder / name for name in SHIPPED if (folder / name).is_file()]
