"""Take the README's pictures of the demo study's report, which `make demo` writes.

Run with: .venv/bin/python docs/images/take.py   (Debian's chromium and chromium-driver have to be installed)
"""

import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests/browser"))

from chromium import chromium

WIDTH = 1280
# What is in the picture, and how high it is, px.
PICTURES = {"report": ("", 1000), "report_gene": ("#gene=DENSITY_UP01", 1000)}


def main() -> None:
    page = (REPOSITORY / "demo/results/report.html").as_uri()
    for name, (address, height) in PICTURES.items():
        with tempfile.TemporaryDirectory() as profile:
            browser = chromium(WIDTH, profile)
            browser.set_window_size(WIDTH, height)
            browser.get(page + address)
            while not browser.execute_script("return document.querySelector('#gene')?.dataset.gene"):
                time.sleep(0.1)
            time.sleep(2)  # charts grow in
            browser.save_screenshot(str(Path(__file__).with_name(f"{name}.png")))
            browser.quit()


if __name__ == "__main__":
    main()
