"""The page in a real browser: Chromium, where it is installed."""

import shutil

import pytest

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
        "[...document.querySelectorAll('figure.drawing:not([hidden]) svg')]"
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
    assert first.all_inner_texts() == sorted(before)
    assert table.locator("th[aria-sort=ascending]").count() == 1


def test_without_script_and_on_paper_all_is_there(open_page):
    page = open_page(java_script_enabled=False)
    assert page.locator("[data-metric] svg:visible").count() == 18
    page = open_page()
    page.emulate_media(media="print")
    assert page.locator("[data-metric] svg:visible").count() == 18
    assert page.locator("nav:visible").count() == 0


def test_hostile_texts_run_nothing(open_page):
    page = open_page()
    assert page.locator("script").count() == 1
    assert page.get_by_text("<script>alert('text')</script> scared me").count() > 0
