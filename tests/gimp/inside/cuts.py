"""Layers of every kind, cut by a mask."""

from calling import (
    PROCEDURE,
    SESSION,
    cut_and_keep,
    keep,
    make_indexed,
    picture,
    put_gradient_mask,
    read,
    select_softly,
)
from gi.repository import Gimp


def registered():
    procedure = Gimp.get_pdb().lookup_procedure(PROCEDURE)
    return {"menus": list(procedure.get_menu_paths()), "label": procedure.get_menu_label()}


def cut(name, method):
    """Cut one of the pictures."""
    image, layer = picture(name)
    return cut_and_keep(f"{name}-{method}", image, layer, method=method)


def other_profile():
    """Cut the same samples in another colour space."""
    image, layer = picture()
    image.set_color_profile(Gimp.ColorProfile.new_rgb_adobe())
    return cut_and_keep("other-profile", image, layer, method="kmeans")


def sixteen_bits():
    image, layer = picture()
    image.convert_precision(Gimp.Precision.U16_NON_LINEAR)
    return cut_and_keep("sixteen-bits", image, layer, method="kmeans")


def indexed():
    """Cut a layer with a palette, and keep its colours."""
    image, layer = picture()
    make_indexed(image)
    facts = cut_and_keep("indexed", image, layer, method="threshold")
    keep("indexed-colours", read(layer, "R'G'B' u8"))
    return facts


def existing_mask():
    image, layer = picture()
    put_gradient_mask(layer)
    return cut_and_keep("existing-mask", image, layer, method="threshold")


def existing_mask_of_16_bits():
    return _with_existing_mask("U16_NON_LINEAR")


def existing_mask_of_floats():
    return _with_existing_mask("FLOAT_LINEAR")


def rectangle_selected():
    image, layer = picture()
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 20, 10, 70, 80)
    return cut_and_keep("rectangle-selected", image, layer, method="threshold")


def feathered_selection_on_a_mask():
    image, layer = picture()
    put_gradient_mask(layer)
    select_softly(image)
    facts = cut_and_keep("feathered", image, layer, method="threshold")
    keep("feathered-selection", read(image.get_selection(), "Y u8"))
    return facts


def offset_layer_with_selection():
    """Cut a layer that hangs over the canvas; a selection is in canvas coordinates."""
    image, layer = picture()
    layer.set_offsets(-30, 25)
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 30, 100, 40)
    return cut_and_keep("offset", image, layer, method="threshold")


def layer_beside_the_canvas():
    image, layer = picture()
    layer.set_offsets(1000, 1000)
    return cut_and_keep("beside-the-canvas", image, layer, method="threshold")


def with_last_values():
    """Run with what GIMP keeps as the values of the last run with a dialog."""
    last = SESSION / "profile" / "plug-in-settings" / f"GimpProcedureConfigRun-{PROCEDURE}.last"
    last.parent.mkdir(exist_ok=True)
    last.write_text('# settings\n(method "threshold")\n(tolerance 3)\n')
    image, layer = picture()
    return cut_and_keep("with-last-values", image, layer, run_mode=Gimp.RunMode.WITH_LAST_VALS)


def _with_existing_mask(precision):
    image, layer = picture()
    put_gradient_mask(layer)
    image.convert_precision(getattr(Gimp.Precision, precision))
    return cut_and_keep(f"existing-mask-{precision}", image, layer, method="threshold")
