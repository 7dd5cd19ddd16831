"""A Chromium without a window, and what it was asked and told."""

import json
from pathlib import Path
from typing import Any

FLAGS = (
    "--headless=new",
    "--no-sandbox",  # CI is root in a container; the page is our own
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-background-networking",  # nobody is called home while we look for requests
    "--disable-component-update",
    "--disable-sync",
)


class Browser:
    """What the tests ask of a browser, over its driver as ``driver``."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, page: Path, width: int = 1000, height: int = 800, scheme: str = "light") -> None:
        """Open a file in a window of this size and colour scheme; what was logged before is forgotten."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        for kind in ("browser", "performance"):
            self.driver.get_log(kind)
        self.driver.get(page.as_uri())
        self.driver.execute_async_script(
            "Promise.all([...document.images].map(image => image.decode().catch(() => null))).then(arguments[0])"
        )

    def complaints(self) -> list[str]:
        """Give all that the console was told: errors, and what a policy has stopped."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Give the start of every address that was asked for, with those that a policy stopped."""
        messages = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = [each["params"]["request"] for each in messages if each["method"] == "Network.requestWillBeSent"]
        return [request["url"].split(",")[0] for request in asked]
