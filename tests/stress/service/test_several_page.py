"""The page of a model of several modalities in a real browser, with the service."""

import io
import re

import pytest
import soundfile

from tests.fixtures.recordings import tone


@pytest.fixture(scope="module")
def service(start_service, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("home")))
        with start_service(predictor="FakeFusion") as service:
            yield service


def choose(page, hertz):
    file = io.BytesIO()
    soundfile.write(file, tone(hertz, 1.0), 16000, format="WAV")
    chosen = {"name": "clip.wav", "mimeType": "audio/wav", "buffer": file.getvalue()}
    page.get_by_label("Recording", exact=True).set_input_files(chosen)


def ask(page):
    page.get_by_role("button", name="Ask").click()
    page.locator("#result:not(.is-old):visible").wait_for()


def bars(page):
    return page.locator("#parts .strip .bar")


def test_each_modality_is_shown_with_what_it_adds(open_page):
    page = open_page()
    page.get_by_label("Text", exact=True).fill("the sun shone")
    choose(page, 150)
    ask(page)
    assert page.locator("#headline").inner_text() == "joy, 75.0 % confident"
    assert page.locator("#lacks").is_hidden()
    # Words add 1.5 and take 0.5, moments add 0.15, take 0.075 and add 0.03: 0.105 together.
    headings = page.locator("#parts h3").all_inner_texts()
    assert headings == ["text +1.00", "speech +0.11"]
    words = page.locator("#parts .shaded button")
    assert words.all_inner_texts() == ["the", "sun", "shone"]
    assert "for4" in words.nth(0).get_attribute("class")
    assert "against3" in words.nth(1).get_attribute("class")
    assert bars(page).nth(0).get_attribute("class") == "bar for"
    assert bars(page).nth(1).get_attribute("class") == "bar against"
    # What is shown adds up, however it is rounded.
    shown = page.locator("#sum").inner_text()
    score, *parts = (float(number) for number in re.findall(r"\+\d\.\d\d", shown))
    assert score == pytest.approx(sum(parts)) and len(parts) == 3
    assert shown.startswith(f"Score +{score:.2f} = {', '.join(headings)}, rest +0.2")
    page.get_by_label("gate", exact=True).check()
    assert bars(page).nth(0).get_attribute("class") == "bar open"
    assert page.said == []


def test_what_is_left_empty_is_left_out(open_page):
    page = open_page()
    page.get_by_label("Text", exact=True).fill("in the dark")
    ask(page)
    assert page.locator("#headline").inner_text() == "fear, 87.5 % confident"
    assert page.locator("#lacks").inner_text() == "Answered by the rest: speech empty."
    page.get_by_label("Text", exact=True).fill("")
    choose(page, 900)
    ask(page)
    assert page.locator("#headline").inner_text() == "joy, 75.0 % confident"
    assert page.locator("#lacks").inner_text() == "Answered by the rest: text empty."


def test_nothing_is_no_question(open_page):
    page = open_page()
    page.get_by_role("button", name="Ask").click()
    page.get_by_text("There is nothing to read. Give a text, or a recording.").wait_for()
    assert page.locator("#result").is_hidden() and page.said == []


def test_keys_alone_lead_through_the_page(open_page):
    page = open_page()
    page.get_by_label("Text", exact=True).fill("the sun shone")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("#result:visible").wait_for()
    page.locator("#parts button").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#detail").inner_text() == "sun: contribution −0.500, gate 0.750"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1600])
def test_nobody_is_shut_out(open_page, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = open_page(width, scheme)
    page.get_by_label("Text", exact=True).fill("the sun shone")
    choose(page, 900)
    ask(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    found = axe.run(page)
    assert found.violations_count == 0, found.generate_report()
