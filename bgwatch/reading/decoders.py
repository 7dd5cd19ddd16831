"""Pillow's decoders: which are used, under which limits, and without a word of their own.

What is set here holds for the whole process, so one thread decodes at a time.
"""

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator

from PIL import Image, PngImagePlugin

from bgwatch.reading.deep_tiff import known_to_pillow

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "AVIF", "JPEG2000", "HEIF")
NOISY = ("TIFF", "AVIF", "HEIF")  # whose libraries tell standard error what is broken, and Pillow cannot stop them
LONGEST_TEXT = 16 * 2**20  # bytes of a profile or of XMP in a PNG; Pillow takes one megabyte

logging.getLogger("PIL").addHandler(logging.NullHandler())  # or what it finds wrong goes to standard error


def begins_like(head: bytes) -> bool:
    """Tell whether a file that begins with these 16 bytes may be a picture of one of the formats."""
    deciders = (Image.OPEN[name][1] for name in formats() if name in Image.OPEN)
    return any(accepts(head) for accepts in deciders if accepts)


def formats() -> tuple[str, ...]:
    """Name the formats that are read, as Pillow calls them."""
    if "HEIF" not in Image.OPEN:
        with contextlib.suppress(ImportError):
            from pillow_heif import register_heif_opener

            register_heif_opener()
    return tuple(name for name in FORMATS if name in Image.OPEN or name != "HEIF")


@contextlib.contextmanager
def our_ways() -> Iterator[None]:
    """Have Pillow say nothing, take profiles and texts of a usual size, and leave pixels to ``max_pixels``."""
    before = Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK
    Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK = None, LONGEST_TEXT
    try:
        with warnings.catch_warnings(), known_to_pillow():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS, PngImagePlugin.MAX_TEXT_CHUNK = before


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Let nothing reach standard error, whoever writes to it."""
    try:
        kept = os.dup(2)
    except OSError:  # there is none
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
