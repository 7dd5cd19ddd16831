"""What is wrong with settings, in words."""

import difflib
import reprlib
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ValidationError

PATTERNS_IN_WORDS = {
    "backdrop": "must be auto, first-pixel or a colour like '#c0c0c0'",
    "scheduler": "must be an address like tls://host:8786 or tcp://127.0.0.1:8786",
    "fill": "must be transparent, a colour like '#ffffff' or a picture",
    "canvas": "must be square or a size like 1000x1000",
    "crop_padding": "must be pixels like 20 or a share like 5%",
}
_SHORT = reprlib.Repr()
_SHORT.maxlevel = 1
_SHORT.maxstring = _SHORT.maxother = 60


def problems(error: ValidationError, model: type[BaseModel], at: str = "") -> list[str]:
    """Say each problem as ``dotted.path: what is wrong, got VALUE``, nearest names included."""
    return [_problem(details, model, at) for details in error.errors(include_url=False)]


def unknown_name(name: str, known: Iterable[str]) -> str:
    """Say that a name is not known, and which known one is nearest."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return "is not a setting" + (f"; did you mean {near[0]!r}?" if near else "; take it out")


def _problem(details: Any, model: type[BaseModel], at: str) -> str:
    path = ".".join(str(part) for part in details["loc"])
    where = ".".join(part for part in (at, path) if part)
    if details["type"] == "extra_forbidden":
        return f"{where}: {unknown_name(str(details['loc'][-1]), model.model_fields)}"
    if details["type"] == "missing":
        return f"{where}: is missing"
    if details["type"] == "string_pattern_mismatch" and details["loc"][-1] in PATTERNS_IN_WORDS:
        said = PATTERNS_IN_WORDS[details["loc"][-1]]
    else:
        said = details["msg"].removeprefix("Value error, ").replace("Input should", "must")
    if not path:
        return f"{where + ': ' if where else ''}{said}"
    return f"{where}: {said}, got {_SHORT.repr(details['input'])}" + _quoting(details)


def _quoting(details: Any) -> str:
    """Say what YAML does to words that are not in quotes, where it has done it."""
    if details["type"] != "string_type" or not isinstance(details["input"], bool | None):
        return ""
    return "; write it in quotes, since YAML takes # for a comment and yes and no for truth values"
