"""Results of a watched folder under names of a template."""

from collections.abc import Callable
from pathlib import Path

import pytest
from scenes import Ended, opened
from watching import DOUBTFUL, Box

from bgwatch.settings import Folder
from bgwatch.watch.filing import Filing

Draw = Callable[..., Path]


@pytest.mark.parametrize(
    ("template", "original", "result"),
    [
        ("{stem}-web", "photo.jpg", "photo-web.png"),
        ("{stem}-web", "sub/photo.jpg", "sub/photo-web.png"),
        ("{folder}-{stem}", "photo.jpg", "in-photo.png"),
        ("{folder}-{stem}", "a/b/photo.jpg", "a/b/b-photo.png"),
        ("{name}/cut", "sub/photo.jpg", "sub/photo.jpg/cut.png"),
        ("{stem}/cut", "done.jpg", "done-2/cut.png"),
        ("{stem}/cut", "Review.jpg", "Review-2/cut.png"),
        ("failed/{stem}", "a.jpg", "failed-2/a.png"),
        ("x/{stem}", "done/a.jpg", "done-2/x/a.png"),
        ("{stem}", "sub/\n..jpg", "sub/_.png"),
    ],
)
def test_names_keep_off_the_folders_that_are_ours(box: Box, template: str, original: str, result: str) -> None:
    folder = Folder(inbox=str(box.inbox), outbox=str(box.outbox), name=template)
    assert Filing.of(folder).result_name(Path(original)) == Path(result)


@pytest.mark.parametrize(
    ("on_conflict", "after"),
    [
        ("number", "out/x/cut.png out/x/cut-2.png out/done/a.jpg out/done/b.jpg"),
        ("overwrite", "out/x/cut.png out/x/cut-2.png out/done/a.jpg out/done/b.jpg"),
        ("skip", "out/x/cut.png out/done/a.jpg in/b.jpg"),
    ],
)
def test_originals_that_a_template_gives_one_name(box: Box, draw: Draw, on_conflict: str, after: str) -> None:
    for seed, name in enumerate(("a.jpg", "b.jpg")):
        draw(box.inbox / name, seed=seed)
    assert box.once(on_conflict=on_conflict, name="x/cut") == 0
    assert box.files() == set(after.split())
    shades = [opened(path).getpixel((60, 60))[:3] for path in (box.outbox / "x/cut.png", box.outbox / "done/a.jpg")]
    assert shades[0] == shades[1]


@pytest.mark.parametrize("on_conflict", ["number", "overwrite"])
def test_a_doubtful_result_is_accepted_under_its_name(
    box: Box, draw: Draw, bgwatch: Callable[..., Ended], on_conflict: str
) -> None:
    draw(box.inbox / "a.jpg")
    folder = {"on_conflict": on_conflict, "name": "cut/{stem}", "format": "webp"}
    assert box.once(**folder, **DOUBTFUL) == 0
    assert {"out/review/cut/a.webp", "out/review/cut/a.reason.txt"} < box.files()
    settings = box.root / "c.yaml"
    entry = {"inbox": str(box.inbox), "outbox": str(box.outbox), **folder}
    settings.write_text(f"folders:\n  - {entry}\n")
    assert bgwatch("retry", "--accept", "-c", settings, "--state", box.root / "state").code == 0
    assert box.files() == {"out/cut/a.webp", "out/done/a.jpg"}


def test_a_link_leads_no_result_out_of_the_outbox(box: Box, draw: Draw, caplog: pytest.LogCaptureFixture) -> None:
    elsewhere = box.root / "elsewhere"
    elsewhere.mkdir()
    box.outbox.mkdir()
    (box.outbox / "a").symlink_to(elsewhere)
    for name in ("a.jpg", "b.jpg"):
        draw(box.inbox / name)
    assert box.once(name="{stem}/cut") == 3
    assert list(elsewhere.iterdir()) == []
    assert (box.inbox / "a.jpg").exists()
    assert (box.outbox / "b" / "cut.png").exists()
    assert sum("out/a/cut.png: leads out of" in line for line in caplog.messages) == 1
