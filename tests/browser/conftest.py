"""A browser for the tests."""

import pytest

from chromium import chromium, installed


@pytest.fixture(scope="module")
def open_browser(tmp_path_factory):
    """Start a browser with a window of some width, px; below 500 it is a telephone."""
    if not installed():
        pytest.skip("Debian's chromium and chromium-driver are not installed")
    opened = []

    def start(width: int):
        opened.append(chromium(width, str(tmp_path_factory.mktemp("profile"))))
        return opened[-1]

    yield start
    for one in opened:
        one.quit()
