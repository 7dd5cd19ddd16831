"""The bench's pictures: what stands before what, photographed how, with the exact alpha of the subject.

`catalogue` names them all; nothing is drawn before it is asked for. A scene depends on its name and the draw alone.
"""

import io
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import hard
import numpy as np
import people
import things
from backdrops import backdrop, shadowed
from canvas import Canvas
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from world import world

Draw = Callable[..., None]
TALL, WIDE = (500, 600), (640, 480)
NATURAL = "natural"
BLUR = 0.45  # pixels: what a sharp lens and a sensor cell leave


class Scene(NamedTuple):
    """A picture as a camera stores it and, where there is one, the truth about its subject."""

    rgb: NDArray[np.uint8]
    """(H, W, 3): what a remover gets to see."""
    alpha: NDArray[np.float32] | None = None
    """(H, W), in [0, 1]."""
    colour: NDArray[np.float32] | None = None
    """(H, W, 3): the subject's own colours, 0..255."""
    behind: NDArray[np.float64] | None = None
    """(H, W, 3): the backdrop with its shadows and its dirt, 0..255."""
    pale: NDArray[np.bool_] | None = None
    """(H, W): patches of the subject that look like backdrop."""


class Shot(NamedTuple):
    """A scene to be drawn."""

    name: str
    family: str
    take: Callable[..., Scene]
    """Draws it; another ``draw``, a word, gives the same subject in other random shapes, lights and noise."""


def shoot(
    name: str,
    draw: Draw,
    kind: str,
    size: tuple[int, int] = TALL,
    *,
    dirt: str = "",
    shadow: float = 0.0,
    camera: bool = True,
    **drawn: Any,
) -> Scene:
    """Draw a subject before a backdrop and photograph it.

    Parameters
    ----------
    name : str
        Seeds whatever is random.
    draw : callable
        Draws the subject: ``draw(canvas, rng, **drawn)``.
    kind : str
        One of `backdrops.KINDS`.
    size : tuple of int
        Width and height in pixels.
    dirt : {"", "dust", "pen"}
        What lies on the backdrop.
    shadow : float
        Share of the light that the subject's shadow takes.
    camera : bool
        False stores the composite as it is: no lens, no noise, no JPEG.

    Returns
    -------
    Scene
        Shadow and dirt belong to ``behind``.
    """
    rng = np.random.default_rng(list(name.encode()))
    canvas = Canvas(*size)
    draw(canvas, rng, **drawn)
    if camera:
        canvas.blur(BLUR)
    behind = backdrop(kind, canvas.height, canvas.width, rng)
    if shadow:
        step = canvas.unit * np.array([rng.uniform(3, 7), rng.uniform(1, 3)])
        behind = shadowed(behind, canvas.alpha, (step[0], step[1]), canvas.unit * rng.uniform(1, 2.5), shadow)
    if dirt:
        behind = hard.dust(behind, rng) if dirt == "dust" else hard.pen_marks(behind, rng)
    clean = canvas.light + (1 - canvas.alpha[..., None]) * behind
    rgb = photographed(clean, rng) if camera else np.round(clean.clip(0, 255)).astype(np.uint8)
    return Scene(rgb, canvas.alpha, canvas.colour(), behind, canvas.pale)


def photographed(clean: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Add a sensor's noise, more of it where there is more light, and store as JPEG 4:2:0 of quality 75 to 95."""
    height, width, _ = clean.shape
    strength = rng.uniform(0.7, 3.0) * np.sqrt(0.35 + 0.65 * clean / 255)
    blotches = ndimage.gaussian_filter(rng.standard_normal((height, width, 3)), (0.8, 0.8, 0)) * 1.6
    noisy = clean + strength * (0.7 * rng.standard_normal((height, width, 1)) + 0.5 * blotches)
    stored = io.BytesIO()
    picture = Image.fromarray(np.round(noisy.clip(0, 255)).astype(np.uint8))
    picture.save(stored, "JPEG", quality=int(rng.integers(75, 96)), subsampling=2)
    return np.asarray(Image.open(stored))


def catalogue() -> list[Shot]:
    """Give every shot of the bench, family by family."""
    shots = [*_hair(), *_things(), *_gaps(), *_pale(), *_fur(), *_tables(), *_sizes(), *_hard()]
    natural = [(f"{NATURAL}/{name}", make) for name, make in world()]
    return shots + [Shot(name, NATURAL, lambda draw="", make=make: Scene(make())) for name, make in natural]


def quick(shots: list[Shot]) -> list[Shot]:
    """Pick every third shot of each family, the first among them."""
    families = dict.fromkeys(shot.family for shot in shots)
    return [shot for family in families for shot in [s for s in shots if s.family == family][::3]]


def _shot(family: str, subject: Draw, kind: str, *rest: Any, detail: str = "", **drawn: Any) -> Shot:
    name = "/".join(part for part in (family, subject.__name__.replace("_", "-"), detail, kind) if part)
    return Shot(name, family, lambda draw="": shoot(name + draw, subject, kind, *rest, **drawn))


def _hair() -> Iterator[Shot]:
    behind = iter(("graded", "green", "white", "mottled", "cream", "lights", "vignetted", "blue", "black", "flat") * 3)
    for hair in people.HAIR:
        for curly in (False, True):
            for kind in (next(behind), next(behind), next(behind)):
                detail = f"{hair}-{'curly' if curly else 'straight'}"
                yield _shot("hair", people.portrait, kind, detail=detail, hair=hair, curly=curly)


def _things() -> Iterator[Shot]:
    for draw, kind in ((things.bottle, "graded"), (things.bottle, "mottled"), (things.bottle, "black"),
                       (things.fruit, "vignetted"), (things.fruit, "white"), (things.fruit, "lights"),
                       (things.paper, "green"), (things.bottle, "cream")):  # fmt: skip
        yield _shot("smooth", draw, kind, WIDE)
    for kind, camera in (("white", False), ("flat", False), ("black", True), ("cream", True), ("blue", True)):
        colour = (226, 214, 120) if kind in ("black", "blue") else (22, 58, 138)
        yield _shot("text", things.logo, kind, WIDE, detail="" if camera else "lossless", camera=camera, colour=colour)
    for kind in ("graded", "black", "blue", "cream", "mottled"):
        yield _shot("glass", things.tumbler, kind, WIDE)


def _gaps() -> Iterator[Shot]:
    for kind in ("graded", "mottled", "green", "white"):
        yield _shot("gaps", people.hands_on_hips, kind)
    for draw in (things.mug, things.rings, things.scissors):
        for kind in ("vignetted", "cream", "lights", "blue" if draw is things.rings else "black"):
            yield _shot("gaps", draw, kind, WIDE)


def _pale() -> Iterator[Shot]:
    """Pose what has the backdrop's colour: shirts, teeth, badges, highlights, paper."""
    yield _shot("pale", people.portrait, "white", detail="shirt", jacket=(90, 40, 46))
    yield _shot("pale", people.portrait, "white", detail="white-jacket", jacket=(226, 228, 232), hair="red")
    yield _shot("pale", people.portrait, "cream", detail="shirt", shirt=(230, 218, 194), curly=True)
    yield _shot("pale", things.mug, "cream", WIDE, detail="badge", badge=(226, 214, 190))
    yield _shot("pale", things.mug, "white", WIDE, detail="badge", badge=(252, 252, 251))
    yield _shot("pale", things.mug, "flat", WIDE, detail="badge", badge=(178, 180, 182), colour=(120, 30, 40))
    yield _shot("pale", things.fruit, "white", WIDE, detail="highlights", colour=(60, 120, 60))
    yield _shot("pale", things.paper, "white", WIDE)
    yield _shot("pale", things.paper, "flat", WIDE)


def _fur() -> Iterator[Shot]:
    coats = {"brown": (150, 112, 76), "white": (208, 204, 196), "black": (44, 40, 40), "grey": (136, 136, 140)}
    worn = (("brown", "graded"), ("brown", "white"), ("white", "green"), ("white", "mottled"), ("black", "vignetted"),
            ("black", "cream"), ("grey", "blue"), ("grey", "black"))  # fmt: skip
    for coat, kind in worn:
        yield _shot("fur", people.animal, kind, detail=coat, coat=coats[coat])


def _tables() -> Iterator[Shot]:
    for kind in ("graded", "white", "cream", "vignetted", "lights"):
        yield _shot("shadow", things.bottle if kind in ("graded", "cream") else things.mug, kind, WIDE, shadow=0.28)
    for draw, kind in ((things.fruit, "flat"), (things.mug, "blue"), (things.bottle, "green"), (things.rings, "white")):
        yield _shot("shadow", draw, kind, WIDE, shadow=0.4)
    for draw, size in ((things.bottle, WIDE), (things.mug, WIDE), (things.fruit, WIDE), (people.animal, TALL),
                       (people.hands_on_hips, TALL)):  # fmt: skip
        yield _shot("two-part", draw, "table", size)


def _sizes() -> Iterator[Shot]:
    for hair, kind in (("dark", "graded"), ("blond", "mottled"), ("grey", "flat"), ("red", "white"), ("dark", "cream")):
        yield _shot("small", people.portrait, kind, (110, 133), detail=hair, hair=hair)
    yield _shot("large", people.portrait, "graded", (1600, 2000), hair="dark", curly=True)
    yield _shot("large", things.bottle, "vignetted", (2000, 1500))
    yield _shot("large", people.hands_on_hips, "white", (1500, 1800))


def _hard() -> Iterator[Shot]:
    """Pose what defeats a cut-out in real photographs; here, an unsure answer is as good as a right one."""
    for kind, hair in (("vignetted", "dark"), ("white", "dark"), ("cream", "red"), ("black", "blond")):
        yield _shot("hard", hard.close_crop, kind, detail=hair, hair=hair)
    for kind in ("graded", "cream", "green"):
        yield _shot("hard", hard.in_pieces, kind)
    for draw in (things.bottle, things.mug, things.fruit):
        yield _shot("hard", draw, "table", WIDE, detail="cast-shadow", shadow=0.55)
    for dirt in ("dust", "pen"):
        yield _shot("hard", things.mug, "white", WIDE, detail=dirt, dirt=dirt)
        yield _shot("hard", people.hands_on_hips, "flat", detail=dirt, dirt=dirt)
    for kind in ("white", "graded", "mottled"):
        yield _shot("hard", hard.standing, kind)
        yield _shot("hard", hard.three_sides, kind)
    for kind in ("white", "cream", "black"):
        yield _shot("hard", things.lace, kind, WIDE)
    for draw in (people.portrait, people.hands_on_hips):
        yield _shot("hard", draw, "graded", detail="cast-shadow", shadow=0.35)
    for draw, size in ((things.bottle, WIDE), (things.mug, WIDE), (things.fruit, WIDE), (people.animal, TALL)):
        yield _shot("hard", draw, "low-table", size)
