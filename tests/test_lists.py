"""Lists of pictures: which cells name them, and what is said of those that do not."""

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgwatch.errors import PictureError
from bgwatch.inputs.lists import is_list, listed
from bgwatch.inputs.sources import Url

PEOPLE = (
    "name,img,home\nAnna,pics/anna.jpg,https://anna.example\nBen,https://ben.example/b.png?x=1,https://ben.example\n"
)
DATA = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAA"
ORG = "https://example.org"


def read(path: Path, column: str | None = None) -> tuple[list[str], list[str]]:
    """Give what a list names, and what is said of it."""
    said: list[str] = []
    return [str(source) for source in listed(path, column, said.append, said.append)], said


def written(path: str, text: str | bytes) -> Path:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(text.encode() if isinstance(text, str) else text)
    return Path(path)


def refused(path: Path, column: str | None = None) -> str:
    with pytest.raises(PictureError) as told:
        read(path, column)
    return str(told.value)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_column_names_paths_and_addresses(delimiter: str, mark: str, end: str) -> None:
    text = mark + PEOPLE.replace(",", delimiter).replace("\n", end)
    found, said = read(written("lists/people.csv", text), "img")
    assert found == ["lists/pics/anna.jpg", "https://ben.example/b.png?x=1"]
    assert not said


def test_paths_start_from_the_list() -> None:
    path = written("lists/a.txt", f"a.jpg\n../b.jpg\n{Path('c.jpg').absolute()}\nhttps://example.org//d.jpg\n")
    sources = list(listed(path, None, print, print))
    c = Path("c.jpg").absolute()
    assert sources == [Path("lists/a.jpg"), Path("lists/../b.jpg"), c, Url("https://example.org//d.jpg")]


def test_a_text_list_has_comments_and_blank_lines() -> None:
    path = written("a.txt", "# people\n\n  a b.jpg  \n#c.jpg\nd#1.jpg\nhttps://example.org/e.jpg#top")
    assert read(path) == (["a b.jpg", "d#1.jpg", "https://example.org/e.jpg#top"], [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("img\na.jpg\nb\n", ["a.jpg", "b"]),
        ("img\nhttps://example.org/w_1,h_2/a.jpg\n", ["https://example.org/w_1,h_2/a.jpg"]),
        ('img\n"https://example.org/w_1,h_2/a.jpg"\n', ["https://example.org/w_1,h_2/a.jpg"]),
        ("name,img\nAnna,a.jpg\nBen,n/a\nCleo,c.png\n", ["a.jpg", "n/a", "c.png"]),
        ("name;img\nAnna, the first;a.jpg\n", ["a.jpg"]),
        ('name,img\n"Anna,\nthe first",a.jpg\n', ["a.jpg"]),
        ("a.jpg\nb.jpg\n", ["a.jpg", "b.jpg"]),
        ("Anna,a.jpg\nBen,b.jpg\n", ["a.jpg", "b.jpg"]),
        ("\n,,\nname,img,\nAnna,a.jpg,\n", ["a.jpg"]),
        ("\nsep=;\n\nname;img\nAnna;a.jpg\n", ["a.jpg"]),
        ("sep=;\nname, first;img\nAnna;a.jpg\n", ["a.jpg"]),
        ('"name, first, last";img\n"A, B, C";a.jpg\n', ["a.jpg"]),
        ("name, first, last\timg\nAnna\ta.jpg\n", ["a.jpg"]),
        ("https://example.org/a.jpg,Anna\nhttps://example.org/2?x=1,Ben\n", [f"{ORG}/a.jpg", f"{ORG}/2?x=1"]),
        ("https://example.org/1,Anna Smith\n", [f"{ORG}/1"]),
        ("https://example.org/1\tAnna\n", [f"{ORG}/1"]),
        ("sep=,\nhttps://example.org/1,Anna\n", [f"{ORG}/1"]),
        ('"https://example.org/1",Anna\n', [f"{ORG}/1"]),
        ('"https://example.org/a?crop=1,2,3"\n', [f"{ORG}/a?crop=1,2,3"]),
        ("https://example.org/a.jpg\nhttps://example.org/a?crop=1,2,3\n", [f"{ORG}/a.jpg", f"{ORG}/a?crop=1,2,3"]),
        ("name,img\n", None),
        ("name,img\nAnna,a\n", None),
        ("img\n", []),
    ],
)
def test_the_column_is_found_where_there_is_but_one(text: str, found: list[str] | None) -> None:
    path = written("a.csv", text)
    if found is None:
        assert refused(path).startswith("a.csv: none of its columns seems to name pictures; name one of 'name', 'img'")
    else:
        assert read(path) == (found, [])


def test_a_column_that_is_missing_or_not_clear_is_told_with_those_there_are() -> None:
    path = written("people.csv", PEOPLE)
    assert refused(path, "image") == (
        "people.csv: has no column 'image'; name one of 'name', 'img', 'home' with --column"
    )
    assert refused(path) == (
        "people.csv: 2 of its columns name pictures; name one of 'name', 'img', 'home' with --column"
    )
    doubled = written("doubled.csv", "img,name,img\na.jpg,Anna,b.jpg\n")
    assert refused(doubled, "img") == "doubled.csv: has 2 columns 'img'; give each a name of its own"
    assert "name one of '1', '2' with --column" in refused(written("a.csv", "a.jpg,b.jpg\n"), "img")
    assert read(Path("a.csv"), "2") == (["b.jpg"], [])


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("https://example.org/a.jpg?crop=1,2,3\n", "/a.jpg?crop=1"),
        ("https://example.org/w_1,h_2/a.jpg\n", "/w_1"),
        ("https://example.org/1;a=1;b\nhttps://example.org/2\n", "/1"),
    ],
)
def test_no_address_is_cut_where_no_line_names_columns(text: str, cut: str) -> None:
    assert refused(written("a.csv", text)) == (
        f"a.csv: whether its first address ends with {ORG}{cut} is not clear, since no line above names the columns;"
        " add such a line, or put the addresses into quotes"
    )
    assert read(written("a.csv", f"img\n{text}")) == (text.split(), [])


def test_who_names_a_column_knows_where_it_ends() -> None:
    assert read(written("a.csv", "https://example.org/1,Anna\n"), "1") == ([f"{ORG}/1"], [])


def test_a_row_with_more_cells_than_columns_is_told() -> None:
    path = written("a.csv", "name;img\nAnna;https://example.org/a;b;c.jpg\nBen;b.jpg;;\n")
    assert read(path) == (["b.jpg"], ["a.csv: line 2 has 4 cells for 2 columns; put what has a ';' in it into quotes"])


def test_a_picture_is_whole_whatever_follows_it_in_a_row_of_more_cells() -> None:
    """An unquoted comma in a note is no reason to leave the picture out."""
    path = written(
        "a.csv", "img,note\na.jpg,hello, world\nhttps://example.org/b.jpg,yes, please\nhello, c.jpg,no, no\n"
    )
    found, said = read(path)
    assert found == ["a.jpg", f"{ORG}/b.jpg"]
    assert [sentence.partition(";")[0] for sentence in said] == ["a.csv: line 4 has 4 cells for 2 columns"]


def test_paths_may_start_from_a_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    root = Path("~root").expanduser()
    path = written("lists/a.txt", "~/pics/a.jpg\n~root/b.jpg\n~no-one-has-this-name/c.jpg\n./~/d.jpg\n~e.jpg\n~\n")
    found, said = read(path)
    assert found == [f"{tmp_path}/pics/a.jpg", f"{root}/b.jpg", "lists/~/d.jpg", "lists/~e.jpg", "lists/~"]
    assert said == [
        "lists/a.txt: line 3 names ~no-one-has-this-name, and no such home is known;"
        " give the whole path, or ./~no-one-has-this-name for a folder of that name"
    ]


def test_empty_cells_are_counted() -> None:
    path = written("a.csv", "name,img\nAnna,a.jpg\n\nBen,\nCleo\nDora,  \n")
    assert read(path, "img") == (["a.jpg"], ["a.csv: 3 rows have nothing in the column 'img'; skipped"])


def test_what_can_be_no_picture_is_told_with_its_line() -> None:
    Path("folder").mkdir()
    rows = ["a.jpg", "b.csv", "c\0.jpg", "https://example.org/d.csv", "folder/", ".", DATA, "x/" * 2500, "y" * 300]
    path = written("a.csv", "\n".join(["img", *rows]))
    found, said = read(path)
    assert found == ["a.jpg", "https://example.org/d.csv", "y" * 300]
    assert said == [
        "a.csv: line 3 names another list (b.csv), which is not followed; give that one as an INPUT",
        "a.csv: line 4 has a NUL character in it; take it out",
        "a.csv: line 6 names a folder (folder/), which is not followed; give that one as an INPUT",
        "a.csv: line 7 names a folder (.), which is not followed; give that one as an INPUT",
        "a.csv: line 8 has a picture in it (data:image/png;base64,iVB...), which is not read; save that to a file",
        "a.csv: line 9 has 5000 characters, and a path has no more than 4096; check it",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("img\ngrüße.jpg\n".encode("latin-1"), "must be UTF-8 text, and it has the byte 0xfc; save it as UTF-8"),
        ("img\na.jpg\n".encode("utf-16"), "must be UTF-8 text, and it has the byte 0xff; save it as UTF-8"),
        (b"img\n" + b"x" * 200_000, "not readable as CSV (field larger than field limit (131072)); check its quotes"),
        (b"", "the list is empty; name a list of pictures"),
        (b"\n\n", "the list is empty; name a list of pictures"),
    ],
)
def test_what_is_no_list_gives_one_sentence(text: bytes, said: str) -> None:
    assert refused(written("a.csv", text)).startswith(f"a.csv: {'a list ' if 'UTF' in said else ''}{said}")


def test_what_cannot_be_read_gives_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(Path("none.csv")) == (
        "none.csv: the list cannot be read (No such file or directory); check its name and rights"
    )
    assert refused(Path("/dev/null")) == "/dev/null: not a regular file; give a list that is one"
    monkeypatch.setattr("bgwatch.inputs.lists.MAX_BYTES", 3)
    assert "lists of more than" in refused(written("a.csv", PEOPLE))


def test_a_list_is_known_by_its_name_unless_it_is_a_picture(draw: object) -> None:
    written("a.csv", PEOPLE)
    assert all(is_list(Path(name)) for name in ("a.csv", "none.tsv", "B.TXT"))
    draw("really.png").rename("really.txt")  # type: ignore[operator]
    Path("folder.csv").mkdir()
    for source in (Path("a.jpg"), Path("really.txt"), Path("folder.csv"), Url("https://example.org/a.csv")):
        assert not is_list(source)


@given(st.binary())
def test_no_bytes_break_a_list(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    for name in ("any.csv", "any.txt"):
        path = tmp_path_factory.getbasetemp() / name
        path.write_bytes(data)
        with contextlib.suppress(PictureError):
            found, said = read(path)
            assert all("\0" not in source for source in found)
            assert all(sentence.startswith(f"{path}: ") for sentence in said)
