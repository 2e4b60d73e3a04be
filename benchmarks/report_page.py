"""The report of 8 sections of 3,000 spots and 1,000 genes: below 30 MB, first view in 3 s, a gene in 0.5 s.

Run with: python benchmarks/report_page.py [--sections 8] [--spots 3000] [--genes 1000] [--mapped 300]
The rule's own script renders made-up results, which take some minutes to write. Debian's chromium opens the
page from disk, without a window and without a GPU, at both widths of the tests. The first view is up when the
chart of scores, the table of genes and the maps of the first gene are drawn, a gene when its maps are.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import measured
from selenium import webdriver

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path += [str(REPOSITORY / folder) for folder in ("workflow_scripts", "tests", "tests/browser")]

from chromium import WIDTHS, chromium
from report_study import Study

LIMIT_MB, FIRST_S, CHANGE_S, CHANGES = 30, 3.0, 0.5, 20
READY = (
    "return document.getElementById('gene')?.dataset.gene === arguments[0] "
    "&& document.querySelector('#genes-table.dataTable') !== null "
    "&& document.querySelector('#accuracy-0 svg') !== null"
)


def write_results(folder: Path, sections: int, spots: int, genes: int) -> Study:
    """Write the results of a study with one training section, and so many tested ones."""
    study = Study(folder, genes=[f"GENE{index:04d}" for index in range(genes)])
    study.section("T1", "train", "P0", spots=spots)
    study.train("holdout")
    for index in range(sections):
        study.section(f"X{index + 1}", "test", f"P{index + 1}", spots=spots)
        study.predict("holdout", f"X{index + 1}")
    return study


def render(folder: Path, sections: int, spots: int, genes: int, mapped: int) -> None:
    """Write results and page; print the seconds that the script took, and the first genes."""
    study = write_results(folder, sections, spots, genes)
    order = study.tables()["usable_genes"]["gene"].tolist()
    start = time.monotonic()
    study.page(REPOSITORY, genes=mapped)
    print(time.monotonic() - start, *order[: CHANGES + 1])


def seconds_until(browser: webdriver.Chrome, gene: str, start: float) -> float:
    while not browser.execute_script(READY, gene):
        time.sleep(0.005)
    return time.monotonic() - start


def open_page(page: Path, width: int, genes: list[str]) -> tuple[float, float]:
    """Seconds until the first view is up, and the median until another gene is shown."""
    with tempfile.TemporaryDirectory() as profile:
        browser = chromium(width, profile)
        try:
            start = time.monotonic()
            browser.get(page.as_uri())
            first = seconds_until(browser, genes[0], start)
            changes = []
            for gene in genes[1:]:
                start = time.monotonic()
                browser.execute_script("location.hash = address(arguments[0])", gene)
                changes.append(seconds_until(browser, gene, start))
        finally:
            browser.quit()
    return first, statistics.median(changes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("sections", 8), ("spots", 3000), ("genes", 1000), ("mapped", 300)):
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    size = chosen.sections, chosen.spots, chosen.genes, chosen.mapped
    if chosen.folder:
        render(chosen.folder, *size)
        return
    with tempfile.TemporaryDirectory() as folder:
        names = ("sections", "spots", "genes", "mapped")
        sizes = [word for name in names for word in (f"--{name}", str(vars(chosen)[name]))]
        printed, _ = measured.run([sys.executable, __file__, "--folder", folder, *sizes])
        rendering, *genes = printed.split()
        page = Path(folder) / "report.html"
        megabytes = page.stat().st_size / 1e6
        print(" ".join(sizes), f"rendered in {float(rendering):.1f} s", flush=True)
        print(f"page {megabytes:.1f} MB (target below {LIMIT_MB} MB)", flush=True)
        missed = megabytes > LIMIT_MB
        for width in WIDTHS:
            first, change = open_page(page, width, genes)
            print(f"{width:>5} px: first view {first:.2f} s (target {FIRST_S:g} s)")
            print(f"{'':>5}     a gene {change:.2f} s (target {CHANGE_S:g} s)", flush=True)
            missed |= first > FIRST_S or change > CHANGE_S
    if missed:
        sys.exit("missed")


if __name__ == "__main__":
    main()
