"""What goes along with the pixels: EXIF, XMP and resolution, without what no longer holds."""

import re
import struct
import zlib
from typing import Any

from PIL import ExifTags, Image

# what Pillow's decoders are seen to raise on broken data
BROKEN = (
    *(OSError, SyntaxError, ValueError, EOFError, LookupError, TypeError, ArithmeticError, RuntimeError),
    *(struct.error, zlib.error),
)
UPRIGHT = 1
SIDEWAYS = (5, 6, 7, 8)
NO_UNIT, CENTIMETRE = 1, 3
LONGEST_XMP = 16 * 2**20  # bytes

TAG = ExifTags.Base
# how a TIFF file stores its pixels, and what other fields of the result say: the orientation, XMP, ICC, thumbnails
STALE = frozenset(
    {TAG.Orientation, TAG.XMLPacket, TAG.InterColorProfile, TAG.NewSubfileType, TAG.SubfileType, TAG.ImageWidth}
    | {TAG.ImageLength, TAG.BitsPerSample, TAG.Compression, TAG.PhotometricInterpretation, TAG.FillOrder}
    | {TAG.StripOffsets, TAG.SamplesPerPixel, TAG.RowsPerStrip, TAG.StripByteCounts, TAG.PlanarConfiguration}
    | {TAG.XResolution, TAG.YResolution, TAG.ResolutionUnit, TAG.Predictor, TAG.ColorMap, TAG.TileWidth}
    | {TAG.TileLength, TAG.TileOffsets, TAG.TileByteCounts, TAG.SubIFDs, TAG.InkSet, TAG.InkNames, TAG.NumberOfInks}
    | {TAG.ExtraSamples, TAG.SampleFormat, TAG.SMinSampleValue, TAG.SMaxSampleValue, TAG.JPEGTables, TAG.JPEGProc}
    | {TAG.JpegIFOffset, TAG.JpegIFByteCount, TAG.YCbCrCoefficients, TAG.YCbCrSubSampling, TAG.YCbCrPositioning}
    | {TAG.ReferenceBlackWhite, TAG.ImageResources, 37724, TAG.IPTCNAA, TAG.PageNumber, TAG.TransferFunction}
)
SIZES = {TAG.ExifImageWidth, TAG.ExifImageHeight}

ORIENTATION = re.compile(
    rb'\s*tiff:Orientation\s*=\s*["\'][^"\']*["\']|<tiff:Orientation>.*?</tiff:Orientation>', re.DOTALL
)
THUMBNAILS = re.compile(rb"<(xmp|xap):Thumbnails\b.*?</\1:Thumbnails>", re.DOTALL)


def forget_other_pages(image: Any) -> None:
    """Take from a TIFF what Pillow has left of an earlier page, where this one says nothing."""
    if TAG.InterColorProfile not in image.tag_v2:
        image.info.pop("icc_profile", None)
    if image.tag_v2.get(TAG.ResolutionUnit) == NO_UNIT:
        image.info.pop("dpi", None)


def orientation_of(image: Image.Image) -> int:
    """Read how a picture lies in its file, 1 to 8 as EXIF counts; 1, upright, where it does not say."""
    try:
        found = image.getexif().get(TAG.Orientation, UPRIGHT)
    except BROKEN:  # a broken tag must not cost the picture
        return UPRIGHT
    return found if isinstance(found, int) and found in range(1, 9) else UPRIGHT


def metadata_of(image: Image.Image, orientation: int) -> dict[str, Any]:
    """Take what an encoder is to write again.

    Parameters
    ----------
    image : PIL.Image.Image
        The picture; one of a PNG has been loaded, since its metadata may come last.
    orientation : int
        How it lay in its file.

    Returns
    -------
    dict
        Of ``dpi`` ((float, float), across and down), ``exif`` and ``xmp`` (bytes) what is there and readable.
    """
    found = {"dpi": _dpi(image, orientation), "exif": _exif(image), "xmp": _xmp(image)}
    return {name: value for name, value in found.items() if value}


def _dpi(image: Image.Image, orientation: int) -> tuple[float, float] | None:
    try:
        across, down = (float(part) for part in image.info.get("dpi") or _exif_dpi(image.getexif()))
    except BROKEN:
        return None
    if not (1 < across < 1e5 and 1 < down < 1e5):  # 1 is what Pillow says of a TIFF that says nothing
        return None
    return (down, across) if orientation in SIDEWAYS else (across, down)


def _exif_dpi(exif: Image.Exif) -> tuple[float, float]:
    inch = 2.54 if exif.get(TAG.ResolutionUnit) == CENTIMETRE else 1
    return inch * float(exif[TAG.XResolution]), inch * float(exif[TAG.YResolution])


def _exif(image: Image.Image) -> bytes:
    try:
        exif = image.getexif()
        for tag in STALE:
            exif.pop(tag, None)
        details = exif.get_ifd(ExifTags.IFD.Exif) if ExifTags.IFD.Exif in exif else {}
        if SIZES & details.keys():
            exif[ExifTags.IFD.Exif] = {tag: value for tag, value in details.items() if tag not in SIZES}
        exif.bigtiff = False
        return exif.tobytes() if len(exif) else b""  # which leaves out the thumbnail's directory
    except BROKEN:
        return b""


def _xmp(image: Image.Image) -> bytes:
    xmp = image.info.get("xmp", b"")
    if isinstance(xmp, str):
        xmp = xmp.encode("utf-8", "replace")
    if not isinstance(xmp, bytes) or len(xmp) > LONGEST_XMP or b"<rdf:RDF" not in xmp:
        return b""
    try:
        xmp.decode("utf-8")
    except UnicodeDecodeError:
        return b""
    return THUMBNAILS.sub(b"", ORIENTATION.sub(b"", xmp)).rstrip(b"\0")
