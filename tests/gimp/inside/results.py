"""The three results, in every precision, for one layer and for several."""

from calling import (
    add_picture,
    add_special,
    call,
    keep,
    make_indexed,
    mask_bytes,
    picture,
    put_gradient_mask,
    read,
    select_softly,
    special_kinds,
)
from gi.repository import Gimp

KINDS = ("rgb", "grey")
PRECISIONS = ("U8_NON_LINEAR", "U16_NON_LINEAR", "HALF_NON_LINEAR", "FLOAT_NON_LINEAR", "U16_LINEAR", "FLOAT_LINEAR")


def masks_of_many_bits():
    """Mask layers of precisions that GIMP's own float arithmetic cannot hold."""
    facts = {}
    for kind in KINDS:
        for precision in ("U32_NON_LINEAR", "DOUBLE_NON_LINEAR"):
            image, layers = _stored(kind, precision)
            done = call(image, layers)
            facts[f"{kind} {precision}"] = {**done, "masks": all(layer.get_mask() for layer in layers)}
    return facts


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
    image, layer = picture()
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 20, 10, 70, 80)
    facts = call(image, [layer], result="transparency")
    keep("selected-transparency", read(layer, "R'G'B'A u8"))
    return facts


def transparency_of_a_masked_layer():
    """Cut a layer that has a mask, within a feathered selection."""
    image, layer = picture()
    put_gradient_mask(layer)
    select_softly(image)
    keep("masked-selection", read(image.get_selection(), "Y u8"))
    facts = call(image, [layer], result="transparency", method="threshold")
    keep("masked-transparency", read(layer, "R'G'B'A u8"))
    return facts


def transparency_with_shadow():
    image, layer = picture()
    return call(image, [layer], result="transparency", shadow="keep")


def indexed_transparency():
    image, layer = picture()
    make_indexed(image)
    facts = call(image, [layer], result="transparency", method="threshold")
    keep("indexed-transparency", read(layer, "R'G'B'A u8"))
    return facts


def new_layer():
    image, layer = picture()
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


def special_layers():
    """Mask layers that are more than their pixels, and cut copies of them."""
    facts = {}
    for kind in special_kinds():
        for result in ("layer-mask", "new-layer"):
            image, _ = picture()
            layer = add_special(image, kind)
            done = call(image, [layer], result=result, method="threshold")
            facts[f"{kind} {result}"] = {
                **done,
                "still_special": getattr(layer, f"is_{kind}_layer")() and not getattr(layer, "is_rasterized", bool)(),
                "masks": [each.get_mask() is not None for each in image.get_layers()],
                "first_pixel": list(read(image.get_layers()[0], "R'G'B'A u8")[:4]),
            }
    return facts


def new_layer_of_locked_alpha():
    """Cut a copy of a layer whose own alpha must stay."""
    image, layer = picture("rgb-alpha")
    layer.set_lock_alpha(True)
    facts = call(image, [layer], result="new-layer")
    keep("locked-alpha-new-layer", read(image.get_layers()[0], "R'G'B'A u8"))
    return facts


def layer_with_a_filter():
    """Mask a layer with a filter of GIMP 3's kind, which stays a filter."""
    image, layer = picture()
    layer.append_filter(Gimp.DrawableFilter.new(layer, "gegl:gaussian-blur", ""))
    return {**call(image, [layer]), "filters": len(layer.get_filters()), "masks": layer.get_mask() is not None}


def several_layers():
    """Cut three layers of different sizes and kinds at once, one of them beside the canvas."""
    image, first = picture()
    layers = [first, add_picture(image, "rgb-alpha"), add_picture(image, "tall", -500, 40)]
    facts = call(image, layers)
    for name, layer in zip(("rgb", "rgb-alpha", "tall"), layers, strict=True):
        keep(f"several-{name}", mask_bytes(layer))
    return facts


def _stored(kind, precision):
    """Give an image with two layers, the second of which has alpha."""
    image, first = picture(kind)
    second = add_picture(image, f"{kind}-alpha")
    wanted = getattr(Gimp.Precision, precision)
    if image.get_precision() != wanted:
        image.convert_precision(wanted)
    return image, [first, second]
