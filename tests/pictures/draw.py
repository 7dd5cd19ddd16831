"""Draw the project's own pictures, with the exact alpha of what is in them.

``python tests/pictures/draw.py`` writes them beside this file; the tests also call the functions, which
return a `Scene`. Shapes are drawn three times as large and averaged, so that alpha is soft and exact.
"""

import io
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

FINE = 3
Point = tuple[float, float]
Colour = tuple[int, int, int]


class Scene(NamedTuple):
    """A picture as a camera would store it, and the truth about its subject."""

    rgb: NDArray[np.uint8]
    """(H, W, 3): what a remover gets to see."""
    truth: NDArray[np.uint8]
    """(H, W, 4): the subject, straight alpha."""
    file: bytes
    """The picture as it lies in its file."""


class Canvas:
    """A subject that grows layer by layer; lengths are pixels of the finished picture."""

    def __init__(self, width: int, height: int) -> None:
        self.size = (width * FINE, height * FINE)
        self.colour = Image.new("RGB", self.size)
        self.alpha = Image.new("L", self.size)

    def mask(self, paint: Callable[[ImageDraw.ImageDraw], None]) -> Image.Image:
        """Draw white on black; ``paint`` gets a drawing whose unit is a fine pixel."""
        mask = Image.new("L", self.size)
        paint(ImageDraw.Draw(mask))
        return mask

    def lay(self, mask: Image.Image, colour: Colour | Image.Image, inside: Image.Image | None = None) -> None:
        """Paint a mask's area, cut to another mask where one is given; the subject grows by it."""
        if inside is not None:
            mask = ImageChops.darker(mask, inside)
        if not (place := mask.getbbox()):
            return
        part = mask.crop(place)  # a hair is a small part of the canvas, and hundreds are laid
        self.colour.paste(colour if isinstance(colour, tuple) else colour.crop(place), place, part)
        self.alpha.paste(ImageChops.lighter(self.alpha.crop(place), part), place)

    def shape(self, points: Sequence[Point]) -> Image.Image:
        """Mask a closed smooth curve through points."""
        return self.mask(lambda draw: draw.polygon(fine(closed_curve(points)), 255))

    def ellipse(self, x: float, y: float, rx: float, ry: float) -> Image.Image:
        """Mask an ellipse by its centre and half axes."""
        return self.mask(lambda draw: draw.ellipse(box(x, y, rx, ry), 255))

    def stroke(self, points: Sequence[Point], width: float) -> Image.Image:
        """Mask a thick smooth line with round ends."""
        return self.mask(lambda draw: thick_line(draw, open_curve(points), width))

    def finish(self) -> NDArray[np.uint8]:
        """Average the fine pixels: straight RGBA (H, W, 4)."""
        alpha = cells(np.asarray(self.alpha, np.float64)[..., None] / 255)
        lit = cells(np.asarray(self.colour, np.float64) * (np.asarray(self.alpha)[..., None] / 255))
        colour = np.where(alpha > 0, lit / np.maximum(alpha, 1e-6), 0)
        return np.round(np.concatenate([colour, alpha * 255], axis=-1)).astype(np.uint8)


def portrait() -> Scene:
    """Draw a woman with wind in her hair, a white shirt and a hand on her hip, before a graded grey wall."""
    rng = np.random.default_rng(7)
    canvas = Canvas(600, 720)
    skin, shade, hair = (226, 172, 142), (196, 134, 108), (58, 36, 30)
    back = [(212, 200), (226, 118), (300, 84), (378, 116), (392, 204), (412, 300), (402, 372), (352, 402),
            (300, 380), (246, 404), (196, 376), (190, 300)]  # fmt: skip
    flying_hair(canvas, back, (hair, (84, 54, 42), (104, 68, 50), (44, 27, 24)), rng)
    canvas.lay(canvas.shape(back), hair)
    neck = [(262, 330), (338, 330), (344, 400), (390, 440), (300, 500), (210, 440), (256, 400)]
    canvas.lay(canvas.shape(neck), shade)
    jacket(canvas)
    head = [(224, 210), (234, 142), (300, 112), (366, 142), (376, 210), (366, 282), (336, 332), (300, 350),
            (264, 332), (234, 282)]  # fmt: skip
    canvas.lay(canvas.shape(head), lit(canvas, skin, (254, 208, 178), shade))
    face(canvas, hair)
    fringe = [(218, 228), (206, 160), (240, 102), (304, 84), (368, 106), (394, 168), (384, 236), (366, 184),
              (340, 152), (298, 168), (258, 160), (234, 186)]  # fmt: skip
    canvas.lay(canvas.shape(fringe), hair)
    shine(canvas, fringe, rng)
    truth = canvas.finish()
    y, x = np.mgrid[0:720, 0:600] / 720
    wall = 202 - 46 * y - 70 * ((x - 0.42) ** 2 + (y - 0.4) ** 2)
    return photographed(truth, wall[..., None] + np.array([0, 1, 3]), 1.6, "JPEG", rng)


def mug() -> Scene:
    """Draw a red mug with a ring handle on white."""
    rng = np.random.default_rng(11)
    canvas = Canvas(420, 360)
    handle = canvas.mask(lambda draw: draw.ellipse(box(290, 190, 62, 70), 255))
    inner = np.asarray(canvas.mask(lambda draw: draw.ellipse(box(288, 190, 38, 46), 255)))
    canvas.lay(Image.fromarray(np.where(inner > 0, 0, np.asarray(handle)).astype(np.uint8)), (168, 34, 40))
    x = np.linspace(0, 1, canvas.size[0])
    light = 0.62 + 0.5 * np.exp(-(((x - 0.34) / 0.1) ** 2)) + 0.12 * np.exp(-(((x - 0.6) / 0.06) ** 2))
    rows = np.clip(light[None, :, None] * np.array([196, 38, 46]), 0, 255).astype(np.uint8)
    glaze = Image.fromarray(rows.repeat(canvas.size[1], axis=0))
    canvas.lay(canvas.mask(lambda draw: draw.polygon(fine([(91, 84), (283, 84), (266, 306), (108, 306)]), 255)), glaze)
    canvas.lay(canvas.ellipse(187, 304, 79, 15), glaze)
    canvas.lay(canvas.ellipse(187, 84, 96, 19), (226, 70, 74))
    canvas.lay(canvas.ellipse(187, 86, 86, 13), (70, 38, 26))
    canvas.lay(canvas.ellipse(187, 208, 34, 34), (250, 246, 240))
    return photographed(canvas.finish(), np.full((360, 420, 3), 249.0), 0.8, "JPEG", rng)


def logo() -> Scene:
    """Draw the letters b and g as rings and bars, a drop and hairlines, flat colours on a flat colour."""
    canvas = Canvas(360, 220)
    blue, orange = (24, 62, 140), (240, 128, 24)
    for x, y in ((110, 130), (235, 110)):
        ring = np.asarray(canvas.ellipse(x, y, 48, 48)).copy()
        ring[np.asarray(canvas.ellipse(x, y, 26, 26)) > 0] = 0
        canvas.lay(Image.fromarray(ring), blue)
    canvas.lay(canvas.stroke([(72, 30), (72, 166)], 22), blue)
    canvas.lay(canvas.stroke([(273, 70), (273, 160), (262, 188), (234, 196), (204, 186)], 22), blue)
    canvas.lay(canvas.shape([(322, 40), (338, 72), (322, 88), (306, 72)]), orange)
    for y, width in ((208, 1.0), (213, 2.0)):
        canvas.lay(canvas.stroke([(40, y), (330, y)], width), orange)
    return photographed(canvas.finish(), np.full((220, 360, 3), (236.0, 238, 242)), 0, "PNG", np.random.default_rng(0))


def photographed(
    truth: NDArray[np.uint8], behind: NDArray[np.float64], noise: float, kind: str, rng: np.random.Generator
) -> Scene:
    """Put a subject before a backdrop (H, W, 3), add sensor noise, and store it as a file of a kind."""
    alpha = truth[..., 3:] / 255
    rgb = alpha * truth[..., :3] + (1 - alpha) * behind
    rgb += rng.standard_normal(alpha.shape) * noise * 0.8 + rng.standard_normal(rgb.shape) * noise * 0.6
    data = io.BytesIO()
    Image.fromarray(np.round(rgb.clip(0, 255)).astype(np.uint8)).save(data, kind, quality=90)
    return Scene(np.asarray(Image.open(data)), truth, data.getvalue())


def jacket(canvas: Canvas) -> None:
    """Draw a teal jacket over a white shirt; the left arm is bent so that it encloses a gap."""
    teal, dark, white = (38, 104, 112), (26, 76, 84), (240, 240, 238)
    torso = [(214, 424), (262, 404), (300, 412), (338, 404), (386, 424), (428, 462), (424, 600), (416, 760),
             (190, 760), (184, 600), (172, 462)]  # fmt: skip
    cloth = lit(canvas, teal, (52, 128, 134), dark)
    canvas.lay(canvas.stroke([(402, 470), (440, 560), (446, 660), (440, 760)], 66), cloth)
    canvas.lay(canvas.stroke([(198, 466), (136, 540), (98, 612), (110, 648), (150, 668), (214, 690)], 56), cloth)
    canvas.lay(canvas.ellipse(222, 690, 30, 24), (220, 164, 134))
    body = canvas.shape(torso)
    canvas.lay(body, cloth)
    canvas.lay(canvas.shape([(262, 408), (300, 424), (338, 408), (342, 470), (303, 596), (260, 470)]), white, body)
    for side in (-1, 1):
        lapel = [(302 + side * 42, 412), (302 + side * 42, 476), (302 + side * 26, 548), (303, 622), (305, 719)]
        canvas.lay(canvas.stroke(lapel, 8), dark, body)
    canvas.lay(canvas.shape([(256, 404), (300, 452), (276, 480), (246, 424)]), (252, 252, 250))
    canvas.lay(canvas.shape([(344, 404), (302, 452), (326, 480), (354, 424)]), (226, 228, 230))
    for y in (500, 536, 572):
        canvas.lay(canvas.ellipse(303, y, 4, 4), (198, 202, 206))
    canvas.lay(canvas.ellipse(222, 690, 30, 22), (226, 172, 142))


def face(canvas: Canvas, hair: Colour) -> None:
    """Eyes, brows, nose, cheeks and a smile with teeth."""
    for side in (-1, 1):
        x = 300 + side * 33
        canvas.lay(blurred(canvas.ellipse(300 + side * 44, 268, 20, 14), 6, 0.35), (222, 120, 108))
        canvas.lay(canvas.shape([(x - 17, 221), (x, 211), (x + 17, 221), (x, 229)]), (246, 244, 242))
        canvas.lay(canvas.ellipse(x, 220, 8, 8.5), (86, 60, 40))
        canvas.lay(canvas.ellipse(x, 220, 4, 4.5), (20, 14, 14))
        canvas.lay(canvas.ellipse(x + 3, 217, 2, 2), (255, 255, 255))
        canvas.lay(canvas.stroke([(x - 18, 221), (x, 210), (x + 18, 221)], 3), (40, 24, 22))
        canvas.lay(canvas.stroke([(x - 20, 198), (x, 190), (x + 20, 197)], 5), hair)
    canvas.lay(blurred(canvas.stroke([(300, 224), (293, 258), (300, 266), (309, 263)], 3), 1, 0.7), (190, 126, 102))
    canvas.lay(canvas.shape([(268, 292), (300, 298), (332, 292), (318, 314), (300, 320), (282, 314)]), (178, 66, 70))
    canvas.lay(canvas.shape([(274, 295), (300, 300), (326, 295), (314, 307), (300, 310), (286, 307)]), (248, 246, 242))


def flying_hair(canvas: Canvas, outline: Sequence[Point], colours: Sequence[Colour], rng: np.random.Generator) -> None:
    """Let the wind lift locks off an outline, each with hairs of half a pixel to three pixels around it."""
    curve = np.array(closed_curve(outline))
    for _ in range(34):
        x, y = curve[rng.integers(len(curve))]
        away = np.array([x - 300, y - 250]) / np.hypot(x - 300, y - 250)
        heading = 0.45 * away + np.array([0.75, 0.3]) + rng.normal(0, 0.1, 2)
        length, curl = rng.uniform(36, 84), rng.uniform(-0.35, 0.25)
        for hair in range(5):
            root = np.array([x, y]) - 14 * away + rng.normal(0, 3, 2)
            reach = length * rng.uniform(0.75, 1.15) * (heading + rng.normal(0, 0.07, 2))
            side = curl * np.array([-reach[1], reach[0]])
            path = [root, root + 0.4 * reach - side * 0.5, root + 0.75 * reach - side * 0.2, root + reach + side * 0.6]
            width = 3.0 if hair == 0 else rng.choice([0.6, 0.9, 1.2, 1.8])
            canvas.lay(canvas.stroke([(px, py) for px, py in path], width), colours[rng.integers(len(colours))])


def shine(canvas: Canvas, outline: Sequence[Point], rng: np.random.Generator) -> None:
    """Light on the hair: thin lighter lines that follow the head."""
    inside = canvas.shape(outline)
    for _ in range(46):
        x, top = rng.uniform(212, 388), rng.uniform(96, 130)
        path = [(300 + (x - 300) * 0.55, top), (x, top + 50), (300 + (x - 300) * 1.15, top + 120)]
        tone = int(rng.integers(0, 46))
        canvas.lay(canvas.stroke(path, rng.uniform(0.7, 2)), (64 + tone, 40 + tone * 2 // 3, 32 + tone // 2), inside)


def lit(canvas: Canvas, colour: Colour, light: Colour, dark: Colour) -> Image.Image:
    """Shade a colour: light from the upper left, dark to the lower right."""
    x, y = (np.linspace(-1, 1, side) for side in canvas.size)
    fall = np.clip(1.6 * x + 0.5 * y[:, None] + 0.25, -1, 1)
    planes = [
        (middle + np.where(fall > 0, low - middle, middle - high) * fall).astype(np.uint8)
        for low, middle, high in zip(dark, colour, light, strict=True)
    ]
    return Image.merge("RGB", [Image.fromarray(plane) for plane in planes])


def blurred(mask: Image.Image, radius: float, strength: float) -> Image.Image:
    """Soften a mask and make it fainter."""
    return mask.filter(ImageFilter.GaussianBlur(radius * FINE)).point(lambda level: int(level * strength))


def thick_line(draw: ImageDraw.ImageDraw, points: Sequence[Point], width: float) -> None:
    """Draw a line as overlapping discs, so that its ends and joints are round."""
    for (x0, y0), (x1, y1) in pairwise(points):
        steps = max(1, int(np.hypot(x1 - x0, y1 - y0) * FINE))
        for t in np.linspace(0, 1, steps + 1):
            draw.ellipse(box(x0 + (x1 - x0) * t, y0 + (y1 - y0) * t, width / 2, width / 2), 255)


def closed_curve(points: Sequence[Point]) -> list[Point]:
    """Catmull-Rom spline through points and back to the first."""
    return spline([points[-1], *points, points[0], points[1]])


def open_curve(points: Sequence[Point]) -> list[Point]:
    """Catmull-Rom spline through points."""
    return spline([points[0], *points, points[-1]])


def spline(points: Sequence[Point]) -> list[Point]:
    """Sample a Catmull-Rom spline from the second to the last point but one."""
    p = np.array(points, float)
    t = np.linspace(0, 1, 12, endpoint=False)[:, None]
    parts = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(p, p[1:], p[2:], p[3:], strict=False)
    ]
    return [(float(x), float(y)) for x, y in np.concatenate([*parts, p[-2:-1]])]


def fine(points: Iterable[Point]) -> list[Point]:
    """From pixels to fine pixels."""
    return [(x * FINE, y * FINE) for x, y in points]


def box(x: float, y: float, rx: float, ry: float) -> tuple[float, float, float, float]:
    """Bounding box of an ellipse, in fine pixels."""
    return ((x - rx) * FINE, (y - ry) * FINE, (x + rx) * FINE, (y + ry) * FINE)


def cells(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average squares of fine pixels."""
    height, width, channels = plane.shape
    return plane.reshape(height // FINE, FINE, width // FINE, FINE, channels).mean(axis=(1, 3))


SCENES: dict[str, Callable[[], Scene]] = {"portrait.jpg": portrait, "mug.jpg": mug, "logo.png": logo}

if __name__ == "__main__":
    for name, draw_scene in SCENES.items():
        (Path(__file__).parent / name).write_bytes(draw_scene().file)
