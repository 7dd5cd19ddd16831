"""Templates of names: what is refused, and that whatever passes gives one valid name below the folder of results."""

import os
from pathlib import PurePosixPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bgwatch.errors import SettingsError
from bgwatch.naming import FIELDS, checked, rendered
from bgwatch.problems import problems
from bgwatch.settings import FolderDefaults, Naming


def named(template: str, stem: str = "photo", suffix: str = ".png", **fields: object) -> str:
    given = {"name": stem + ".jpg", "folder": "trip", "number": 7, **fields}
    return rendered(checked(template), suffix, stem, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{stem}", "photo.png"),
        ("{stem}.{ext}", "photo.png"),
        ("{stem}.png", "photo.png"),
        ("{stem}.webp", "photo.webp.png"),
        ("{stem}_{ext}", "photo_png.png"),
        ("{name}", "photo.jpg.png"),
        ("{folder}/{stem}-web", "trip/photo-web.png"),
        ("{number:04d}-{stem}", "0007-photo.png"),
        ("{number}", "7.png"),
        ("{number:02}", "07.png"),
        ("cut", "cut.png"),
        ("{{{stem}}}", "{photo}.png"),
        ("ä b", "ä b.png"),
    ],
)
def test_templates_give_names(template: str, name: str) -> None:
    assert named(template) == name


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("", "a file without a name"),
        ("{bogus}", r"\{bogus\} is none of its fields; take \{stem\}, \{name\}, \{folder\}, \{number\}, \{ext\}"),
        ("{}", r"\{\} is none"),
        ("{0}", r"\{0\} is none"),
        ("{stem.__class__}", r"\{stem\.__class__\} is none"),
        ("{stem[0]}", r"\{stem\[0\]\} is none"),
        ("{stem!r}", r"\{stem!r\} is none"),
        ("{stem:>99999999}", r"\{stem:>99999999\} cannot be written so; only \{number\} takes a width"),
        ("{number:{stem}}", "cannot be written so"),
        ("{number:099999999d}", "cannot be written so"),
        ("{number:x}", "cannot be written so"),
        ("{stem", "a brace without its other one"),
        ("stem}", "a brace without its other one"),
        ("{stem!}", "a brace without its other one"),
        ("/{stem}", "a folder or a file without a name"),
        ("a//{stem}", "a folder or a file without a name"),
        ("{stem}/", "a folder or a file without a name"),
        ("../{stem}", "leads out of the folder of results"),
        ("a/../../{stem}", "leads out of the folder of results"),
        ("a/ ../{stem}", "leads out of the folder of results"),
        (".{stem}", "or hides them"),
        (".{ext}", "a file without a name"),
        ("a\\{stem}", "no backslashes"),
        ("a\n{stem}", "no control characters"),
        ("\0", "no control characters"),
        ("\ud800", "a character that no file name can have"),
    ],
)
def test_what_is_no_template_is_refused_in_one_sentence(template: str, said: str) -> None:
    with pytest.raises(SettingsError, match=rf"^name: .*{said}.*, got ") as told:
        Naming.of({"name": template})
    assert "\n" not in str(told.value)


def test_a_watched_folder_has_no_numbers() -> None:
    with pytest.raises(ValueError, match="counts the pictures of one call of remove") as told:
        FolderDefaults(name="{number}-{stem}")
    assert len(problems(told.value, FolderDefaults)) == 1  # type: ignore[arg-type]
    assert Naming.of({"name": "{number}-{stem}"}).name == "{number}-{stem}"


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("..", "_.png"),
        ("...", "_.png"),
        (" ", "_.png"),
        (".hidden", "hidden.png"),
        ("a/b\\c", "abc.png"),
        ("a\0b\n", "ab.png"),
        ("a..b", "a.b.png"),
        ("\x1b[31mred", "[31mred.png"),
        ("con", "_con.png"),
        ("COM1.x", "_COM1.x.png"),
        ("console", "console.png"),
        ("caf\udce9", "caf\udce9.png"),
        ("{stem.__class__}", "{stem.__class__}.png"),
    ],
)
def test_fields_are_made_harmless(stem: str, name: str) -> None:
    assert named("{stem}", stem) == name


def test_what_is_too_long_loses_the_end_of_its_longest_field() -> None:
    assert named("{folder}-{stem}-web", "s" * 300) == "trip-" + "s" * 242 + "-web.png"
    assert named("{stem}/{number:04d}", "ä" * 200) == "ä" * 127 + "/0007.png"
    assert named("x" * 300) == "x" * 251 + ".png"


ANYTHING = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("./\\\0 \udce9{}"), max_size=300)
PIECES = st.sampled_from([f"{{{field}}}" for field in FIELDS]) | st.sampled_from(["/", ".", "..", "-", "{number:03d}"])


@given(
    template=st.lists(PIECES | st.text(max_size=5), min_size=1, max_size=8).map("".join) | ANYTHING,
    texts=st.tuples(ANYTHING, ANYTHING, ANYTHING),
    number=st.integers(1, 10**9),
    suffix=st.sampled_from([".png", ".jpg"]),
)
@example("{stem}/{name}/{folder}", ("..", "../x", "/"), 1, ".png")
@example("{stem}/{folder}.x", ("con", "", "Lpt9"), 1, ".png")
@example("{stem}{folder}/{stem}", (".", "", "."), 1, ".png")
def test_whatever_the_names_a_result_lies_in_its_folder_under_one_valid_name(
    template: str, texts: tuple[str, str, str], number: int, suffix: str
) -> None:
    try:
        checked(template)
    except ValueError:
        return
    name = rendered(template, suffix, *texts, number)
    assert name.endswith(suffix)
    parts = name.split("/")
    assert len(parts) == template.count("/") + 1
    assert os.path.normpath(f"/out/{name}") == f"/out/{name}"
    assert PurePosixPath(name).parts == tuple(parts)
    for part in parts:
        assert part
        assert not part.startswith((".", " "))
        assert not part.endswith((".", " "))
        assert len(os.fsencode(part)) <= 255
        assert not any(char in part for char in "\0\n\\")
        assert part.partition(".")[0].upper() not in {"CON", "PRN", "AUX", "NUL", "COM1", "LPT9"}
