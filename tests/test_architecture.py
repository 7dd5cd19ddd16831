"""Imports point down only."""

import ast
from pathlib import Path

import bgwatch

PACKAGE = Path(bgwatch.__file__).parent

# each row may import the rows below it; rooms in one row are strangers unless listed in SIBLINGS
ROWS = [
    ["cli", "cli_watch", "gimp_worker", "__main__"],
    ["watch", "install", "unit"],
    ["report", "sheet", "sheet_html", "layer", "options", "terminal"],
    ["batch"],
    ["planning"],
    ["pool"],
    ["job", "wishes"],
    ["workers", "cluster", "inputs", "config", "journal"],
    ["writing"],
    ["imagefile", "segment"],
    ["reading"],
    ["icc"],
    ["process"],
    ["settings"],
    ["problems"],
    ["naming"],
    ["place"],
    ["durable"],
    ["series"],
    ["numbering"],
    ["errors", "__init__"],
]
SIBLINGS = {
    ("__main__", "cli"),
    ("cli", "cli_watch"),
    ("sheet_html", "sheet"),
    ("cluster", "cluster"),
    ("cluster.errand", "workers"),
    *((f"reading.{name}", "reading") for name in ("decoding", "deep", "decoders", "embedded", "pages")),
    *((f"writing.{name}", "writing") for name in ("animate", "behind", "encode", "finish", "frame")),
    *((f"inputs.{name}", "inputs") for name in ("fetch", "lists", "streams", "tables", "target")),
    ("journal", "inputs"),
    *((f"watch.{name}", "watch") for name in ("service", "watched", "intake", "outcomes", "filing", "retry", "report")),
    *((f"watch.{name}", "watch") for name in ("ledger", "opening")),
    *((f"segment.{name}", "segment") for name in ("pipeline", "article", "backdrop", "result", "subject")),
}
ONLY = {"watchdog": {"watch.events"}, "http": {"inputs.fetch"}, "ssl": {"inputs.fetch"}, "sklearn": {"segment.kmeans"}}
ONLY |= {"urllib": {"inputs.sources", "inputs.target"}, "urllib.request": set()}  # they split texts, and open nothing
ONLY |= {"idna": {"inputs.target"}, "distributed": {"cluster.scheduler", "cluster.errand"}, "dask": set()}
ONLY |= {"PIL.ImageCms": {"icc"}}
LAZILY = {"distributed"}  # extras, and slow to import: never at the top of a module
# arithmetic that several steps of segment/ share; apart from these, only the pipeline and its parts import steps
SHARED_BY_STEPS = {
    f"segment.{name}"
    for name in ("blend", "course", "depth", "morphology", "pixels", "planes", "regions", "smoothing", "ycc")
}


def rooms() -> dict[str, list[str]]:
    """Every module with the modules it imports."""
    found = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(file.relative_to(PACKAGE).with_suffix("").parts)
        if name.startswith("gimp_plugin"):
            continue
        imports = []
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imports += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{name}: imports are written in full"
                assert node.module
                imports += [
                    f"{node.module}.{alias.name}" if node.module in ("bgwatch", "PIL") else node.module
                    for alias in node.names
                ]
        found[name.removesuffix(".__init__")] = imports
    return found


def row_of(module: str) -> int:
    top = module.split(".")[0]
    return next(number for number, row in enumerate(ROWS) if top in row)


def test_every_import_points_down() -> None:
    """A module imports rows below its own; siblings only where the table says so."""
    wrong = []
    for name, imports in rooms().items():
        for imported in imports:
            if not imported.startswith("bgwatch.") or name == "__init__":
                continue
            target = imported.removeprefix("bgwatch.")
            if target == "__version__":
                continue
            below = row_of(target) > row_of(name)
            sibling = (name, target.split(".")[0]) in SIBLINGS
            sibling |= name.startswith("segment.") and target in SHARED_BY_STEPS
            if not below and not sibling:
                wrong.append(f"{name} imports {target}")
    assert not wrong


def test_some_libraries_have_one_door() -> None:
    """Watchdog, the network, scikit-learn, Dask and littlecms are imported in one room or two."""
    for name, imports in rooms().items():
        for library, doors in ONLY.items():
            if any(f"{imported}.".startswith(f"{library}.") for imported in imports):
                assert name in doors, f"{name} imports {library}"


def test_some_libraries_wait_until_they_are_asked_for() -> None:
    """Who does not use a cluster does not pay for it."""
    for file in PACKAGE.rglob("*.py"):
        for node in ast.parse(file.read_text()).body:
            named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            named += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not LAZILY & {name.split(".")[0] for name in named}, file.name


def test_the_segmentation_reads_no_clock_but_one() -> None:
    """The time is told in the report; nothing that finds alpha knows it."""
    for name, imports in rooms().items():
        if name.startswith("segment.") and {"time", "datetime"} & set(imports):
            assert name == "segment.laps"


def test_the_top_level_is_what_the_readme_says() -> None:
    """Nothing else lies at the top of the checkout."""
    top = PACKAGE.parent
    if not (top / "pyproject.toml").exists():
        return
    wanted = {"bgwatch", "gimp_plugin", "tests", "pyproject.toml", "config.example.yaml", "README.md"}
    assert wanted <= {path.name for path in top.iterdir()}
