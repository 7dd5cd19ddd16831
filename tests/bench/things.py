"""Draw things: bottles, mugs with handles, rings, letters, glass, lace.

Each function draws into a `Canvas`; positions are hundredths of its width, and 75 of them are its height.
"""

import numpy as np
from canvas import Canvas, Strand, open_curve
from PIL import ImageDraw, ImageFont

Rng = np.random.Generator
Colour = tuple[int, int, int]


def bottle(canvas: Canvas, rng: Rng, colour: Colour = (36, 92, 70), x: float = 50) -> None:
    """Draw a bottle with a label and a highlight; its foot is at 68."""
    half = [(3.2, 7), (3.2, 20), (4.5, 26), (10, 33), (11, 40), (11, 64), (10, 68)]
    body = canvas.polygon([(x + w, y) for w, y in half] + [(x - w, y) for w, y in half[::-1]])
    canvas.lay(body, canvas.volume(body, colour, 0.45, 5))
    canvas.lay(canvas.polygon([(x - 3.7, 5), (x + 3.7, 5), (x + 3.7, 10), (x - 3.7, 10)]), (170, 40, 44))
    label = canvas.polygon([(x - 11, 42), (x + 11, 42), (x + 11, 58), (x - 11, 58)])
    canvas.lay(label, canvas.volume(body, (234, 222, 190), 0.25, 5))
    lettering(canvas, "No 8", (x - 8, 46), 6.5, (60, 40, 36))
    canvas.lay(0.75 * canvas.stroke([(x - 8, 36), (x - 8.2, 62)], 1.3), (255, 255, 255))


def fruit(canvas: Canvas, rng: Rng, colour: Colour = (206, 64, 44)) -> None:
    """Draw three glossy balls whose highlights clip, one before the other."""
    for x, y, r in ((34, 46, 15), (64, 48, 17), (49, 54, 13)):
        ball = canvas.ellipse(x, y, r, r)
        shade = np.multiply(colour, rng.uniform(0.75, 1.1))
        canvas.lay(ball, canvas.volume(ball, shade, 0.45, r * 0.6))
        gloss = canvas.ellipse(x - 0.38 * r, y - 0.42 * r, 0.24 * r, 0.17 * r)
        canvas.lay(gloss, (255, 255, 254))
        canvas.keep(gloss)


def mug(canvas: Canvas, rng: Rng, colour: Colour = (40, 66, 120), badge: Colour | None = None) -> None:
    """Draw a mug; its handle encloses a gap, and its badge may have the backdrop's colour."""
    handle = canvas.ellipse(66, 40, 13, 15) * (1 - canvas.ellipse(65.5, 40, 8, 10))
    canvas.lay(handle, canvas.volume(handle, colour, 0.4, 2))
    body = canvas.polygon([(28, 18), (64, 18), (62, 63), (30, 63)])
    body = np.maximum(body, canvas.ellipse(46, 63, 16, 3))
    canvas.lay(body, canvas.volume(body, colour, 0.4, 7))
    canvas.lay(canvas.ellipse(46, 18, 18, 4), np.multiply(colour, 1.2).clip(0, 255))
    canvas.lay(canvas.ellipse(46, 18.4, 16, 3), (58, 36, 24))
    if badge is not None:
        mark = canvas.ellipse(44, 42, 9, 9)
        canvas.lay(mark, canvas.volume(body, badge, 0.1, 7))
        canvas.keep(mark)
        lettering(canvas, "G", (40.6, 36), 10, np.multiply(colour, 0.8))


def rings(canvas: Canvas, rng: Rng, colour: Colour = (196, 152, 52)) -> None:
    """Link rings to a chain; each encloses a gap."""
    for x, y, r, wide in ((22, 36, 14, 3.4), (44, 42, 16, 2.6), (70, 36, 19, 4.2)):
        ring = canvas.ellipse(x, y, r, r) * (1 - canvas.ellipse(x, y, r - wide, r - wide))
        canvas.lay(ring, canvas.volume(ring, colour, 0.5, 1.6))


def scissors(canvas: Canvas, rng: Rng) -> None:
    """Open a pair of scissors: two handles with gaps, and a gap between the blades that is open to the border."""
    for side in (-1, 1):
        blade = canvas.polygon([(48, 40 + side * 2), (96, 38 + side * 13), (92, 38 + side * 15), (46, 40 - side * 3)])
        canvas.lay(blade, canvas.volume(blade, (168, 172, 178), 0.5, 2))
        arm = canvas.stroke([(50, 40), (38, 40 - side * 8), (32, 40 - side * 12)], 4)
        canvas.lay(arm, canvas.volume(arm, (190, 38, 36), 0.4, 2))
        bow = canvas.ellipse(21, 40 - side * 17, 13, 9) * (1 - canvas.ellipse(21, 40 - side * 17, 9, 5.5))
        canvas.lay(bow, canvas.volume(bow, (190, 38, 36), 0.4, 2))
    canvas.lay(canvas.ellipse(50, 40, 1.8, 1.8), (90, 92, 96))


def logo(canvas: Canvas, rng: Rng, colour: Colour = (22, 58, 138)) -> None:
    """Set flat letters, a drop and hairlines; the letters enclose gaps."""
    lettering(canvas, "bagpod", (8, 16), 22, colour)
    lettering(canvas, "R&D 0698 @ studio", (9, 48), 8.5, (226, 112, 20))
    canvas.lay(canvas.blob([(91, 8), (95, 16), (91, 21), (87, 16)]), (226, 112, 20))
    for y, pixels in ((62, 1.0), (65, 2.0), (68, 3.0)):
        canvas.strands([Strand(open_curve([(9, y), (92, y)], 4), pixels, colour)])


def lettering(canvas: Canvas, text: str, place: tuple[float, float], size: float, colour: object) -> None:
    """Write text with Pillow's own font; ``place`` is the upper left corner and ``size`` the height."""
    font = ImageFont.load_default(size * canvas.unit * canvas.fine)

    def paint(draw: ImageDraw.ImageDraw) -> None:
        draw.text(canvas.at([place])[0], text, 255, font)

    canvas.lay(canvas.mask(paint), colour)


def tumbler(canvas: Canvas, rng: Rng, colour: Colour = (150, 190, 196)) -> None:
    """Draw a glass: walls that show the backdrop through, a heavy foot, a rim, highlights."""
    wall = canvas.polygon([(32, 10), (68, 10), (64, 66), (36, 66)])
    canvas.lay(0.55 * wall, canvas.volume(wall, colour, 0.4, 6))
    water = canvas.polygon([(34, 34), (66, 34), (64, 62), (36, 62)])
    canvas.lay(0.35 * water, canvas.volume(wall, (70, 120, 140), 0.4, 6))
    foot = canvas.polygon([(35.6, 60), (64.4, 60), (64, 67), (36, 67)])
    canvas.lay(0.8 * foot, canvas.volume(foot, (110, 150, 156), 0.5, 2))
    rim = canvas.ellipse(50, 10, 18, 3.4) * (1 - canvas.ellipse(50, 10, 17.2, 2.7))
    canvas.lay(0.9 * rim, (226, 238, 240))
    for side, strong in ((-1, 0.85), (1, 0.5)):
        canvas.lay(strong * canvas.stroke([(50 + side * 15, 14), (50 + side * 12.6, 58)], 1.2), (250, 254, 255))


def lace(canvas: Canvas, rng: Rng, colour: Colour = (238, 234, 226)) -> None:
    """Draw a doily of near-white thread: rings of loops around an opaque middle."""
    middle = (50.0, 37.5)
    heart = canvas.ellipse(*middle, 9, 9)
    canvas.lay(heart, canvas.volume(heart, colour, 0.12, 3))
    turn = np.linspace(0, 2 * np.pi, 721)
    threads = []
    for k, r in enumerate((11, 16, 21, 26, 30)):
        petals = 12 + 6 * k
        for phase in (0.0, np.pi):
            loop = r + 3.2 * np.sin(petals * turn + phase)
            shade = tuple(int(v * (0.94 + 0.03 * (phase > 0))) for v in colour)
            path = np.column_stack([middle[0] + loop * np.cos(turn), middle[1] + loop * np.sin(turn)])
            threads.append(Strand(path, 3.0, shade))
    canvas.strands(threads)


def paper(canvas: Canvas, rng: Rng) -> None:
    """Draw a written card of pale paper, near the colour of a white backdrop."""
    card = canvas.polygon([(20, 12), (80, 14), (78, 64), (21, 62)])
    canvas.lay(card, canvas.volume(card, (224, 222, 216), 0.05, 8))
    canvas.keep(card)
    for y in (24, 31, 38):
        canvas.lay(canvas.stroke([(28, y), (28 + rng.uniform(24, 42), y)], 1.4), (90, 92, 100))
    canvas.lay(canvas.ellipse(68, 52, 5, 5), (190, 44, 40))
