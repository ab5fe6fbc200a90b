"""A real browser: Chromium, where it is installed."""

import shutil

import pytest

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


@pytest.fixture(scope="module")
def chromium_arguments():
    # Without a sandbox, which Chromium has not where tests run as root.
    return ["--no-sandbox"]


@pytest.fixture(scope="module")
def browser(chromium_arguments):
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium; Debian has it")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=chromium_arguments)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser, service):
    """Opens the page; what the console says, and what failed, is in `page.said`."""
    contexts = []

    def open_page(width=1200, scheme="light"):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, base_url=service.address
        )
        contexts.append(context)
        page = context.new_page()
        page.said = []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("requestfailed", lambda request: page.said.append(request.url))
        page.goto("/")
        return page

    yield open_page
    for context in contexts:
        context.close()
