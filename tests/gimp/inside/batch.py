"""Runs inside GIMP's Python, in one session: each scenario reports facts, and test_plugin.py judges them.

BGWATCH_SESSION names a folder with pictures/, planes/, profile/ and these files; the facts go to results.json in it.
"""

import json
import sys
import traceback

import gi

gi.require_version("Gimp", "3.0")
gi.require_version("Gegl", "0.4")
gi.require_version("Babl", "0.1")
sys.path.insert(0, INSIDE)  # noqa: F821  # set by the command that runs this file

import cuts  # noqa: E402
import refusals  # noqa: E402
import results  # noqa: E402
from calling import SESSION  # noqa: E402


def report(scenario, *arguments):
    try:
        return scenario(*arguments)
    except Exception:  # noqa: BLE001  # told to the one test that asks for this scenario
        return {"broke": traceback.format_exc()}


def scenarios(module):
    """List the functions of a module that a test may ask for, in the order they are written."""
    return [item for item in vars(module).values() if getattr(item, "__module__", "") == module.__name__]


def run_all():
    found = {}
    for path in sorted((SESSION / "pictures").glob("*.png")):
        for method in ("threshold", "kmeans", "auto"):
            found[f"{path.stem}-{method}"] = report(cuts.cut, path.stem, method)
    for module in (cuts, results, refusals):
        for scenario in scenarios(module):
            if scenario is not cuts.cut and not scenario.__name__.startswith("_"):
                found[scenario.__name__] = report(scenario)
    (SESSION / "results.json").write_text(json.dumps(found, indent=1))


run_all()
