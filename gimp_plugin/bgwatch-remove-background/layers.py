"""Pixels out of GIMP's layers, and results into them."""

import array

from gi.repository import Babl, Gegl, Gimp
from worker import RefusalError

ROWS = 256  # rows a strip: little memory twice, and GIMP hands over few tiles at a time


def usable(drawables, result):
    """Return the layers to work on, or refuse."""
    if not drawables:
        raise RefusalError("Remove Background needs a layer: select one in the Layers dialog.")
    for drawable in drawables:
        refuse_unfit(drawable, result)
    return drawables


def refuse_unfit(layer, result):
    """Refuse what has no pixels to look at, or must not be changed."""
    if not isinstance(layer, Gimp.Layer):
        raise RefusalError(
            "Remove Background works on a layer, not on a mask or a channel: click its picture in the Layers dialog."
        )
    name = layer.get_name()
    if layer.is_group():
        raise RefusalError(f"The layer “{name}” is a group and has no pixels of its own: select a layer inside it.")
    if layer.is_floating_sel():
        raise RefusalError(f"“{name}” is a floating selection: anchor it, or make it a layer of its own.")
    if any(item.get_lock_content() for item in [*lineage(layer), layer.get_mask()] if item):
        raise RefusalError(f"The pixels of the layer “{name}” are locked: unlock them in the Layers dialog.")
    if result == "transparency" and layer.get_lock_alpha():
        raise RefusalError(f"The alpha channel of the layer “{name}” is locked: unlock it, or ask for a layer mask.")
    if result == "transparency" and not has_samples_only(layer):
        raise RefusalError(
            f"The layer “{name}” would lose its text, path or link: ask for a layer mask or a new layer."
        )
    if not layer.mask_intersect()[0]:
        raise RefusalError(f"The selection lies outside the layer “{name}”: move it, or choose Select > None.")


def lineage(layer):
    """Yield the layer and the groups it lies in."""
    while layer:
        yield layer
        layer = layer.get_parent()


def has_samples_only(layer):
    """Tell whether a layer is nothing but its pixels: vector and link layers, and rasterizing, came with GIMP 3.2."""
    more = any(getattr(layer, f"is_{kind}_layer", bool)() for kind in ("text", "vector", "link"))
    return not more or getattr(layer, "is_rasterized", bool)()


class Read:
    """How a layer's pixels are read for the worker.

    In the layer's own colour space an 8-bit layer is read sample for sample, as the file has it: the plain name of
    a format would mean sRGB, and move the colours of every picture with another profile.
    """

    def __init__(self, image, layer, most=16):
        self.layer = layer
        self.depth = 8 if image.get_precision().value_nick.startswith("u8") else most
        self.channels = (1 if layer.is_gray() else 3) + layer.has_alpha()
        colour, alpha = ("Y'" if layer.is_gray() else "R'G'B'"), ("A" if layer.has_alpha() else "")
        space = Babl.format_get_space(layer.get_format())
        self.form = Babl.get_name(Babl.format_with_space(f"{colour}{alpha} u{self.depth}", space))
        self.mask_form = f"Y u{self.depth}"  # masks are linear

    def request(self, options):
        """Say what is asked of the worker."""
        return {
            "ask": "remove",
            "width": self.layer.get_width(),
            "height": self.layer.get_height(),
            "channels": self.channels,
            "depth": self.depth,
            "mask": self.layer.get_mask() is not None,
            "options": options,
        }

    def strips(self, progress):
        """Yield the layer's pixels, then its mask's, strip by strip."""
        mask, height = self.layer.get_mask(), self.layer.get_height()
        for strip in strips_of(self.layer):
            progress(strip.y / height)
            yield samples(self.layer, strip, self.form)
        for strip in strips_of(self.layer) if mask else ():
            yield samples(mask, strip, self.mask_form)

    def scaled(self, longest):
        """Return the width, the height and the pixels of a copy that fits into a square."""
        width, height = self.layer.get_width(), self.layer.get_height()
        scale = min(1.0, longest / max(width, height))
        width, height = max(1, int(width * scale)), max(1, int(height * scale))
        return width, height, samples(self.layer, Gegl.Rectangle.new(0, 0, width, height), self.form, scale)


class Found:
    """What the worker found for a layer: its new mask and, where asked for, runs of soft pixels with their colours."""

    def __init__(self, read, result, data):
        self.read = read
        area = read.layer.get_width() * read.layer.get_height() * read.depth // 8
        runs = area + 8 * result["runs"]
        self.mask, self.colours = data[:area], data[runs:]
        numbers = array.array("I", data[area:runs])
        self.runs = list(zip(numbers[::2], numbers[1::2], strict=True))


def strips_of(layer):
    """Yield the layer's area in strips from the top."""
    width, height = layer.get_width(), layer.get_height()
    for top in range(0, height, ROWS):
        yield Gegl.Rectangle.new(0, top, width, min(ROWS, height - top))


def samples(drawable, rectangle, form, scale=1.0):
    """Return the samples of a rectangle as bytes."""
    return drawable.get_buffer().get(rectangle, scale, form, Gegl.AbyssPolicy.NONE)


def put(image, layer, found, result):
    """Give a layer its result, and return the layer that has it; inside one undo step.

    Everything is written through shadow buffers, so that GIMP keeps the step for undo and blends it with the
    selection itself, feathered or not. The mask is no alpha of the whole picture: the layer keeps its own, GIMP
    multiplies the two, and the worker has divided it out. Colours that do not change stay as they are to the bit.
    """
    if result == "new-layer":
        layer = copied(image, layer)
    hide(layer, found)
    if result != "layer-mask":
        recolour(layer, found)
        succeed(layer.remove_mask(Gimp.MaskApplyMode.APPLY), "apply the layer's mask")
    return layer


def copied(image, layer):
    """Lay a copy above a layer, which is no longer shown: it would fill what the copy leaves open."""
    copy = layer.copy()
    copy.set_name(f"{layer.get_name()} without background")
    succeed(image.insert_layer(copy, layer.get_parent(), image.get_item_position(layer)), "add a layer")
    layer.set_visible(False)
    return copy


def hide(layer, found):
    """Write what was found into the layer's mask, which it gets if it has none."""
    mask = layer.get_mask()
    if mask is None:
        mask = layer.create_mask(Gimp.AddMaskType.WHITE)
        succeed(layer.add_mask(mask), "add a mask to the layer")
        layer.set_edit_mask(False)  # what the user paints on, and the next run's drawable, stays the layer
    shadow, start = mask.get_shadow_buffer(), 0
    for strip in strips_of(layer):
        size = strip.width * strip.height * found.read.depth // 8
        shadow.set(strip, found.read.mask_form, found.mask[start : start + size])
        start += size
    merge(mask, shadow)


def recolour(layer, found):
    """Free the soft pixels of the backdrop's colour."""
    if not found.runs:
        return
    native = layer.get_format()
    form, size = Babl.get_name(native), Babl.format_get_bytes_per_pixel(native)
    shadow, runs, at = layer.get_shadow_buffer(), iter(found.runs), 0
    colours = converted(found, shadow, form)
    start, count = next(runs)
    for strip in strips_of(layer):
        pixels, first = bytearray(samples(layer, strip, form)), strip.y * strip.width
        while start < first + strip.width * strip.height:
            place = (start - first) * size
            pixels[place : place + count * size] = colours[at : at + count * size]
            at += count * size
            start, count = next(runs, (float("inf"), 0))
        shadow.set(strip, form, bytes(pixels))
    merge(layer, shadow)


def converted(found, shadow, form):
    """Convert the soft pixels' colours by way of a layer's shadow, which has room for them and is written after."""
    read = found.read
    width = read.layer.get_width()
    row = width * read.channels * read.depth // 8
    height = -(-len(found.colours) // row)
    area = Gegl.Rectangle.new(0, 0, width, height)
    shadow.set(area, read.form, found.colours.ljust(height * row, b"\0"))
    return shadow.get(area, 1.0, form, Gegl.AbyssPolicy.NONE)


def merge(drawable, shadow):
    """Make what was written into a drawable's shadow a step of its undo."""
    shadow.flush()
    succeed(drawable.merge_shadow(True), f"write “{drawable.get_name()}”")
    drawable.update(0, 0, drawable.get_width(), drawable.get_height())


def succeed(result, what):
    """Refuse where GIMP returned False: its methods do not raise."""
    if not result:
        raise RefusalError(f"GIMP could not {what}: see its error console, and undo this step if the layer changed.")
