"""What an address is called: in sentences, and as a file."""

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bgwatch.inputs.sources import Stdin, Url, is_url, key_of, shown
from bgwatch.options import as_source


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://example.org/a/portrait.jpg", "portrait.jpg"),
        ("https://example.org/a/portrait.jpg?size=big#top", "portrait.jpg"),
        ("https://example.org/album/", "album"),
        ("https://example.org", "example.org"),
        ("https://example.org/?id=3", "example.org"),
        ("https://example.org/Gr%C3%BC%C3%9Fe%20aus.jpg", "Grüße aus.jpg"),
        ("https://example.org/%2e%2e%2fetc%2fpasswd", "etcpasswd"),
        ("https://example.org/..", "example.org"),
        ("https://example.org/%2e%2e", "example.org"),
        ("https://example.org/.bashrc", "bashrc"),
        ("https://example.org/a%5Cb%00c%1b[31m%0a.jpg", "abc[31m.jpg"),
        ("https://example.org/a%ff.jpg", "a\ufffd.jpg"),
        ("https://anna:p@ss@example.org/?a@b", "example.org"),
        ("https:///", "picture"),
    ],
)
def test_a_url_has_a_name_for_its_result(url: str, name: str) -> None:
    assert Url(url).name == name


@given(st.text())
@example("/" + "%C3%BC" * 5000)
@example("../" * 50)
def test_a_name_is_one_file_in_its_folder(tail: str) -> None:
    url = Url(f"https://example.org/{tail}")
    assert url.stem
    assert Path("folder", url.name).parent == Path("folder")
    assert "\0" not in url.name
    assert not url.name.startswith(".")
    assert len(url.name) <= 200


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://example.org/a.jpg?size=big&id=3", "https://example.org/a.jpg?size=big&id=3"),
        ("https://anna:secret@example.org/a.jpg", "https://...@example.org/a.jpg"),
        ("https://anna:p@ss@example.org/@me/a.jpg", "https://...@example.org/@me/a.jpg"),
        (
            "https://example.org/a?X-Amz-Signature=1f&token=abc&id=3",
            "https://example.org/a?X-Amz-Signature=...&token=...&id=3",
        ),
        ("https://example.org/a?" + "f" * 40, "https://example.org/a?..."),
        ("https://example.org/a?blob=" + "f" * 40, "https://example.org/a?blob=..."),
    ],
)
def test_a_sentence_has_no_secrets(url: str, said: str) -> None:
    assert shown(url) == said


@given(st.text())
def test_a_sentence_is_not_flooded(tail: str) -> None:
    assert len(shown(f"https://example.org/{tail * 50}")) <= 203


def test_an_input_is_a_path_an_address_or_standard_input() -> None:
    assert as_source("-") == Stdin()
    assert as_source("./-") == Path("-")
    assert as_source("https://example.org//a.jpg") == Url("https://example.org//a.jpg")
    assert as_source("ftp://example.org/a.jpg") == Url("ftp://example.org/a.jpg")
    assert as_source("folder//a.jpg") == Path("folder/a.jpg")
    assert as_source("C:\\a.jpg") == Path("C:\\a.jpg")


@given(st.text().filter(lambda text: "\0" not in text))
def test_no_path_is_taken_for_an_address_by_a_worker(text: str) -> None:
    assert not is_url(str(Path(text)))


def test_the_same_picture_has_the_same_key(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert key_of(tmp_path / "a.jpg") == key_of(tmp_path / "link" / "a.jpg")
    assert key_of(Url("https://example.org/a.jpg#top")) == key_of(Url("https://example.org/a.jpg"))
    assert key_of(Url("https://example.org/a.jpg?1")) != key_of(Url("https://example.org/a.jpg"))
    assert key_of(Stdin("x")) == "-" != key_of(Path("-"))
    assert Path(key_of(Path("-"))).is_absolute()
