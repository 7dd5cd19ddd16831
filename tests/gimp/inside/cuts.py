"""Layers of every kind, cut by a mask."""

from calling import PROCEDURE, SESSION, call, keep, load, mask_bytes, put_gradient_mask, read
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
    image, layer = load(SESSION / "pictures" / "rgb.png")
    image.set_color_profile(Gimp.ColorProfile.new_rgb_adobe())
    facts = call(image, [layer], method="kmeans")
    keep("other-profile", mask_bytes(layer))
    return facts


def sixteen_bits():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    image.convert_precision(Gimp.Precision.U16_NON_LINEAR)
    facts = call(image, [layer], method="kmeans")
    keep("sixteen-bits", mask_bytes(layer))
    return facts


def indexed():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    image.convert_indexed(Gimp.ConvertDitherType.NONE, Gimp.ConvertPaletteType.GENERATE, 16, False, False, "")
    return call(image, [layer], method="threshold")


def existing_mask():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    put_gradient_mask(layer)
    facts = call(image, [layer], method="threshold")
    keep("existing-mask", mask_bytes(layer))
    return facts


def rectangle_selected():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 20, 10, 70, 80)
    facts = call(image, [layer], method="threshold")
    keep("rectangle-selected", mask_bytes(layer))
    return facts


def feathered_selection_on_a_mask():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    put_gradient_mask(layer)
    image.select_ellipse(Gimp.ChannelOps.REPLACE, 30, 20, 90, 70)
    Gimp.Selection.feather(image, 15)
    facts = call(image, [layer], method="threshold")
    keep("feathered", mask_bytes(layer))
    keep("feathered-selection", read(image.get_selection(), "Y u8"))
    return facts


def offset_layer_with_selection():
    """Cut a layer that hangs over the canvas; a selection is in canvas coordinates."""
    image, layer = load(SESSION / "pictures" / "rgb.png")
    layer.set_offsets(-30, 25)
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 30, 100, 40)
    facts = call(image, [layer], method="threshold")
    keep("offset", mask_bytes(layer))
    return facts


def layer_beside_the_canvas():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    layer.set_offsets(1000, 1000)
    facts = call(image, [layer], method="threshold")
    keep("beside-the-canvas", mask_bytes(layer))
    return facts


def with_last_values():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    return call(image, [layer], run_mode=Gimp.RunMode.WITH_LAST_VALS)
