"""Draw people and animals: heads, hair of one to three pixels, shirts, arms that enclose gaps, fur.

Each function draws into a `Canvas`; positions are hundredths of its width, and 120 of them are its height.
"""

from collections.abc import Sequence

import numpy as np
from canvas import Canvas, Plane, Strand, closed_curve, open_curve
from numpy.typing import NDArray

Rng = np.random.Generator
Colour = tuple[int, int, int]

HAIR: dict[str, Colour] = {
    "dark": (40, 28, 24),
    "blond": (204, 166, 108),
    "grey": (158, 154, 152),
    "red": (148, 68, 34),
}
SKINS: tuple[Colour, ...] = ((226, 176, 148), (196, 138, 106), (136, 90, 66))
WHITE: Colour = (243, 242, 240)


def portrait(
    canvas: Canvas,
    rng: Rng,
    hair: str = "dark",
    curly: bool = False,
    shirt: Colour = WHITE,
    jacket: Colour = (44, 84, 104),
) -> None:
    """Draw head and shoulders, hair flying."""
    tone, skin = HAIR[hair], SKINS[rng.integers(len(SKINS))]
    mane = hair_outline(rng)
    mass = canvas.blob(mane)
    canvas.strands(flying(canvas, mane, tone, curly, rng, 230))
    canvas.lay(mass, canvas.volume(mass, tone, 0.16))
    canvas.strands(combed(canvas, mane, tone, rng, 260), inside=mass)
    shoulders(canvas, skin, shirt, jacket)
    face(canvas, skin, tone)
    fringe(canvas, tone, rng)
    canvas.strands(flying(canvas, mane, tone, curly, rng, 60))


def hair_outline(rng: Rng) -> list[tuple[float, float]]:
    """Outline hair to the shoulders around a head at (50, 46), never twice the same."""
    right = [(50, 17), (62, 20), (70, 32), (72, 48), (75, 64), (73, 80), (64, 86)]
    left = [(100 - x, y) for x, y in right[:0:-1]]
    return [(x + rng.normal(0, 0.8), y + rng.normal(0, 0.8)) for x, y in [*right, (50, 80), *left]]


def tint(colour: Colour, rng: Rng, spread: float = 0.16) -> Colour:
    """Vary a colour as strands vary, in brightness more than in hue."""
    level = np.asarray(colour) * (1 + rng.normal(0, spread)) + rng.normal(0, 3, 3) + 4
    red, green, blue = (int(value) for value in level.clip(4, 250))
    return red, green, blue


def flying(
    canvas: Canvas, outline: Sequence[tuple[float, float]], tone: Colour, curly: bool, rng: Rng, count: int
) -> list[Strand]:
    """Let hairs of one to three pixels leave an outline, single or in locks, with gaps between them."""
    curve = closed_curve(outline)
    centre = curve.mean(axis=0)
    strands: list[Strand] = []
    while len(strands) < count:
        root = curve[rng.integers(len(curve))]
        out = (root - centre) / np.hypot(*(root - centre))
        if out[1] > 0.85:  # below the chin
            continue
        heading = out + np.array([0.35, 0.45]) + rng.normal(0, 0.25, 2)
        length = rng.gamma(4, 2.2)
        for _ in range(rng.integers(1, 6)):
            start = root - 3 * out + rng.normal(0, 0.7, 2)
            reach = length * rng.uniform(0.7, 1.2) * (heading + rng.normal(0, 0.1, 2))
            width = thinness(canvas) * float(rng.choice([1.0, 1.0, 1.25, 1.5, 2.0, 3.0]))
            strands.append(Strand(hair_path(start, reach, curly, rng), width, tint(tone, rng)))
    return strands


def thinness(canvas: Canvas) -> float:
    """Thin the hair of pictures that are too small to hold strands of a pixel."""
    return min(1.0, canvas.width / 250)


def hair_path(start: NDArray[np.float64], reach: NDArray[np.float64], curly: bool, rng: Rng) -> NDArray[np.float64]:
    """Bend a hair to one side; a curly one winds about its course."""
    t = np.linspace(0, 1, 40)[:, None]
    across = np.array([-reach[1], reach[0]])
    path = start + t * reach + rng.normal(0, 0.2) * t**2 * across
    if curly:
        turns = np.hypot(*reach) / rng.uniform(3, 5) * 2 * np.pi
        winding = np.sin(turns * t + rng.uniform(0, 6)) * across + 0.6 * np.cos(turns * t) * reach
        path += winding / np.hypot(*reach) * rng.uniform(0.6, 1.3) * np.minimum(1, 3 * t)
    return path


def combed(canvas: Canvas, outline: Sequence[tuple[float, float]], tone: Colour, rng: Rng, count: int) -> list[Strand]:
    """Follow the head with strands that catch the light: the texture of hair that covers."""
    points = np.asarray(outline)
    (left, top), (right, low) = points.min(axis=0), points.max(axis=0)
    middle = (left + right) / 2
    strands = []
    for _ in range(count):
        x = rng.uniform(left, right)
        course = [(middle + 0.3 * (x - middle), top), (x, top + 0.3 * (low - top)), (x + rng.normal(0, 2), low)]
        strands.append(
            Strand(open_curve(course), thinness(canvas) * float(rng.choice([1.0, 1.5, 2.0])), tint(tone, rng, 0.22))
        )
    return strands


def shoulders(canvas: Canvas, skin: Colour, shirt: Colour, jacket: Colour) -> None:
    """Draw neck, shirt and jacket down to the bottom edge."""
    neck = canvas.blob([(42, 66), (58, 66), (59, 84), (64, 92), (50, 98), (36, 92), (41, 84)])
    canvas.lay(neck, canvas.volume(neck, np.multiply(skin, 0.84)))
    torso = canvas.blob([(36, 90), (64, 90), (84, 98), (92, 122), (90, 140), (10, 140), (8, 122), (16, 98)])
    torso *= 1 - canvas.blob([(41, 84), (59, 84), (60, 92), (50, 97), (40, 92)])
    canvas.lay(torso, canvas.volume(torso, jacket))
    front = canvas.polygon([(39, 88), (44, 95), (50, 98), (56, 95), (61, 88), (63, 93), (52, 130), (48, 130), (37, 93)])
    canvas.lay(front * torso, canvas.volume(front, shirt, 0.06))
    canvas.keep(front * torso)


def face(canvas: Canvas, skin: Colour, brows: Colour, size: float = 1.0) -> None:
    """Draw a head around (50, 48) that smiles with white teeth."""

    def shape(*points: tuple[float, float]) -> Plane:
        return canvas.blob([(50 + size * (x - 50), 48 + size * (y - 48)) for x, y in points])

    def dot(x: float, y: float, rx: float, ry: float) -> Plane:
        return canvas.ellipse(50 + size * (x - 50), 48 + size * (y - 48), size * rx, size * ry)

    head = shape((50, 25), (61, 30), (65, 44), (63, 58), (57, 69), (50, 73), (43, 69), (37, 58), (35, 44), (39, 30))
    canvas.lay(head, canvas.volume(head, skin, 0.3, 9))
    for x in (43.5, 56.5):
        canvas.lay(dot(x, 46, 3, 1.5), (244, 242, 240))
        canvas.lay(dot(x, 46, 1.4, 1.5), (70, 52, 40))
        canvas.lay(dot(x + 0.5, 45.5, 0.4, 0.4), (255, 255, 255))
        canvas.lay(shape((x - 3.4, 42.4), (x, 41), (x + 3.4, 42.4), (x, 41.9)), np.multiply(brows, 0.8))
    canvas.lay(0.5 * shape((50, 47), (48.8, 54), (50.5, 55.4), (52, 54.4), (50, 54.4)), np.multiply(skin, 0.7))
    canvas.lay(shape((43, 61), (50, 62), (57, 61), (54, 66), (50, 67.4), (46, 66)), (176, 70, 74))
    teeth = shape((44.4, 61.8), (50, 62.7), (55.6, 61.8), (53, 64.6), (50, 65.2), (47, 64.6))
    canvas.lay(teeth, (248, 246, 243))
    canvas.keep(teeth)


def fringe(canvas: Canvas, tone: Colour, rng: Rng, size: float = 1.0) -> None:
    """Lay hair over the forehead of a head around (50, 48)."""
    hairline = [(36, 50), (33, 36), (40, 22), (50, 18), (61, 22), (67, 36), (65, 50), (61, 37), (55, 33), (46, 35),
                (40, 38)]  # fmt: skip
    outline = [(50 + size * (x - 50), 48 + size * (y - 48)) for x, y in hairline]
    cover = canvas.blob(outline)
    canvas.lay(cover, canvas.volume(cover, tone, 0.2))
    canvas.strands(combed(canvas, outline, tone, rng, 120), inside=cover)


def hands_on_hips(canvas: Canvas, rng: Rng, hair: str = "dark", jacket: Colour = (150, 52, 58)) -> None:
    """Draw a person to the hips; both arms enclose a gap."""
    skin, tone = SKINS[rng.integers(len(SKINS))], HAIR[hair]
    for side in (-1, 1):
        arm = canvas.stroke([(50 + side * x, y) for x, y in ((15, 52), (26, 68), (34, 84), (27, 94), (16, 102))], 8.5)
        canvas.lay(arm, canvas.volume(arm, jacket, 0.35, 3))
        hand = canvas.ellipse(50 + side * 15, 103, 5, 3.4)
        canvas.lay(hand, canvas.volume(hand, skin, 0.3, 2))
    torso = canvas.blob([(42, 44), (58, 44), (67, 50), (65, 74), (63, 92), (68, 118), (68, 140), (32, 140), (32, 118),
                         (37, 92), (35, 74), (33, 50)])  # fmt: skip
    canvas.lay(torso, canvas.volume(torso, jacket))
    neck = canvas.stroke([(50, 36), (50, 45)], 9)
    canvas.lay(neck, canvas.volume(neck, np.multiply(skin, 0.85), 0.3, 3))
    outline = [(50, 7), (60, 11), (62, 24), (60, 34), (50, 38), (40, 34), (38, 24), (40, 11)]
    canvas.strands(flying(canvas, outline, tone, False, rng, 60))
    head = canvas.blob(outline)
    canvas.lay(head, canvas.volume(head, tone, 0.25, 4))
    canvas.lay(canvas.ellipse(50, 26, 8, 11), canvas.volume(canvas.ellipse(50, 26, 8, 11), skin, 0.3, 5))
    for x in (46.5, 53.5):
        canvas.lay(canvas.ellipse(x, 25, 1.2, 0.8), (60, 44, 38))
    canvas.lay(canvas.stroke([(47, 31), (50, 32.2), (53, 31)], 0.9), (170, 80, 80))


def animal(canvas: Canvas, rng: Rng, coat: Colour = (150, 112, 76)) -> None:
    """Draw a sitting animal whose whole outline is fur."""
    body = [(50, 52), (66, 60), (76, 84), (78, 106), (64, 113), (36, 113), (22, 106), (24, 84), (34, 60)]
    head = [(50, 20), (62, 24), (69, 37), (64, 51), (50, 58), (36, 51), (31, 37), (38, 24)]
    for outline in (body, head):
        if outline is head:
            for side in (-1, 1):
                ear = [(50 + side * x, y) for x, y in ((6, 27), (15, 9), (19, 12), (19, 34), (12, 36))]
                furred(canvas, ear, coat, rng, 120, 2.0)
        furred(canvas, outline, coat, rng, 700, 4.5)
    for x in (43, 57):
        canvas.lay(canvas.ellipse(x, 37, 2.6, 2.8), (52, 38, 22))
        canvas.lay(canvas.ellipse(x + 0.8, 36.2, 0.8, 0.8), (252, 252, 250))
    canvas.lay(canvas.blob([(47, 44), (53, 44), (50, 48)]), (66, 42, 40))
    for side in (-1, 1):
        whisker = ((5, 47, 1), (18, 46, 2.5), (29, 49, 4))
        courses = [[(50 + side * x, y + k * slant) for x, y, slant in whisker] for k in range(3)]
        canvas.strands([Strand(open_curve(course), 1.25, (236, 232, 226)) for course in courses])


def furred(
    canvas: Canvas, outline: Sequence[tuple[float, float]], coat: Colour, rng: Rng, count: int, long: float
) -> None:
    """Draw a body and let short hair stand from its outline and lie on it."""
    cover = canvas.blob(outline)
    curve = closed_curve(outline)
    centre = curve.mean(axis=0)
    canvas.strands([coat_hair(curve[rng.integers(len(curve))], centre, coat, rng, long) for _ in range(count)])
    canvas.lay(cover, canvas.volume(cover, coat, 0.35, 6))
    lying = [
        coat_hair(centre + (curve[rng.integers(len(curve))] - centre) * rng.uniform(0.1, 0.95), centre, coat, rng, long)
        for _ in range(count)
    ]
    canvas.strands(lying, inside=cover)


def coat_hair(root: NDArray[np.float64], centre: NDArray[np.float64], coat: Colour, rng: Rng, long: float) -> Strand:
    """Grow one hair of a coat, away from the middle and down."""
    out = (root - centre) / max(1e-6, float(np.hypot(*(root - centre))))
    reach = rng.uniform(0.6, 1.3) * long * (out + np.array([0, 0.5]) + rng.normal(0, 0.25, 2))
    width = float(rng.choice([1.0, 1.25, 1.75, 2.25]))
    return Strand(hair_path(root - 0.35 * reach, reach, False, rng), width, tint(coat, rng, 0.2))
