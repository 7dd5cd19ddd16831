"""Layers of every kind, cut by a mask."""

from calling import (
    PROCEDURE,
    SESSION,
    call,
    keep,
    load,
    make_indexed,
    mask_bytes,
    picture,
    put_gradient_mask,
    read,
    select_softly,
)
from gi.repository import Gimp


def registered():
    procedure = Gimp.get_pdb().lookup_procedure(PROCEDURE)
    return {"menus": list(procedure.get_menu_paths()), "label": procedure.get_menu_label()}


def cut(path, method):
    """Cut one picture; keep the mask's bytes."""
    image, layer = load(path)
    facts = call(image, [layer], method=method)
    keep(f"{path.stem}-{method}", mask_bytes(layer))
    return facts


def other_profile():
    """Cut the same samples in another colour space."""
    image, layer = picture()
    image.set_color_profile(Gimp.ColorProfile.new_rgb_adobe())
    facts = call(image, [layer], method="kmeans")
    keep("other-profile", mask_bytes(layer))
    return facts


def sixteen_bits():
    image, layer = picture()
    image.convert_precision(Gimp.Precision.U16_NON_LINEAR)
    facts = call(image, [layer], method="kmeans")
    keep("sixteen-bits", mask_bytes(layer))
    return facts


def indexed():
    """Cut a layer with a palette, and keep its colours."""
    image, layer = picture()
    make_indexed(image)
    facts = call(image, [layer], method="threshold")
    keep("indexed", mask_bytes(layer))
    keep("indexed-colours", read(layer, "R'G'B' u8"))
    return facts


def existing_mask():
    image, layer = picture()
    put_gradient_mask(layer)
    facts = call(image, [layer], method="threshold")
    keep("existing-mask", mask_bytes(layer))
    return facts


def existing_mask_of_16_bits():
    return _with_existing_mask("U16_NON_LINEAR")


def existing_mask_of_floats():
    return _with_existing_mask("FLOAT_LINEAR")


def rectangle_selected():
    image, layer = picture()
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 20, 10, 70, 80)
    facts = call(image, [layer], method="threshold")
    keep("rectangle-selected", mask_bytes(layer))
    return facts


def feathered_selection_on_a_mask():
    image, layer = picture()
    put_gradient_mask(layer)
    select_softly(image)
    facts = call(image, [layer], method="threshold")
    keep("feathered", mask_bytes(layer))
    keep("feathered-selection", read(image.get_selection(), "Y u8"))
    return facts


def offset_layer_with_selection():
    """Cut a layer that hangs over the canvas; a selection is in canvas coordinates."""
    image, layer = picture()
    layer.set_offsets(-30, 25)
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 30, 100, 40)
    facts = call(image, [layer], method="threshold")
    keep("offset", mask_bytes(layer))
    return facts


def layer_beside_the_canvas():
    image, layer = picture()
    layer.set_offsets(1000, 1000)
    facts = call(image, [layer], method="threshold")
    keep("beside-the-canvas", mask_bytes(layer))
    return facts


def with_last_values():
    """Run with what GIMP keeps as the values of the last run with a dialog."""
    last = SESSION / "profile" / "plug-in-settings" / f"GimpProcedureConfigRun-{PROCEDURE}.last"
    last.parent.mkdir(exist_ok=True)
    last.write_text('# settings\n(method "threshold")\n(tolerance 3)\n')
    image, layer = picture()
    facts = call(image, [layer], run_mode=Gimp.RunMode.WITH_LAST_VALS)
    keep("with-last-values", mask_bytes(layer))
    return facts


def _with_existing_mask(precision):
    image, layer = picture()
    put_gradient_mask(layer)
    image.convert_precision(getattr(Gimp.Precision, precision))
    facts = call(image, [layer], method="threshold")
    keep(f"existing-mask-{precision}", mask_bytes(layer))
    return facts
