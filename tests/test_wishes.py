"""Which file each result becomes: names by template, and clashes settled as asked for."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scenes import Ended

from bgwatch.errors import SettingsError
from bgwatch.planning import Plan, plan
from bgwatch.settings import Naming, Output

Bgwatch = Callable[..., Ended]
Draw = Callable[..., Path]


def touched(*names: str) -> list[Path]:
    """Make files; a plan does not read those that are named."""
    for path in map(Path, names):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a person's")
    return list(map(Path, names))


def planned(sources: list[Path], out: str | None = "out", **how: object) -> Plan:
    return plan(sources, out and Path(out), Output(), naming=Naming(**how))  # type: ignore[arg-type]


def targets(sources: list[Path], out: str | None = "out", **how: object) -> list[str]:
    return list(map(str, planned(sources, out, **how).targets.values()))


def test_names_by_template() -> None:
    sources = touched("in/a.jpg", "in/b.jpg", "else/a.jpg")
    assert targets(sources, name="{folder}/{stem}") == ["out/in/a.png", "out/in/b.png", "out/else/a.png"]
    assert targets(sources, name="{number:03d}-{stem}") == ["out/001-a.png", "out/002-b.png", "out/003-a.png"]
    assert targets(sources, name="x") == ["out/x.png", "out/x-2.png", "out/x-3.png"]
    assert targets(sources, None, name="{stem}-web") == ["in/a-web.png", "in/b-web.png", "else/a-web.png"]
    assert targets([Path("in/../in/a.jpg"), Path("c.jpg")], name="{folder}-{stem}") == [
        "out/in-a.png",
        "out/work-c.png",
    ]


def test_folders_are_mirrored_above_a_template(draw: Draw) -> None:
    draw("in/sub/a.jpg")
    assert targets([Path("in")], name="{folder}/{stem}") == ["out/sub/sub/a.png"]


def test_a_link_leads_no_name_out() -> None:
    Path("out").mkdir()
    Path("out/a").symlink_to("..")
    with pytest.raises(SettingsError, match=r"out/a/x\.png: leads out of out through a link"):
        planned(touched("in/a.jpg"), name="{stem}/x")


@pytest.mark.parametrize(
    ("on_conflict", "after"),
    [
        ("number", ["out/a-2.png", "out/a-3.png", "out/b.png"]),
        ("overwrite", ["out/a.png", "out/a-2.png", "out/b.png"]),
        ("skip", ["out/b.png"]),
    ],
)
def test_where_a_name_is_taken(on_conflict: str, after: list[str]) -> None:
    touched("out/a.png")
    sources = touched("in/a.jpg", "in/a.png", "in/b.jpg")
    made = planned(sources, on_conflict=on_conflict)
    assert list(map(str, made.targets.values())) == after
    assert list(made.standing) == (sources[:2] if on_conflict == "skip" else [])


def test_two_of_one_run_are_numbered_whatever_is_asked_for() -> None:
    sources = touched("in/a.jpg", "in/a.png")
    for on_conflict in ("number", "overwrite", "skip"):
        assert targets(sources, on_conflict=on_conflict) == ["out/a.png", "out/a-2.png"]


def test_no_source_is_overwritten_under_any_of_its_names() -> None:
    touched("x.png", "b.png")
    os.link("x.png", "a.png")
    Path("d.png").symlink_to("x.png")
    Path("e.png").mkdir()
    sources = [*map(Path, ("x.png", "a.jpg", "b.jpg", "d.jpg", "e.jpg"))]
    found = targets(sources, None, name="{stem}", on_conflict="overwrite")
    assert found == ["x-2.png", "a-2.png", "b.png", "d-2.png", "e-2.png"], "b.png is no source"


@given(
    sources=st.lists(st.sampled_from(["a", "b", "a-2", "A"]), min_size=1, max_size=6),
    there=st.sets(st.sampled_from(["a.png", "a-2.png", "b.png", "0/a.png", "1/b.png"])),
    on_conflict=st.sampled_from(["number", "overwrite", "skip"]),
    template=st.sampled_from([None, "{stem}", "{folder}/{stem}", "{name}", "x"]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_file_is_promised_twice_and_none_is_lost(
    tmp_path_factory: pytest.TempPathFactory,
    sources: list[str],
    there: set[str],
    on_conflict: str,
    template: str | None,
) -> None:
    top = tmp_path_factory.mktemp("plan")
    for name in there:
        touched(str(top / "out" / name))
    paths = touched(*(str(top / str(number) / f"{stem}.png") for number, stem in enumerate(sources)))
    made = plan(paths, top / "out", naming=Naming(name=template, on_conflict=on_conflict))  # type: ignore[arg-type]
    found = [str(path).casefold() for path in made.targets.values()]
    assert len(set(found)) == len(found)
    assert not set(made.targets.values()) & set(paths)
    assert all(path.is_relative_to(top / "out") for path in made.targets.values())
    assert [*made.targets, *made.standing] == sorted(paths, key=lambda path: (path in made.standing, paths.index(path)))
    if on_conflict != "overwrite":
        assert not any(map(os.path.lexists, made.targets.values()))
    assert all(map(os.path.lexists, made.standing.values()))


@pytest.mark.parametrize(
    ("arguments", "code", "after"),
    [
        ((), 0, "out.png"),
        (("--on-conflict", "overwrite"), 0, "out.png"),
        (("--on-conflict", "number"), 0, "out-2.png"),
    ],
)
def test_a_result_that_was_named(
    draw: Draw, bgwatch: Bgwatch, arguments: tuple[str, ...], code: int, after: str
) -> None:
    draw("a.jpg")
    touched("out.png")
    ended = bgwatch("remove", "a.jpg", "-o", "out.png", "--workers", 1, *arguments)
    assert (ended.code, ended.out) == (0, f"{after}\n")


def test_a_result_that_was_named_and_is_there_is_skipped_when_asked_for(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("a.jpg")
    touched("out.png")
    ended = bgwatch("remove", "a.jpg", "-o", "out.png", "--on-conflict", "skip")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err == "nothing to do: 1 has a result already\n"
    ended = bgwatch("remove", "a.jpg", "-o", "b.png", "--name", "{stem}")
    assert (ended.code, "leave one out" in ended.err) == (2, True)


def test_overwriting_and_skipping(draw: Draw, bgwatch: Bgwatch) -> None:
    draw("in/a.jpg")
    draw("in/b.jpg")
    touched("out/a.png")
    skipping = bgwatch("remove", "in", "-o", "out", "--on-conflict", "skip")
    assert (skipping.code, skipping.out) == (0, "out/b.png\n")
    assert "1 done, 1 skipped that has a result in" in skipping.err
    assert Path("out/a.png").read_text() == "a person's"
    overwriting = bgwatch("remove", "in/a.jpg", "-o", "out", "--on-conflict", "overwrite")
    assert overwriting.out == "out/a.png\n"
    assert Path("out/a.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in Path("out").iterdir()) == ["a.png", "b.png"]


def everything() -> dict[str, bytes | None]:
    """All files and folders of this user's, with their contents."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in Path("..").rglob("*")}


@pytest.mark.parametrize("as_json", [False, True])
def test_a_dry_run_tells_the_plan_and_writes_nothing(draw: Draw, bgwatch: Bgwatch, as_json: bool) -> None:
    for name in ("in/a.jpg", "in/a.png", "in/sub/b.jpg"):
        draw(name)
    touched("in/notes.txt", "out/a.png")
    before = everything()
    flags = ("--json",) if as_json else ()
    for on_conflict, lines in {
        "number": ["in/a.jpg -> out/a-2.png", "in/a.png -> out/a-3.png", "in/sub/b.jpg -> out/sub/b.png"],
        "overwrite": ["in/a.jpg -> out/a.png (replaced)", "in/a.png -> out/a-2.png", "in/sub/b.jpg -> out/sub/b.png"],
        "skip": [
            "in/sub/b.jpg -> out/sub/b.png",
            "in/a.jpg -> out/a.png (skipped: it is there already)",
            "in/a.png -> out/a.png (skipped: it is there already)",
        ],
    }.items():
        ended = bgwatch("remove", "in", "-o", "out", "--dry-run", "--on-conflict", on_conflict, *flags)
        assert ended.code == 0
        assert ended.out.splitlines() == ([_as_json(line) for line in lines] if as_json else lines)
        count = "1 to do, 2 skipped that have a result" if on_conflict == "skip" else "3 to do"
        assert ended.err == f"{count}, 1 skipped that is no picture; nothing was written\n"
    assert everything() == before
    Path("empty").mkdir()
    assert bgwatch("remove", "empty", "--dry-run", "-o", "else").code == 1, "there is no picture"


def _as_json(line: str) -> str:
    source, _, rest = line.partition(" -> ")
    result, _, remark = rest.partition(" (")
    action = {"": "write", "r": "replace", "s": "skip"}[remark[:1]]
    return f'{{"source": "{source}", "result": "{result}", "action": "{action}"}}'
