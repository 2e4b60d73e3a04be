"""Debian's Chromium without a window, driven by selenium."""

import shutil

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

# Of a laptop and of a telephone, px.
WIDTHS = (1280, 390)
TELEPHONE_BELOW = 500
# Without these, the browser asks for updates of its own.
ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip


def installed() -> bool:
    """Whether browser and driver are there."""
    return bool(shutil.which("chromium") and shutil.which("chromedriver"))


def chromium(width: int, profile: str) -> webdriver.Chrome:
    """Start a browser with a window of some width, px, and an empty folder as its profile."""
    options = Options()
    options.binary_location = shutil.which("chromium")
    for argument in (*ARGUMENTS, f"--window-size={width},900", f"--user-data-dir={profile}"):
        options.add_argument(argument)
    if width < TELEPHONE_BELOW:
        metrics = {"deviceMetrics": {"width": width, "height": 844, "pixelRatio": 2}}
        options.add_experimental_option("mobileEmulation", metrics)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
