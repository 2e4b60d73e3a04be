"""The report in a real browser: what a reader does with it works, and nothing leaves the page."""

import json
from itertools import pairwise
from pathlib import Path

import axe_core_python
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from chromium import WIDTHS
from report_study import Study, whole_study

# Enough genes for a second page of the table; the first have names that an address has to spell out.
GENES = ("HLA-A", "A/B %&#=", "<b>x</b>", *(f"GENE{index:02d}" for index in range(12)))
MAPPED = 8


@pytest.fixture(scope="module")
def study(tmp_path_factory, repository) -> Study:
    study = whole_study(tmp_path_factory.mktemp("study"), genes=GENES)
    study.page(repository, genes=MAPPED)
    return study


class Page:
    """The page as a reader has it before them."""

    def __init__(self, browser, address):
        self.browser = browser
        browser.get("about:blank")
        for kind in ("browser", "performance"):
            browser.get_log(kind)
        browser.get(address)
        self.wait(lambda: self.run("return document.getElementById('gene').dataset.gene !== undefined"))
        self.wait(lambda: self.all("#genes-table.dataTable"))

    def wait(self, condition):
        WebDriverWait(self.browser, 20, poll_frequency=0.05).until(lambda _: condition())

    def run(self, script, *arguments):
        return self.browser.execute_script(script, *arguments)

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    @property
    def gene(self) -> str:
        """The gene whose maps are drawn."""
        return self.run("return document.getElementById('gene').dataset.gene")

    @property
    def maps(self) -> list[str]:
        """What the maps show, as text: two are equal only if the same is drawn."""
        return self.run("return [...document.querySelectorAll('#gene canvas')].map(c => c.toDataURL())")

    def genes_in_table(self) -> list[str]:
        return [row.get_attribute("data-gene") for row in self.all("#genes-table tbody tr")]

    def errors(self) -> list[str]:
        return [entry["message"] for entry in self.browser.get_log("browser")]


@pytest.fixture(scope="module")
def address(study) -> str:
    return (study.folder / "report.html").as_uri()


@pytest.fixture(scope="module", params=WIDTHS)
def browser(request, open_browser):
    return open_browser(request.param)


@pytest.fixture
def page(browser, address) -> Page:
    page = Page(browser, address)
    yield page
    assert page.errors() == []


def test_the_first_gene_is_there_at_once(page, study):
    first = study.tables()["usable_genes"]["gene"].iloc[0]
    assert page.gene == page.one("#gene h3").text == first
    # Three maps of each tested section, one of the section without counts, and none of them blank.
    assert len(page.maps) == 2 * 3 + 1
    assert page.run(
        "return [...document.querySelectorAll('#gene canvas')].every(canvas => {"
        "const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;"
        "return pixels.some((value, i) => i % 4 === 0 && Math.abs(value - pixels[i + 1]) > 60); })"
    )


def test_choosing_a_gene_changes_maps_figures_and_address(page):
    before, other = page.maps, page.genes_in_table()[1]
    page.run("arguments[0].scrollIntoView({block: 'center'})", page.all("#genes-table tbody tr")[1])
    page.all("#genes-table tbody tr")[1].find_element(By.CSS_SELECTOR, "td.number").click()
    page.wait(lambda: page.gene == other)
    assert all(one != two for one, two in zip(before, page.maps, strict=True))
    assert page.one("#gene h3").text == other
    assert page.one("#genes-table tr.chosen").get_attribute("data-gene") == other
    row = page.run(
        "return [...arguments[0].cells].map(c => c.textContent)", page.one("#genes-table tr.chosen")
    )
    assert row[1] in page.one("#gene dl").text
    page.browser.back()
    page.wait(lambda: page.maps == before)


@pytest.mark.parametrize("gene", ["HLA-A", "A/B %&#=", "<b>x</b>", "GENE11"])
def test_an_address_opens_its_gene(browser, address, gene, study):
    record = next(name for name in study.genes if name == gene)
    page = Page(browser, address)
    link = page.run(
        "return page.genes.find(g => g.name === arguments[0]) && '#' + address(arguments[0])", record
    )
    page = Page(browser, address + link)
    assert page.gene == page.one("#gene h3").text == gene
    assert page.run("return document.getElementById('gene').getBoundingClientRect().top") < 400
    mapped = page.run("return chosen.map !== null")
    assert page.one("#gene [data-part=drawn]").is_displayed() == mapped
    assert page.one("#gene [data-part=unmapped]").is_displayed() != mapped
    assert page.errors() == []


def test_an_address_of_no_gene_says_so(browser, address):
    page = Page(browser, address + "#gene=NOSUCH%")
    assert "NOSUCH%" in page.one("#gene [data-part=unknown]").text
    page.one("[data-part=find]").send_keys("gene11", Keys.ENTER)
    page.wait(lambda: page.gene == "GENE11")
    assert not page.one("#gene [data-part=unknown]").is_displayed()
    assert page.errors() == []


def test_predictions_can_have_a_scale_of_their_own(page):
    before = page.maps
    page.run("document.querySelector('[data-part=own]').click()")
    page.wait(lambda: page.maps[1] != before[1])
    assert page.maps[0] == before[0]
    assert " | " in page.one("#gene .ends").text
    page.run("document.querySelector('[data-part=own]').click()")
    page.wait(lambda: page.maps == before)


def test_without_scores_predicted_maps_are_drawn(browser, tmp_path, repository):
    study = Study(tmp_path)
    study.section("H1", "predict")
    study.predict("bundle", "H1")
    study.page(repository)
    browser.get((tmp_path / "report.html").as_uri())
    page = Page.__new__(Page)
    page.browser = browser
    page.wait(lambda: page.gene)
    first = page.maps
    assert len(first) == 1
    page.run("document.querySelector('[data-part=next]').click()")
    page.wait(lambda: page.maps != first)
    assert page.errors() == []


def test_a_page_without_predictions_opens(browser, tmp_path, repository):
    study = Study(tmp_path)
    study.section("T1", "train")
    study.train("all")
    study.page(repository)
    browser.get_log("browser")
    browser.get((tmp_path / "report.html").as_uri())
    browser.execute_script("document.getElementById('selection-0').scrollIntoView()")
    WebDriverWait(browser, 20).until(lambda _: browser.find_elements(By.CSS_SELECTOR, "#selection-0 svg"))
    assert browser.get_log("browser") == []


def test_the_table_searches_sorts_and_turns_pages(page, study):
    table = study.tables()["usable_genes"]
    assert page.genes_in_table() == table["gene"][:10].tolist()
    search = page.one("input[type=search]")
    search.send_keys("GENE1")
    page.wait(lambda: set(page.genes_in_table()) == {"GENE10", "GENE11"})
    search.send_keys(Keys.BACKSPACE * 5)
    page.wait(lambda: len(page.genes_in_table()) == 10)
    by_expression = table.sort_values("observed_mean")["gene"].tolist()
    page.run(
        "[...document.querySelectorAll('#genes-table th')]"
        ".find(head => head.textContent.includes('mean expression')).querySelector('[role=button]').click()"
    )
    page.wait(lambda: page.genes_in_table() == by_expression[:10])
    page.run("document.querySelector('.dt-paging-button.next').click()")
    page.wait(lambda: page.genes_in_table() == by_expression[10:])


def test_the_keyboard_is_enough(page):
    first, second = page.genes_in_table()[:2]
    page.run("document.querySelectorAll('#genes-table tbody a')[1].focus()")
    page.browser.switch_to.active_element.send_keys(Keys.ENTER)
    page.wait(lambda: page.gene == second)
    page.run("document.querySelector('[data-part=previous]').focus()")
    page.browser.switch_to.active_element.send_keys(Keys.ENTER)
    page.wait(lambda: page.gene == first)
    page.one("[data-part=find]").send_keys("GENE11", Keys.ENTER)
    page.wait(lambda: page.gene == "GENE11")


def test_no_request_leaves_the_page(page, address):
    page.run("document.querySelectorAll('.chart').forEach(drawChart)")
    for gene in page.genes_in_table():
        page.run("location.hash = address(arguments[0])", gene)
        page.wait(lambda gene=gene: page.gene == gene)
    asked = [json.loads(entry["message"])["message"] for entry in page.browser.get_log("performance")]
    asked = [one["params"]["request"]["url"] for one in asked if one["method"] == "Network.requestWillBeSent"]
    assert address in asked
    assert {one.split(":")[0] for one in asked if one != address} <= {"data", "blob", "about"}


def test_all_charts_are_drawn_when_they_are_seen(page, study):
    boxes = page.all(".chart")
    assert len(boxes) == 6 + 2 * len(study.folds)
    for box in boxes:
        page.run("arguments[0].scrollIntoView()", box)
        page.wait(
            lambda box=box: box.find_elements(By.CSS_SELECTOR, "svg .trace, svg .boxlayer, svg .scatterlayer")
        )


def test_the_page_is_as_wide_as_the_window(page):
    page.run("document.querySelectorAll('.chart').forEach(drawChart)")
    assert page.run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert page.run("return document.documentElement.clientWidth") in WIDTHS


def test_on_paper_charts_are_drawn_and_fit_their_boxes(page):
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        page.run("dispatchEvent(new Event('beforeprint'))")
        page.wait(lambda: len(page.all(".chart .main-svg")) >= len(page.all(".chart")))
        page.wait(lambda: page.run("return [...charts].every(box => box.data && box.layout.width)"))
        width = "Math.max(...[...charts].map(box => box.querySelector('.main-svg').clientWidth))"
        assert page.run(f"return {width} <= PRINTED_WIDTH")
        boxes = [box.rect for box in page.all(".chart")]
        assert all(one["y"] + one["height"] <= two["y"] for one, two in pairwise(boxes))
    finally:
        page.run("dispatchEvent(new Event('afterprint'))")
        page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_axe_finds_no_serious_problem(page):
    page.run("document.querySelectorAll('.chart').forEach(drawChart)")
    page.run((Path(axe_core_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    found = page.browser.execute_async_script(
        "const done = arguments[arguments.length - 1]; axe.run().then(r => done(r.violations));"
    )
    serious = [problem for problem in found if problem["impact"] in {"serious", "critical"}]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in serious] == []
