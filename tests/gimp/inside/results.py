"""The three results, in every precision, for one layer and for several."""

from calling import SESSION, call, keep, load, mask_bytes, put_gradient_mask, read
from gi.repository import Gimp

KINDS = ("rgb", "grey")
PRECISIONS = ("U8_NON_LINEAR", "U16_NON_LINEAR", "HALF_NON_LINEAR", "FLOAT_NON_LINEAR", "U16_LINEAR", "FLOAT_LINEAR")


def masks_of_32_bits():
    """Mask layers of the precision that GIMP's own float arithmetic cannot hold."""
    image, layers = _stored("rgb", "U32_NON_LINEAR")
    return {**call(image, layers), "masks": all(layer.get_mask() for layer in layers)}


def masks():
    """Mask layers of every precision, without and with alpha."""
    facts = {}
    for kind in KINDS:
        for precision in PRECISIONS:
            image, layers = _stored(kind, precision)
            facts[f"{kind} {precision}"] = call(image, layers)
    return facts


def transparencies():
    """Cut layers of every precision themselves, and keep what they were and what they became."""
    facts = {}
    for kind in KINDS:
        for precision in PRECISIONS:
            image, layers = _stored(kind, precision)
            names = [f"{kind}-{precision}", f"{kind}-alpha-{precision}"]
            for name, layer in zip(names, layers, strict=True):
                keep(f"{name}-before", read(layer, None))
            done = call(image, layers, result="transparency")
            for name, layer in zip(names, layers, strict=True):
                keep(f"{name}-after", read(layer, None))
                keep(f"{name}-seen", read(layer, "R'G'B'A u8"))
            facts[f"{kind} {precision}"] = {**done, "masks": any(layer.get_mask() for layer in layers)}
    return facts


def transparency_in_a_selection():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 20, 10, 70, 80)
    facts = call(image, [layer], result="transparency")
    keep("selected-transparency", read(layer, "R'G'B'A u8"))
    return facts


def transparency_of_a_masked_layer():
    """Cut a layer that has a mask, within a feathered selection."""
    image, layer = load(SESSION / "pictures" / "rgb.png")
    put_gradient_mask(layer)
    image.select_ellipse(Gimp.ChannelOps.REPLACE, 30, 20, 90, 70)
    Gimp.Selection.feather(image, 15)
    keep("masked-selection", read(image.get_selection(), "Y u8"))
    facts = call(image, [layer], result="transparency", method="threshold")
    keep("masked-transparency", read(layer, "R'G'B'A u8"))
    return facts


def transparency_with_shadow():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    return call(image, [layer], result="transparency", shadow="keep")


def indexed_transparency():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    image.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 16, False, False, "")
    facts = call(image, [layer], result="transparency", method="threshold")
    keep("indexed-transparency", read(layer, "R'G'B'A u8"))
    return facts


def new_layer():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    before = read(layer, None)
    facts = call(image, [layer], result="new-layer")
    top, below = image.get_layers()
    keep("new-layer", read(top, "R'G'B'A u8"))
    return {
        **facts,
        "original_kept": below.get_id() == layer.get_id() and read(layer, None) == before and layer.get_mask() is None,
        "original_shown": layer.get_visible(),
        "selected": [selected.get_name() for selected in image.get_selected_layers()],
        "masks": top.get_mask() is not None,
    }


def text_layer():
    image, _ = load(SESSION / "pictures" / "rgb.png")
    layer = Gimp.TextLayer.new(image, "Sea", Gimp.context_get_font(), 30, Gimp.Unit.pixel())
    image.insert_layer(layer, None, 0)
    return {**call(image, [layer]), "still_text": layer.is_text_layer(), "masks": layer.get_mask() is not None}


def several_layers():
    """Cut three layers of different sizes and kinds at once, one of them beside the canvas."""
    image, first = load(SESSION / "pictures" / "rgb.png")
    layers = [first]
    for name, offset in (("rgb-alpha", (0, 0)), ("tall", (-500, 40))):
        _, other = load(SESSION / "pictures" / f"{name}.png")
        layer = Gimp.Layer.new_from_drawable(other, image)
        image.insert_layer(layer, None, 0)
        layer.set_offsets(*offset)
        layers.append(layer)
    facts = call(image, layers)
    for name, layer in zip(("rgb", "rgb-alpha", "tall"), layers, strict=True):
        keep(f"several-{name}", mask_bytes(layer))
    return facts


def _stored(kind, precision):
    """Give an image with two layers, the second of which has alpha."""
    image, first = load(SESSION / "pictures" / f"{kind}.png")
    _, other = load(SESSION / "pictures" / f"{kind}-alpha.png")
    second = Gimp.Layer.new_from_drawable(other, image)
    image.insert_layer(second, None, 0)
    wanted = getattr(Gimp.Precision, precision)
    if image.get_precision() != wanted:
        image.convert_precision(wanted)
    return image, [first, second]
