"""A real Chromium, or none and the reason; BGWATCH_REQUIRE_BROWSER=1 makes a missing one a failure."""

import os
import shutil
from collections.abc import Iterator

import pytest
from real_browser import FLAGS, Browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    missing = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
    if missing:
        reason = f"no {' and no '.join(missing)} on PATH; tests/browser/provision.sh installs them"
        if os.environ.get("BGWATCH_REQUIRE_BROWSER") == "1":
            pytest.fail(f"BGWATCH_REQUIRE_BROWSER=1, but {reason}")
        pytest.skip(reason)
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for flag in FLAGS:
        options.add_argument(flag)
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
