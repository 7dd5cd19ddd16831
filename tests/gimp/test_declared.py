"""The plug-in declares the options as settings.py has them, and speaks the worker's protocol; read, not run."""

import ast
import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from gimp_pictures import CHECKOUT

from bgwatch import gimp_worker
from bgwatch.install import PLUGIN, SCRIPT
from bgwatch.settings import Segmentation

FILES = {path.name: path for path in (CHECKOUT / "gimp_plugin" / PLUGIN).glob("*.py")}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}
TREE = TREES[SCRIPT]
RESULTS = ["layer_mask", "transparency", "new_layer"]  # keywords, whose values have hyphens
GIMP_INT_MAX = 2**31 - 1
FIELDS = Segmentation.model_json_schema()["properties"]


def constant(name: str, file: str = SCRIPT) -> Any:
    """Return the value of a constant of the plug-in."""
    for node in TREES[file].body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    raise KeyError(name)


def declared() -> dict[str, ast.Call]:
    """Return the calls that declare arguments, by the argument's name."""
    kinds = ("add_int_argument", "add_choice_argument", "add_string_argument")
    calls = [node for node in ast.walk(TREE) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    return {ast.literal_eval(call.args[0]): call for call in calls if call.func.attr in kinds}


def test_every_argument_is_a_setting_and_is_passed_on() -> None:
    """All but the result, which is GIMP's own matter."""
    assert set(declared()) == {*constant("OPTIONS"), "result"}
    assert set(constant("OPTIONS")) <= set(FIELDS)


def test_the_result_is_a_mask_unless_another_is_asked_for() -> None:
    call = declared()["result"]
    assert [keyword.arg for keyword in call.args[3].keywords] == RESULTS
    assert ast.literal_eval(call.args[-2]) == "layer-mask"


@pytest.mark.parametrize("name", constant("OPTIONS"))
def test_an_argument_has_the_range_and_default_of_its_setting(name: str) -> None:
    """GIMP's integers end at 2**31 - 1; nothing else differs."""
    call, field = declared()[name], FIELDS[name]
    kind = call.func.attr
    default = ast.literal_eval(call.args[-2])
    assert default == field["default"]
    if kind == "add_int_argument":
        low, high = (ast.literal_eval(argument) for argument in call.args[3:5])
        assert (low, high) == (field["minimum"], min(field["maximum"], GIMP_INT_MAX))
    elif kind == "add_choice_argument":
        assert [keyword.arg for keyword in call.args[3].keywords] == field["enum"]
    else:
        assert (kind, field["type"]) == ("add_string_argument", "string")


def test_each_argument_has_a_key_of_its_own_in_the_dialog() -> None:
    """Which is none of those that the dialog's own buttons have: Load, Save, Help, Reset, Cancel and OK."""
    labels = [ast.literal_eval(call.args[1]) for call in declared().values()]
    keys = [label[label.index("_") + 1].lower() for label in labels]
    assert not set(keys) & set("lshrco")
    assert len(set(keys)) == len(keys)


def test_the_dialog_shows_every_argument() -> None:
    assert constant("OPTIONS", "dialog.py") == list(declared())


def test_the_plug_in_speaks_the_workers_protocol() -> None:
    assert constant("PROTOCOL", "worker.py") == gimp_worker.PROTOCOL
    assert constant("PROCEDURE") == PLUGIN


def test_the_plug_in_needs_nothing_but_gi() -> None:
    """GIMP's own Python has no numpy and no bgwatch."""
    nodes = [node for tree in TREES.values() for node in ast.walk(tree)]
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    ours = {name.removesuffix(".py") for name in FILES}
    assert not ours & set(sys.stdlib_module_names)
    assert {name.split(".")[0] for name in imported} <= {*sys.stdlib_module_names, "gi", *ours}


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for Python is a shell script")
def test_the_worker_starts_without_what_gimp_set_for_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And with one thread for sums."""
    plugin = tmp_path / "worker.py"
    plugin.write_text(FILES["worker.py"].read_text())
    stand_in = tmp_path / "python"
    stand_in.write_text(f"#!/bin/sh\nenv > {tmp_path}/seen\n")
    stand_in.chmod(0o755)
    (tmp_path / "bgwatch.json").write_text(json.dumps({"python": str(stand_in), "version": "1"}))
    for name in ("LD_LIBRARY_PATH", "PYTHONHOME", "GI_TYPELIB_PATH", "GEGL_PATH", "BABL_PATH"):
        monkeypatch.setenv(name, "/usr/lib/gimp")
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    monkeypatch.setenv("LANG", "C.UTF-8")
    spec = importlib.util.spec_from_file_location("worker", plugin)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    worker = module.Worker()
    worker.process.wait(30)
    with worker:
        pass
    seen = dict(line.split("=", 1) for line in (tmp_path / "seen").read_text().splitlines() if "=" in line)
    assert not [name for name, value in seen.items() if value == "/usr/lib/gimp"]
    assert (seen["OMP_NUM_THREADS"], seen["OPENBLAS_NUM_THREADS"], seen["LANG"]) == ("1", "1", "C.UTF-8")


def test_the_dialog_is_imported_only_when_it_is_shown() -> None:
    """Importing GimpUi without a display ends the plug-in."""
    top = {
        name: {
            alias.name for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names
        }
        for name, tree in TREES.items()
    }
    assert [name for name, imported in top.items() if "GimpUi" in imported] in ([], ["dialog.py"])
    assert not [name for name, imported in top.items() if "dialog" in imported]
