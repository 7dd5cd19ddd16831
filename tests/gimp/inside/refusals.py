"""What cannot be done, and what is left behind by it."""

import json
import subprocess
import sys

from calling import SESSION, add_special, call, picture, put_gradient_mask, special_kinds
from cancel import workers
from gi.repository import Gegl, Gimp

POINTER = SESSION / "profile" / "plug-ins" / "bgwatch-remove-background" / "bgwatch.json"


def refused_group():
    image, _ = picture()
    group = Gimp.GroupLayer.new(image, "Sky & sea")
    image.insert_layer(group, None, 0)
    return call(image, [group])


def refused_locked():
    image, layer = picture()
    layer.set_lock_content(True)
    return call(image, [layer])


def refused_in_locked_group():
    image, layer = picture()
    group = Gimp.GroupLayer.new(image, "group")
    image.insert_layer(group, None, 0)
    image.reorder_item(layer, group, 0)
    group.set_lock_content(True)
    return call(image, [layer])


def refused_locked_mask():
    image, layer = picture()
    put_gradient_mask(layer)
    layer.get_mask().set_lock_content(True)
    return call(image, [layer])


def refused_mask():
    image, layer = picture()
    put_gradient_mask(layer)
    return call(image, [layer.get_mask()])


def refused_channel():
    image, _ = picture()
    channel = Gimp.Channel.new(image, "channel", image.get_width(), image.get_height(), 50, Gegl.Color.new("red"))
    image.insert_channel(channel, None, 0)
    return call(image, [channel])


def refused_one_of_two():
    """Refuse two layers because of the second, before anything is done to the first."""
    image, layer = picture()
    copy = layer.copy()
    image.insert_layer(copy, None, 0)
    copy.set_lock_content(True)
    return call(image, [layer, copy])


def refused_no_layer():
    image, _ = picture()
    return call(image, [])


def refused_locked_alpha():
    image, layer = picture("rgb-alpha")
    layer.set_lock_alpha(True)
    return call(image, [layer], result="transparency")


def refused_special_layers():
    """Refuse to cut what is more than its pixels."""
    facts = {}
    for kind in special_kinds():
        image, _ = picture()
        facts[kind] = call(image, [add_special(image, kind)], result="transparency")
    return facts


def refused_floating_selection():
    image, layer = picture()
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 20, 10, 70, 80)
    Gimp.Selection.float(image, [layer], 0, 0)
    return call(image, [image.get_floating_sel()])


def refused_transparent():
    image, layer = picture("rgb-alpha")
    layer.fill(Gimp.FillType.TRANSPARENT)
    return call(image, [layer])


def refused_large():
    image = Gimp.Image.new(30_000, 30_000, Gimp.ImageBaseType.RGB)
    layer = Gimp.Layer.new(image, "Poster", 30_000, 30_000, Gimp.ImageType.RGB_IMAGE, 100, Gimp.LayerMode.NORMAL)
    image.insert_layer(layer, None, 0)
    facts = call(image, [layer])
    image.delete()
    return facts


def refused_selection_outside():
    image, layer = picture()
    layer.set_offsets(100, 0)
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 50, 50)
    return call(image, [layer])


def refused_option():
    image, layer = picture()
    return call(image, [layer], backdrop="bluish")


def refused_without_pointer():
    return _call_with_pointer(None)


def refused_with_broken_pointer():
    return _call_with_pointer("{'python': ")


def refused_without_python():
    return _call_with_pointer(json.dumps({"python": "/nowhere/python", "version": "0"}))


def refused_without_bgwatch():
    return _call_with_pointer(json.dumps({"python": "/usr/bin/python3", "version": "0"}))


def refused_for_another_version():
    whole = json.loads(POINTER.read_text())
    return _call_with_pointer(json.dumps({**whole, "version": "0.0.1"}))


def refused_when_the_worker_is_killed():
    """Kill the worker in the middle of minutes of work, as the system does when memory is short."""
    return _interrupted("worker")


def cancelled():
    """Kill the plug-in there, as GIMP's Cancel does."""
    return _interrupted("plug-in")


def workers_left():
    """Count the processes of this session that still run the worker."""
    return {"left": len(workers())}


def _call_with_pointer(text):
    """Call while the file that names the worker's Python holds something else, or is missing."""
    image, layer = picture()
    whole = POINTER.read_text()
    try:
        POINTER.unlink() if text is None else POINTER.write_text(text)
        return call(image, [layer])
    finally:
        POINTER.write_text(whole)


def _interrupted(which):
    image, layer = picture()
    image.scale(3000, 3000)
    command = [sys.executable, str(SESSION / "inside" / "cancel.py"), which]
    canceller = subprocess.Popen(command, stdout=subprocess.PIPE)
    facts = call(image, [layer], method="kmeans", clusters=256)
    said, _ = canceller.communicate()
    image.delete()
    return {**facts, "seconds_until_gone": float(said)}
