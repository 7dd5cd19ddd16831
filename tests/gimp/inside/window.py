"""Uses the plug-in as a person does, in a GIMP with windows, and writes what was seen to window.json.

Run by the Python that has bgwatch, in GIMP's system. Screenshots go to screenshots/ in the session's folder.
"""

import json
import os
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

from PIL import Image, ImageChops, ImageGrab
from screen import PATIENCE, SESSION, running, screen

SHOTS = SESSION / "screenshots"
POINTER = SESSION / "window-profile" / "plug-ins" / "bgwatch-remove-background" / "bgwatch.json"
LEFT, RIGHT = (70, 140, 190), (190, 140, 70)  # the backdrops of two layers, side by side
SQUARES = ((153, 153, 153), (204, 204, 204))  # the preview's checkerboard
BATCH = ("--batch-interpreter=python-fu-eval", "-b", f"exec(open('{Path(__file__).parent}/two_layers.py').read())")
COMMAND = "Remove Background by Color"
DIALOG = f"^{COMMAND}$"
# GIMP welcomes whoever it has not seen with this version
GIMPRC = """(config-version "{version}")
(show-welcome-dialog no)
(check-updates no)
(image-title-format "%D*%f")
(plug-in-path "{session}/window-profile/plug-ins:{session}/window-plug-ins")
"""


def main():
    """Take the background out of two layers at once, look, undo, begin again and cancel; then lose bgwatch."""
    SHOTS.mkdir()
    prepare_profile()
    prepare_pictures()
    with ExitStack() as stack:
        stack.enter_context(screen())
        patiently(lambda: xdotool("getdisplaygeometry"))
        stack.enter_context(running("openbox"))
        patiently(lambda: xdotool("get_desktop"))  # only a window manager knows
        stack.enter_context(running("dbus-run-session", "--", gimp(), "--new-instance", "--no-splash", *BATCH))
        (SESSION / "window.json").write_text(json.dumps(use(), indent=1))


def use():
    """Go through the command; report what the screen showed."""
    image = window(r"^\[(Untitled|left)\]")  # GIMP 3.0 and 3.2
    seen = {"title_at_first": title(image), "backdrops_at_first": patiently(both_backdrops)}
    search_for_command(image)
    dialog = window(DIALOG)
    seen["preview_squares"] = patiently(preview_squares)
    seen["workers"] = workers()
    shoot("dialog")
    spoil_and_save(dialog)
    seen["squares_after_reset"] = reset_to_initial_values()
    press(dialog, "alt+o")
    patiently(lambda: title(image) != seen["title_at_first"])
    seen |= {"title_after": title(image), "backdrops_gone": patiently(no_backdrop)}
    shoot("after")
    press(image, "ctrl+z")
    patiently(lambda: title(image) == seen["title_at_first"])
    seen |= {"title_undone": title(image), "backdrops_undone": patiently(both_backdrops)}
    shoot("undone")
    press(image, "ctrl+shift+f")  # shows the last command's dialog again
    dialog = window(DIALOG)
    patiently(preview_squares)
    press(dialog, "alt+l")
    seen["spoilt_after_loading"] = patiently(lambda: not preview_squares())
    shoot("loaded")
    press(dialog, "Escape")
    patiently(lambda: not xdotool("search", "--onlyvisible", "--name", DIALOG))
    seen |= {"no_worker_left": patiently(lambda: not workers()), "title_cancelled": title(image)}
    POINTER.write_text('{"python": "/nowhere/python", "version": "0"}')
    press(image, "ctrl+shift+f")
    window("^GIMP Message$")
    seen["title_refused"] = title(image)
    shoot("refused")
    return seen


def preview_squares():
    """Count the pixels of the preview's checkerboard, of the colour that is seldomer."""
    return min(pixels(square, exactly=True) for square in SQUARES)


def spoil_and_save(dialog):
    """Choose what finds next to no background, and save these settings."""
    press(dialog, "alt+m")
    xdotool("key", "Down", "Down", "alt+t")
    xdotool("type", "0\t")
    patiently(lambda: not preview_squares())
    shoot("spoilt")
    xdotool("key", "alt+s")
    patiently(lambda: list((SESSION / "window-profile" / "plug-in-settings").glob("*.default")))


def reset_to_initial_values():
    """Take the first way in the menu of the reset button; return what the preview shows then."""
    before = grab()
    xdotool("key", "alt+r")
    patiently(lambda: differing(before) > 5000)  # more than a button that is pressed: its menu is there
    shoot("reset")
    xdotool("key", "Return")
    return patiently(preview_squares)


def prepare_profile():
    """Leave GIMP's own plug-ins out, but for those that open the pictures: it starts in half the time."""
    said = subprocess.run([gimp(), "--version"], capture_output=True, text=True, check=True).stdout
    settings = GIMPRC.format(version=said.split()[-1], session=SESSION)
    (SESSION / "window-profile" / "gimprc").write_text(settings)
    (SESSION / "window-plug-ins").mkdir()
    for name in ("file-png", "python-eval"):
        (found,) = Path("/usr/lib").glob(f"**/gimp/3.0/plug-ins/{name}")
        (SESSION / "window-plug-ins" / name).symlink_to(found)


def prepare_pictures():
    """Draw two layers that differ in colour."""
    folder = SESSION / "window-pictures"
    folder.mkdir()
    left = Image.open(SESSION / "pictures" / "rgb.png")
    left.save(folder / "left.png")
    Image.merge("RGB", left.split()[::-1]).save(folder / "right.png")


def gimp():
    return str(sorted(Path("/usr/bin").glob("gimp-3.*"))[-1])


def patiently(condition):
    """Wait until a condition gives something, and return it."""
    end = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > end:
            shoot("too-late")
            raise TimeoutError(f"waited {PATIENCE} seconds in vain; screenshots/too-late.png shows for what")
        time.sleep(0.1)
    return found


def search_for_command(image):
    """Find the command by its name, as a person does who does not know its menu."""
    press(image, "slash")
    search = window("^Search Actions$")
    empty = xdotool("getwindowgeometry", search)
    xdotool("windowactivate", "--sync", search)
    xdotool("type", "--delay", "20", COMMAND)
    patiently(lambda: xdotool("getwindowgeometry", search) != empty)  # it grows with what it found
    press(search, "Return")


def window(name):
    """Wait for a visible window of this name."""
    return patiently(lambda: xdotool("search", "--onlyvisible", "--name", name).split("\n")[0])


def title(identifier):
    return xdotool("getwindowname", identifier)


def press(identifier, key):
    """Press a key in a window, once it has the focus."""
    xdotool("windowactivate", "--sync", identifier)
    xdotool("key", key)


def xdotool(*arguments):
    return subprocess.run(["xdotool", *arguments], capture_output=True, text=True).stdout.strip()


def grab():
    return ImageGrab.grab(xdisplay=os.environ["DISPLAY"]).convert("RGB")


def shoot(name):
    """Keep what the screen shows."""
    grab().save(SHOTS / f"{name}.png")


def differing(before):
    """Count the pixels that do not look as before."""
    return sum(ImageChops.difference(before, grab()).convert("L").histogram()[1:])


def pixels(colour, exactly=False):
    """Count the pixels of about this colour; as few as in a thumbnail are none."""
    near, picture = 0 if exactly else 8, grab()
    counted = picture.getcolors(picture.width * picture.height)
    count = sum(n for n, seen in counted if all(abs(a - b) <= near for a, b in zip(seen, colour, strict=True)))
    return count if count > 3000 else 0


def both_backdrops():
    """Count the pixels of the layer that shows less of its backdrop."""
    return min(pixels(LEFT), pixels(RIGHT))


def no_backdrop():
    return not pixels(LEFT) and not pixels(RIGHT)


def workers():
    """Count the worker processes."""
    found = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            found += b"gimp_worker" in (process / "cmdline").read_bytes()
        except OSError:  # it has ended
            continue
    return found


if __name__ == "__main__":
    main()
