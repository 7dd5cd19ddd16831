"""What cannot be done, and what is left behind by it."""

import json
import subprocess
import sys

from calling import SESSION, call, load, put_gradient_mask
from cancel import workers
from gi.repository import Gegl, Gimp

POINTER = SESSION / "profile" / "plug-ins" / "bgwatch-remove-background" / "bgwatch.json"


def refused_group():
    image, _ = load(SESSION / "pictures" / "rgb.png")
    group = Gimp.GroupLayer.new(image, "Sky & sea")
    image.insert_layer(group, None, 0)
    return call(image, [group])


def refused_locked():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    layer.set_lock_content(True)
    return call(image, [layer])


def refused_in_locked_group():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    group = Gimp.GroupLayer.new(image, "group")
    image.insert_layer(group, None, 0)
    image.reorder_item(layer, group, 0)
    group.set_lock_content(True)
    return call(image, [layer])


def refused_locked_mask():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    put_gradient_mask(layer)
    layer.get_mask().set_lock_content(True)
    return call(image, [layer])


def refused_mask():
    image, layer = load(SESSION / "pictures" / "rgb.png")
    put_gradient_mask(layer)
    return call(image, [layer.get_mask()])


def refused_channel():
    image, _ = load(SESSION / "pictures" / "rgb.png")
    channel = Gimp.Channel.new(image, "channel", image.get_width(), image.get_height(), 50, Gegl.Color.new("red"))
    image.insert_channel(channel, None, 0)
    return call(image, [channel])


def refused_one_of_two():
    """Refuse two layers because of the second, before anything is done to the first."""
    image, layer = load(SESSION / "pictures" / "rgb.png")
    copy = layer.copy()
    image.insert_layer(copy, None, 0)
    copy.set_lock_content(True)
    return call(image, [layer, copy])


def refused_no_layer():
    image, _ = load(SESSION / "pictures" / "rgb.png")
    return call(image, [])


def refused_locked_alpha():
    image, layer = load(SESSION / "pictures" / "rgb-alpha.png")
    layer.set_lock_alpha(True)
    return call(image, [layer], result="transparency")


def refused_text():
    image, _ = load(SESSION / "pictures" / "rgb.png")
    return call(image, [_text(image)], result="transparency")


def refused_transparent():
    image, layer = load(SESSION / "pictures" / "rgb-alpha.png")
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
    image, layer = load(SESSION / "pictures" / "rgb.png")
    layer.set_offsets(100, 0)
    image.select_rectangle(Gimp.ChannelOps.REPLACE, 0, 0, 50, 50)
    return call(image, [layer])


def refused_option():
    image, layer = load(SESSION / "pictures" / "rgb.png")
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
    """Start a worker that ends in the middle of the pixels, as if the system had killed it."""
    script = SESSION / "killed-worker"
    hello = """echo '{"result": {"bytes": 0, "version": "0"}}'"""
    script.write_text(f"#!/bin/sh\nread hello; {hello}; read header; kill -KILL $$\n")
    script.chmod(0o755)
    return _call_with_pointer(json.dumps({"python": str(script), "version": "0"}))


def cancelled():
    """Kill the plug-in in the middle of minutes of work, as GIMP's Cancel does."""
    image, layer = load(SESSION / "pictures" / "rgb.png")
    image.scale(3000, 3000)
    canceller = subprocess.Popen([sys.executable, str(SESSION / "inside" / "cancel.py")], stdout=subprocess.PIPE)
    facts = call(image, [layer], method="kmeans", clusters=256)
    said, _ = canceller.communicate()
    return {**facts, "masks": layer.get_mask() is not None, "worker_gone": said == b"gone\n"}


def workers_left():
    """Count the processes of this session that still run the worker."""
    return {"left": len(workers())}


def _text(image):
    layer = Gimp.TextLayer.new(image, "Sea", Gimp.context_get_font(), 30, Gimp.Unit.pixel())
    image.insert_layer(layer, None, 0)
    return layer


def _call_with_pointer(text):
    """Call while the file that names the worker's Python holds something else, or is missing."""
    image, layer = load(SESSION / "pictures" / "rgb.png")
    whole = POINTER.read_text()
    try:
        POINTER.unlink() if text is None else POINTER.write_text(text)
        return call(image, [layer])
    finally:
        POINTER.write_text(whole)
