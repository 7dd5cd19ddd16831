"""bgwatch takes the background out of pictures by clustering their colours.

>>> from bgwatch import remove_background          # doctest: +SKIP
>>> cutout = remove_background(image)              # doctest: +SKIP
>>> cutout.rgba, cutout.confidence                 # doctest: +SKIP

Importing the package costs nothing: numpy, Pillow and scikit-learn are loaded when first needed.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bgwatch.errors import BgwatchError, FolderError, PictureError, SettingsError
    from bgwatch.segment.pipeline import remove_background
    from bgwatch.segment.result import Cutout, Report

__version__ = "0.1.0"

_HOMES = {
    "remove_background": "bgwatch.segment.pipeline",
    "Cutout": "bgwatch.segment.result",
    "Report": "bgwatch.segment.result",
    "BgwatchError": "bgwatch.errors",
    "PictureError": "bgwatch.errors",
    "SettingsError": "bgwatch.errors",
    "FolderError": "bgwatch.errors",
}

__all__ = [
    "BgwatchError",
    "Cutout",
    "FolderError",
    "PictureError",
    "Report",
    "SettingsError",
    "__version__",
    "remove_background",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'bgwatch' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
