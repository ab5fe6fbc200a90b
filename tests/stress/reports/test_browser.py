"""The page in a real browser: Chromium, where it is installed."""

import shutil
import subprocess

import pandas as pd
import pytest

from reports.render import render
from tests.fixtures.records import ISEAR

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium; Debian has it"),
]


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        # Without a sandbox, which Chromium has not where tests run as root.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, rendered):
    """Opens the page as by a double click; what the console says is in `page.said`."""
    contexts = []

    def open_page(width=1200, scheme="light", **options):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.said = []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("requestfailed", lambda request: page.said.append(request.url))
        page.goto((rendered[0] / "index.html").as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("width", [400, 768, 1600])
def test_nothing_is_wider_than_the_window(open_page, width):
    page = open_page(width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.said == []
    sizes = page.evaluate(
        "[...document.querySelectorAll('figure.drawing svg')].filter(svg => svg.checkVisibility())"
        ".map(svg => [svg.clientWidth, svg.clientHeight])"
    )
    assert len(sizes) > 10 and all(width > 200 and height > 50 for width, height in sizes)


def test_links_to_files_lead_to_files(open_page, rendered):
    page = open_page()
    links = page.evaluate("[...document.querySelectorAll('a')].map(a => a.getAttribute('href'))")
    files = [link for link in links if not link.startswith("#")]
    assert len(files) > 80
    assert all((rendered[0] / link).exists() for link in files)


@pytest.mark.parametrize(
    "scheme, options", [("light", {}), ("dark", {"runOnly": ["color-contrast"]})]
)
def test_axe_finds_nothing_serious(open_page, scheme, options):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed"
    )
    # What is in a figure is one picture with a text of its own, and takes most of the time.
    found = axe.Axe().run(open_page(scheme=scheme), {"exclude": [["svg"]]}, options)
    found = found.response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in serious] == []


def test_one_metric_is_shown_at_a_time_everywhere(open_page):
    page = open_page()
    shown = (
        "[...document.querySelectorAll('[data-metric]')]"
        ".filter(figure => !figure.hidden).map(figure => figure.dataset.metric)"
    )
    assert set(page.evaluate(shown)) == {"accuracy"}
    page.locator("#learning-rate").locator(".switch").get_by_role("button", name="AUC").click()
    assert page.evaluate(shown) == ["auc"] * 6
    pressed = page.locator("#comparison .switch button[aria-pressed=true]")
    assert pressed.all_inner_texts() == ["AUC"]


def test_tables_are_sorted_by_number_and_by_name(open_page):
    page = open_page()
    table = page.locator("#comparison table").first
    first = table.locator("tbody tr td:first-child")
    before = first.all_inner_texts()
    table.get_by_text("Accuracy", exact=True).click()
    assert first.all_inner_texts() == before
    table.get_by_text("Accuracy", exact=True).click()
    assert first.all_inner_texts() == before[::-1]
    table.get_by_text("Model", exact=True).click()
    assert first.all_inner_texts() == sorted(before, key=str.casefold)
    assert table.locator("th[aria-sort=ascending]").count() == 1


def test_without_script_and_on_paper_all_is_there(open_page):
    page = open_page(java_script_enabled=False)
    assert page.locator("[data-metric] svg:visible").count() == 18
    page = open_page()
    page.emulate_media(media="print")
    # Of three metrics the one that the reader has chosen.
    assert page.locator("[data-metric] svg:visible").count() == 6
    assert page.locator("nav:visible").count() == 0


def test_a_page_is_printed_as_the_reader_has_folded_it(open_page, tmp_path):
    page = open_page()
    before = page.locator("details[open]").count()
    page.pdf(path=tmp_path / "folded.pdf")
    assert page.locator("details[open]").count() == before
    page.get_by_role("button", name="Unfold all").click()
    assert page.locator("details:not([open])").count() == 0
    page.get_by_role("button", name="Fold all").click()
    assert page.locator("details[open]").count() == 0


@pytest.mark.parametrize("anchor", ["read", "claim-order"])
def test_a_link_unfolds_what_it_leads_to(open_page, anchor):
    page = open_page()
    target = page.locator(f"#{anchor}")
    inside = target.locator("p").first if anchor == "read" else target
    assert not inside.is_visible()
    page.locator(f"a[href='#{anchor}']").first.click()
    inside.wait_for(state="visible")


def test_a_printed_table_repeats_its_headings(open_page, tmp_path):
    pdftotext = shutil.which("pdftotext")
    if pdftotext is None:
        pytest.skip("pdftotext is not installed; Debian has it in poppler-utils")
    page = open_page()
    page.get_by_role("button", name="Unfold all").click()
    # Low pages, so that a table of 30 rows or so goes over several.
    page.pdf(path=tmp_path / "page.pdf", width="210mm", height="110mm")
    done = subprocess.run(
        [pdftotext, "-layout", tmp_path / "page.pdf", "-"], capture_output=True, text=True
    )
    pages = done.stdout.split("\f")
    headings = [one for one in pages if "Gate or pooling" in one or "SD over seeds" in one]
    assert len(headings) > page.get_by_role("columnheader", name="SD over seeds").count()


def test_a_cell_of_the_confusion_matrix_shows_its_texts(open_page, runs_dir):
    page = open_page()
    cell = page.locator("table.confusion td button").first
    cell.click()
    chosen = page.evaluate(
        "['label', 'said', 'which'].map(n => document.getElementById('explorer').elements[n])"
        ".map(select => select.selectedOptions[0].text)"
    )
    assert chosen == ["joy", "joy", "all"]
    frames = [
        pd.read_csv(path / "predictions.csv")
        for path in sorted((runs_dir / "comparison").glob("gated_transformer-minilm-seed*"))
    ]
    rows = pd.concat(frames)
    rows = rows[rows["split"] == "test"]
    means = rows.groupby("id")[list(rows.columns[4:])].mean().set_axis(ISEAR["labels"], axis=1)
    label = rows.groupby("id")["label"].first()
    number = ((means.idxmax(axis=1) == "joy") & (label == "joy")).sum()
    assert page.locator("#explorer-found").inner_text().startswith(f"{number} of 90; 100.0 %")


def test_the_explorer_filters_searches_and_sorts(open_page):
    page = open_page()
    form, rows = page.locator("#explorer"), page.locator("#explorer-table tbody tr")
    form.locator("[name=which]").select_option("")
    assert page.locator("#explorer-found").inner_text().startswith("90 of 90; ")
    assert rows.count() == 10
    page.locator("#explorer-more").click()
    assert rows.count() == 20
    sure = [int(text) for text in page.locator("#explorer-table td.number").all_inner_texts()]
    assert sure == sorted(sure, reverse=True)
    form.locator("[name=search]").fill("SCARED me")
    assert 0 < rows.count() < 20
    assert all("scared me" in text for text in rows.all_inner_texts())
    form.locator("[name=search]").fill("no text says this")
    assert page.locator("#explorer-found").inner_text() == "0 of 90."
    assert page.said == []


ISEAR_FILE = (
    "ID|"
    + "X|" * 39
    + "SIT|Field2|Field3\n"
    + "".join(f"{n}|" + "1|" * 39 + f"row {n} aá b|c|1|\n" for n in range(1, 200))
)


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("isear.csv", ISEAR_FILE, "row 35 a b c"),
        ("texts.csv", 'id,text\n35,"one, ""two"" and\nthree"\n', 'one, "two" and three'),
        ("other.csv", "a,b\n1,2\n", None),
    ],
)
def test_a_reader_joins_texts_that_the_page_does_not_hold(
    browser, tmp_path, make_run, name, content, said
):
    for seed in range(2):
        make_run(tmp_path / "runs" / "fit", "cnn@scratch", seed, **ISEAR)
    render(tmp_path / "runs", out=str(tmp_path / "out"), notify=lambda message: None)
    page = browser.new_page()
    page.goto((tmp_path / "out" / "index.html").as_uri())
    page.locator("#explorer [name=which]").select_option("")
    assert page.get_by_role("columnheader", name="What it says").count() == 0
    (tmp_path / name).write_text(content, encoding="utf-8")
    page.locator("#own-texts").set_input_files(tmp_path / name)
    if said is None:
        page.get_by_text("This file holds none of the texts").wait_for()
        return
    page.get_by_text("texts joined").wait_for()
    page.locator("#explorer [name=search]").fill("35")
    rows = page.locator("#explorer-table tbody tr").all_inner_texts()
    assert any(said in " ".join(row.split()) for row in rows)
    page.close()


def test_hostile_texts_run_nothing(open_page):
    page = open_page()
    # That of the page, and the data of the explorer.
    assert page.locator("script").count() == 2
    page.locator("#explorer [name=which]").select_option("")
    page.locator("#explorer [name=search]").fill("scared me")
    assert page.get_by_text("<script>alert('text')</script> scared me").count() > 0
