"""One small file of every kind that is read, drawn when it is asked for, and ways to break it."""

import io
import random
import struct
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec

import numpy as np
from embedding import (
    EXIF_UUID,
    XMP_UUID,
    bmp_v5,
    box,
    gif_profile,
    gif_with,
    gif_xmp,
    jp2_profile,
    jp2_resolution,
    jp2_with,
)
from isal import isal_zlib
from PIL import Image, ImageCms
from scenes import disc, png_chunk
from tiffs import tiff

from bgwatch.reading.decoders import formats
from bgwatch.writing.animate import Frame, animated
from bgwatch.writing.png import SIGNATURE, encode

WIDTH, HEIGHT = 37, 29
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="1" tiff:Make="bgwatch"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif(orientation: int | None = None) -> Image.Exif:
    """EXIF with a word, a time and a place."""
    made = Image.Exif()
    made[0x010E] = "a disc"
    made.get_ifd(0x8769)[0x9003] = "2026:01:02 03:04:05"
    made.get_ifd(0x8825)[1] = "N"
    if orientation:
        made[0x0112] = orientation
    return made


def colours() -> Image.Image:
    """A disc, RGB."""
    return disc(WIDTH, HEIGHT)


def in_mode(mode: str) -> Image.Image:
    """The same disc in another mode; alpha rises from left to right."""
    rgb = colours()
    if mode == "P":
        return rgb.quantize(16, dither=Image.Dither.NONE)
    if mode == "LAB":
        lab = ImageCms.createProfile("LAB")
        found = ImageCms.profileToProfile(rgb, ImageCms.createProfile("sRGB"), lab, outputMode="LAB")
        assert found
        return found
    image = rgb.convert(mode)
    if mode in ("LA", "RGBA"):
        image.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))))
    return image


def deep(mode: str) -> np.ndarray:
    """The same with 16 bits a channel, shape (H, W, C)."""
    eight = np.atleast_3d(np.asarray(in_mode(mode)))
    return eight.astype(np.uint16) * 256 + np.arange(WIDTH, dtype=np.uint16)[None, :, None]


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    """Encode by Pillow."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def moving(kind: str, count: int = 3, **options: object) -> bytes:
    """An animation, or a file of several pages."""
    frames = [disc(WIDTH, HEIGHT, seed) for seed in range(count)]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)


def bmp_with_alpha() -> bytes:
    """A 32-bit BMP with a mask for alpha: BITMAPV4HEADER, BI_BITFIELDS."""
    pixels = np.asarray(in_mode("RGBA"))[::-1, :, [2, 1, 0, 3]].tobytes()
    masks = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    info = struct.pack("<IiiHHIIiiII", 108, WIDTH, HEIGHT, 1, 32, 3, len(pixels), 2835, 2835, 0, 0)
    info += masks + b"BGRs" + bytes(48)
    return b"BM" + struct.pack("<IHHI", 14 + len(info) + len(pixels), 0, 0, 14 + len(info)) + info + pixels


TAGS = {"icc_profile": SRGB, "exif": exif(), "xmp": XMP, "dpi": (300, 300)}
MAKERS: dict[str, Callable[[], bytes]] = {
    "rgb.jpg": lambda: saved(colours(), "JPEG", quality=90, **TAGS),
    "grey.jpg": lambda: saved(in_mode("L"), "JPEG"),
    "progressive.jpg": lambda: saved(colours(), "JPEG", progressive=True),
    "cmyk.jpg": lambda: saved(in_mode("CMYK"), "JPEG"),
    "several.jpg": lambda: moving("MPO", 2),
    **{f"{mode}.png": lambda mode=mode: saved(in_mode(mode), "PNG") for mode in ("1", "L", "LA", "P", "RGB", "RGBA")},
    "tags.png": lambda: encode(np.asarray(colours()), {**TAGS, "exif": exif().tobytes()}),
    "key.png": lambda: saved(in_mode("P"), "PNG", transparency=bytes(range(0, 256, 16))),
    **{f"deep-{mode}.png": lambda mode=mode: encode(deep(mode), {}) for mode in ("LA", "RGB", "RGBA")},
    "deep-L.png": lambda: encode(deep("L")[..., 0], {}),
    "moving.png": lambda: moving("PNG", duration=40, loop=2),
    "deep-moving.png": lambda: b"".join(animated(Frame(deep("RGB"), {}, 40.0, 2), [Frame(deep("RGB"), {}, 40.0, 2)])),
    "rgb.webp": lambda: saved(colours(), "WEBP", icc_profile=SRGB, exif=exif(), xmp=XMP),
    "rgba.webp": lambda: saved(in_mode("RGBA"), "WEBP", lossless=True),
    "moving.webp": lambda: moving("WEBP", duration=40, loop=2),
    "rgb.tif": lambda: saved(colours(), "TIFF", **TAGS),
    **{
        f"{kind}.tif": lambda kind=kind: saved(colours(), "TIFF", compression=kind)
        for kind in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
    },
    "fax.tif": lambda: saved(in_mode("1"), "TIFF", compression="group4"),
    "cmyk.tif": lambda: saved(in_mode("CMYK"), "TIFF"),
    "lab.tif": lambda: saved(in_mode("LAB"), "TIFF"),
    "palette.tif": lambda: saved(in_mode("P"), "TIFF"),
    "multiplied.tif": lambda: tiff(np.asarray(in_mode("RGBA")), 2, extra=1),
    "tiles.tif": lambda: tiff(np.asarray(colours()), 2, tile=16, compression=8, order=">"),
    "deep.tif": lambda: tiff(deep("RGBA"), 2, extra=2, rows=7, compression=8, predictor=2),
    "deep-planes.tif": lambda: tiff(deep("RGB"), 2, planar=True, tile=16, order=">"),
    "deep-grey.tif": lambda: tiff(deep("LA"), 1, extra=1),
    "icc-lab.tif": lambda: tiff(np.asarray(colours()), 9, compression=8, predictor=2),
    "pages.tif": lambda: moving("TIFF"),
    "rgb.bmp": lambda: saved(colours(), "BMP", dpi=(300, 300)),
    "palette.bmp": lambda: saved(in_mode("P"), "BMP"),
    "rgba.bmp": bmp_with_alpha,
    "palette.gif": lambda: saved(in_mode("P"), "GIF", transparency=3),
    "moving.gif": lambda: moving("GIF", duration=40, loop=2),
    "tags.bmp": lambda: bmp_v5(colours(), SRGB),
    "tags.gif": lambda: gif_with(made("palette.gif"), gif_profile(SRGB), gif_xmp(XMP)),
    "tags.jp2": lambda: jp2_with(
        made("rgb.jp2"),
        [jp2_profile(SRGB), jp2_resolution(300)],
        [box(b"uuid", EXIF_UUID + exif().tobytes()[6:]), box(b"uuid", XMP_UUID + XMP)],
    ),
    "rgb.avif": lambda: saved(colours(), "AVIF", icc_profile=SRGB, exif=exif(), xmp=XMP),
    "moving.avif": lambda: moving("AVIF", duration=40),
    "rgb.jp2": lambda: saved(colours(), "JPEG2000"),
    "deep.jp2": lambda: saved(Image.fromarray(deep("L")[..., 0]), "JPEG2000"),
    "codestream.j2k": lambda: saved(in_mode("RGBA"), "JPEG2000", no_jp2=True),
}
if find_spec("pillow_heif"):  # the extra heif
    formats()  # lets Pillow know it
    MAKERS["rgb.heic"] = lambda: saved(colours(), "HEIF", icc_profile=SRGB, exif=exif().tobytes(), xmp=XMP)
    MAKERS["rgba.heic"] = lambda: saved(in_mode("RGBA"), "HEIF", quality=-1)
    MAKERS["moving.heic"] = lambda: moving("HEIF")


@cache
def made(name: str) -> bytes:
    """Give the bytes of a file of the zoo; its name ends as is usual for its kind."""
    return MAKERS[name]()


LENGTHS = (0, 1, 2, 7, 255, 256, 32767, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1)


def broken(data: bytes, dice: random.Random) -> bytes:
    """Break a file somehow; the checksums of a PNG are mended most often, so that more than they are tried."""
    bent = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        _break(bent, dice)
    return mended(bytes(bent)) if data.startswith(SIGNATURE) and dice.random() < 0.8 else bytes(bent)


def _break(bent: bytearray, dice: random.Random) -> None:
    at = int(len(bent) * dice.random() ** dice.choice((1, 3)))  # heads say more than bodies
    to = min(len(bent), at + int(64 * dice.random() ** 3) + 1)
    match dice.randrange(7):
        case 0:
            bent[at:to] = bytes(byte ^ 1 << dice.randrange(8) for byte in bent[at:to])
        case 1:
            bent[at:to] = dice.randbytes(to - at)
        case 2:
            del bent[at:to]
        case 3:
            bent[at:at] = dice.randbytes(to - at)
        case 4:
            there = dice.randrange(len(bent) + 1)
            bent[there:there] = bent[at : at + dice.randrange(400)]
        case 5:
            form = dice.choice("<>") + dice.choice("HI")
            number = dice.choice(LENGTHS) & (2 ** (8 * struct.calcsize(form)) - 1)
            bent[at : at + struct.calcsize(form)] = struct.pack(form, number)
        case 6:
            del bent[dice.randrange(len(bent) + 1) :]


def mended(png: bytes) -> bytes:
    """Set the checksum of each chunk right, as far as the chunks can be followed."""
    return SIGNATURE + b"".join(_chunks(png))


def _chunks(png: bytes) -> Iterator[bytes]:
    place = len(SIGNATURE)
    while place + 12 <= len(png):
        length, name = struct.unpack_from(">I4s", png, place)
        if length > len(png) - place - 12:
            break
        yield png_chunk(name, png[place + 8 : place + 8 + length])
        place += 12 + length
    yield png[place:]


def unpacked_size(size: int) -> bytes:
    """Zeros that were so many bytes, deflated."""
    packer = isal_zlib.compressobj(1)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(size // 2**20)) + packer.flush()
