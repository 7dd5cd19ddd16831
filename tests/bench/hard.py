"""Draw the compositions in which real photographs defeat a cut-out, and the dirt on their backdrops."""

import numpy as np
from canvas import Canvas, Strand, open_curve
from numpy.typing import NDArray
from people import HAIR, SKINS, combed, face, flying, fringe, hands_on_hips, portrait, shoulders, tint
from PIL import Image, ImageDraw

Rng = np.random.Generator


def close_crop(canvas: Canvas, rng: Rng, hair: str = "dark") -> None:
    """Crop a face so close that hair and shoulders cover two thirds of the border."""
    tone, skin = HAIR[hair], SKINS[rng.integers(len(SKINS))]
    mane = [(24, -12), (50, -16), (80, -10), (98, 20), (106, 55), (104, 90), (112, 130), (-12, 130), (-4, 90), (-6, 55),
            (4, 18)]  # fmt: skip
    mass = canvas.blob(mane)
    canvas.strands(flying(canvas, mane, tone, True, rng, 200))
    canvas.lay(mass, canvas.volume(mass, tone, 0.25, 9))
    canvas.strands(combed(canvas, mane, tone, rng, 500), inside=mass)
    shoulders(canvas, skin, (240, 240, 238), (90, 40, 60))
    face(canvas, skin, tone, 1.4)
    fringe(canvas, tone, rng, 1.4)


def in_pieces(canvas: Canvas, rng: Rng) -> None:
    """Stretch both arms to the sides: the backdrop falls into pieces that do not touch each other."""
    skin, tone = SKINS[rng.integers(len(SKINS))], HAIR["dark"]
    arms = canvas.stroke([(-8, 62), (20, 56), (50, 52), (80, 58), (108, 50)], 10)
    canvas.lay(arms, canvas.volume(arms, (200, 150, 40), 0.35, 4))
    torso = canvas.blob([(34, 50), (66, 50), (64, 90), (70, 140), (30, 140), (36, 90)])
    canvas.lay(torso, canvas.volume(torso, (200, 150, 40)))
    outline = [(50, -6), (64, 2), (66, 22), (62, 40), (38, 40), (34, 22), (36, 2)]
    hood = canvas.blob(outline)
    canvas.strands(flying(canvas, outline, tone, False, rng, 80))
    canvas.lay(hood, canvas.volume(hood, tone, 0.25, 4))
    head = canvas.ellipse(50, 25, 11, 15)
    canvas.lay(head, canvas.volume(head, skin, 0.3, 6))
    for x in (45.5, 54.5):
        canvas.lay(canvas.ellipse(x, 23, 1.4, 1), (50, 40, 36))


def three_sides(canvas: Canvas, rng: Rng) -> None:
    """Leave the frame left, right and at the bottom."""
    coat = canvas.blob([(30, 72), (50, 66), (70, 72), (112, 84), (120, 150), (-20, 150), (-12, 84)])
    portrait(canvas, rng, "red", True)
    canvas.lay(coat * (1 - canvas.blob([(38, 66), (62, 66), (60, 92), (50, 104), (40, 92)])),
               canvas.volume(coat, (58, 92, 62)))  # fmt: skip


def standing(canvas: Canvas, rng: Rng) -> None:
    """Stand on the bottom edge, small, with arms that enclose gaps."""
    hands_on_hips(canvas, rng, "blond", (40, 60, 120))


def dust(behind: NDArray[np.float64], rng: Rng, count: int = 60) -> NDArray[np.float64]:
    """Scatter dust, specks and hairs of one to four pixels over a backdrop, dark and light."""
    dirt = Canvas(behind.shape[1], behind.shape[0])
    for _ in range(count):
        x, y, r = rng.uniform(0, 100), rng.uniform(0, dirt.tall), rng.uniform(0.5, 2.2) / dirt.unit
        shade = rng.choice([40, 70, 235])
        dirt.lay(rng.uniform(0.5, 1) * spot(dirt, x, y, r), (shade,) * 3)
    for _ in range(6):
        x, y = rng.uniform(2, 98), rng.uniform(2, dirt.tall - 2)
        path = open_curve([(x, y), *((x + dx, y + dy) for dx, dy in rng.normal(0, 3, (2, 2)))])
        dirt.strands([Strand(path, 1.0, tint((90, 84, 80), rng))])
    return behind * (1 - dirt.alpha[..., None]) + dirt.light


def spot(canvas: Canvas, x: float, y: float, r: float) -> NDArray[np.float32]:
    """Mask a speck without drawing the whole fine grid."""
    mask = np.zeros((canvas.height, canvas.width), np.float32)
    px, py, side = round(x * canvas.unit), round(y * canvas.unit), int(r * canvas.unit) + 2
    rows, columns = (slice(max(0, c - side), c + side + 1) for c in (py, px))
    yy, xx = np.mgrid[rows, columns][:, : mask[rows, columns].shape[0], : mask[rows, columns].shape[1]]
    mask[rows, columns] = np.clip(r * canvas.unit + 0.5 - np.hypot(xx - px, yy - py), 0, 1)
    return mask


def pen_marks(behind: NDArray[np.float64], rng: Rng) -> NDArray[np.float64]:
    """Scribble on a backdrop with a blue pen and a pencil, as on a used sheet of paper, away from its middle."""
    paper = Image.new("RGBA", (behind.shape[1] * 2, behind.shape[0] * 2))
    draw, unit = ImageDraw.Draw(paper), behind.shape[1] * 2 / 100
    tall = behind.shape[0] / behind.shape[1] * 100
    for x, y, ink in ((10, 10, (30, 40, 150)), (86, 12, (90, 90, 92)), (9, tall - 12, (30, 40, 150))):
        way = np.array([x, y]) + np.cumsum(rng.normal(0, 2.2, (9, 2)), axis=0)
        course = open_curve(way, 90) * unit
        draw.line([(float(px), float(py)) for px, py in course], (*ink, 255), 4, joint="curve")
    drawn = np.asarray(paper.reduce(2), np.float64)
    cover = drawn[..., 3:] / 255
    return behind * (1 - 0.85 * cover) + 0.85 * cover * np.where(cover > 0, drawn[..., :3], 0)
