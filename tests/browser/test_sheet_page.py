"""The HTML sheet in a real browser, from file://, by keyboard, with names that want to be code."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from real_browser import Browser
from scenes import disc

pytestmark = pytest.mark.slow

HOSTILE = '"><img onerror=x>.png'
LOUD = "\"><img src=x onerror=document.title='run'>.png"
MAGENTA, GREY = (255, 0, 255), (188, 190, 192)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sheet of good, unsure and failed pictures, two of them named like HTML."""
    folder = tmp_path_factory.mktemp("sheet")
    for name in (HOSTILE, LOUD, "sure.jpg"):
        disc(240, 280).save(folder / name)
    noise = np.random.default_rng(0).integers(0, 256, (140, 200, 3), np.uint8)
    Image.fromarray(noise).save(folder / "unsure.png")
    (folder / "failed.jpg").write_text("no picture")
    inputs = [HOSTILE, LOUD, "sure.jpg", "unsure.png", "failed.jpg"]
    command = [sys.executable, "-m", "bgwatch", "sheet", *inputs, "-o", "sheet.html"]
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (1, "sheet.html\n"), ended.stderr
    return folder / "sheet.html"


def pixels(element: Any) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(element.screenshot_as_png)).convert("RGB"))


def at(picture: NDArray[np.uint8], across: float, down: float) -> tuple[int, ...]:
    return tuple(picture[round(picture.shape[0] * down), round(picture.shape[1] * across)].tolist())


def near(colour: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return max(abs(one - other) for one, other in zip(colour, wanted, strict=True)) < 14


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1400])
def test_it_fits_every_screen_and_asks_nobody(browser: Browser, page: Path, width: int, scheme: str) -> None:
    browser.open(page, width, 1000, scheme)
    if kept := os.environ.get("BGWATCH_ARTEFACTS"):
        target = Path(kept, "sheet", f"{width}-{scheme}.png")
        target.parent.mkdir(parents=True, exist_ok=True)
        browser.driver.save_screenshot(str(target))
    assert browser.complaints() == []
    assert set(browser.requests()) == {page.as_uri(), "data:image/webp;base64"}
    assert browser.driver.execute_script("return document.documentElement.scrollWidth") == width
    assert browser.driver.execute_script("return [...document.images].every(image => image.naturalWidth > 0)")
    paper = browser.driver.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (int(paper.split("(")[1].split(",")[0]) > 127) == (scheme == "light")


def test_names_are_text(browser: Browser, page: Path) -> None:
    browser.open(page)
    names = [element.text for element in browser.driver.find_elements("css selector", "h2")]
    assert names == [HOSTILE, LOUD, "sure.jpg", "unsure.png", "failed.jpg"]
    assert browser.driver.title == "bgwatch: 5 pictures before and after"
    assert len(browser.driver.find_elements("css selector", "img")) == 2 * 4


def test_what_is_not_the_pages_own_is_stopped_and_seen(browser: Browser, page: Path) -> None:
    """The policy holds where escaping would fail, and the checks of this file can fail."""
    broken = page.with_name("broken.html")
    loads = (
        "<script>document.title = 'run'</script><img src='http://127.0.0.1:9/x.png' onerror=\"document.title='run'\">"
    )
    broken.write_text(page.read_text("utf-8").replace("<main>", f"<main>{loads}"), "utf-8")
    browser.open(broken)
    assert browser.driver.title == "bgwatch: 5 pictures before and after"
    complaints = browser.complaints()
    assert sum("Content Security Policy" in each for each in complaints) >= 3, complaints


def test_arrow_keys_move_the_slider_and_what_is_seen(browser: Browser, page: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    browser.open(page)
    browser.driver.find_element("id", "on-magenta").send_keys(Keys.SPACE)
    pair = browser.driver.find_element("css selector", ".pair")
    slider = pair.find_element("css selector", "input")
    assert (slider.aria_role, slider.accessible_name) == ("slider", f"{HOSTILE}, before and after")
    first = pixels(pair)
    assert near(at(first, 0.4, 0.1), GREY)
    assert at(first, 0.6, 0.1) == MAGENTA
    slider.send_keys(*[Keys.ARROW_RIGHT] * 20)
    second = pixels(pair)
    assert near(at(second, 0.6, 0.1), GREY)
    assert at(second, 0.8, 0.1) == MAGENTA
    assert slider.get_attribute("aria-valuetext") == "70 % before"
    slider.send_keys(Keys.HOME)
    assert at(pixels(pair), 0.1, 0.1) == MAGENTA
    stage = browser.driver.find_element("css selector", ".stage")
    assert stage.value_of_css_property("outline-style") == "solid", "who uses the keyboard sees where he is"
    assert browser.complaints() == []


def test_one_slider_moves_all_and_a_pointer_moves_one(browser: Browser, page: Path) -> None:
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    browser.open(page)
    browser.driver.find_element("id", "all").send_keys(Keys.END)
    sliders = browser.driver.find_elements("css selector", ".pair input")
    assert [slider.get_attribute("value") for slider in sliders] == ["100"] * 4
    quarter = round(-sliders[2].size["width"] / 4)
    ActionChains(browser.driver).move_to_element_with_offset(sliders[2], quarter, 0).click().perform()
    assert [int(slider.get_attribute("value")) for slider in sliders] == [100, 100, pytest.approx(25, abs=2), 100]


@pytest.mark.parametrize(
    ("choice", "seen"),
    [
        ("all", [HOSTILE, LOUD, "sure.jpg", "unsure.png", "failed.jpg"]),
        ("done", [HOSTILE, LOUD, "sure.jpg"]),
        ("unsure", ["unsure.png"]),
        ("failed", ["failed.jpg"]),
    ],
)
def test_pictures_are_found_by_what_became_of_them(browser: Browser, page: Path, choice: str, seen: list[str]) -> None:
    browser.open(page)
    label = browser.driver.find_element("css selector", f"#states label.{choice}")
    assert label.text.split() == [choice, str(len(seen))]
    label.click()
    headings = browser.driver.find_elements("css selector", "h2")
    assert [heading.text for heading in headings if heading.is_displayed()] == seen
