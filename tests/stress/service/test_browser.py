"""The page of a model of texts in a real browser, with the service."""

import pytest

HOSTILE = "<img src=x onerror=alert(1)> <script>alert(2)</script> <b>sun</b>"


def ask(page, text):
    page.get_by_label("Your text").fill(text)
    page.get_by_role("button", name="Show the emotions").click()


def ask_and_wait(page, text):
    ask(page, text)
    page.locator("#result:not(.is-old)").wait_for()


def rows(page):
    return [row.split() for row in page.locator("#bars tr").all_inner_texts()]


def test_a_text_gives_bars_with_numbers_the_largest_first(open_page):
    page = open_page()
    ask_and_wait(page, "warm sun")
    assert page.locator("#model").inner_text() == "gated_transformer-seed0"
    assert page.locator("#headline").inner_text() == "joy, 75.0 % confident"
    assert page.locator("#second").inner_text() == "Next: fear, 25.0 %"
    assert rows(page) == [["joy", "75.0"], ["fear", "25.0"]]
    widths = page.evaluate("[...document.querySelectorAll('.bar')].map(bar => bar.clientWidth)")
    assert widths[0] == pytest.approx(3 * widths[1], abs=3) and widths[1] > 20
    ask(page, "dark")
    page.get_by_text("fear, 87.5 % confident").wait_for()
    assert rows(page) == [["fear", "87.5"], ["joy", "12.5"]]
    assert page.said == []


def test_an_unsure_answer_says_what_it_perhaps_is(open_page, start_service):
    page = open_page()
    with start_service("--min-confidence", "0.8") as service:
        page.goto(service.address)
        ask_and_wait(page, "warm sun")
        assert page.locator("#headline").inner_text() == (
            "unsure, perhaps joy (75.0 %) or fear (25.0 %)"
        )
        ask(page, "dark")
        page.get_by_text("fear, 87.5 % confident").wait_for()


def test_a_threshold_is_chosen_on_the_page(open_page):
    page = open_page()
    ask_and_wait(page, "warm sun. dark.")
    headline, choice = page.locator("#headline"), page.get_by_label("Say an emotion")
    choice.select_option("only where 90 % are right: for 50 % of the texts")
    assert headline.inner_text() == "unsure, perhaps joy (75.0 %) or fear (25.0 %)"
    assert page.locator("#second").is_hidden()
    said = page.locator("#sentences span").all_inner_texts()
    assert said == ["unsure, joy 75.0 %", "unsure, joy 75.0 %", "fear 87.5 %"]
    choice.select_option("always")
    assert headline.inner_text() == "joy, 75.0 % confident"
    assert page.said == []


def test_the_page_says_what_the_model_is_and_what_it_is_not_for(open_page):
    page = open_page()
    said = "Trained on 735 invented texts. Right on 61.9 % of 210 texts."
    assert page.locator("#about").inner_text() == said
    limit = page.get_by_text("Not for decisions about people.")
    assert limit.is_hidden()
    page.get_by_text("What the model is not for").click()
    assert limit.is_visible()


def test_an_example_is_a_click_away(open_page):
    page = open_page()
    page.get_by_role("button", name="A dialogue").click()
    page.locator("#result:not(.is-old):visible").wait_for()
    text = page.get_by_label("Your text").input_value()
    assert text.startswith("Ann: Did you read my diary?\nBen: ")
    assert page.locator("#sentences li").count() == 10


def test_sentences_are_a_line_of_emotions(open_page):
    page = open_page()
    ask_and_wait(page, "The sun came out. It got dark! A: alone?")
    assert page.locator("#names span").all_inner_texts() == ["joy", "fear"]
    shares = page.locator("#columns button").evaluate_all(
        "all => all.map(one => [...one.children].map(cell => "
        "[cell.style.getPropertyValue('--share'), cell.className]))"
    )
    dark = [["0.13", ""], ["0.88", "first"]]
    assert shares == [[["0.75", "first"], ["0.25", ""]], dark, dark]
    lines = page.locator("#sentences li")
    assert [line.split("\n") for line in lines.all_inner_texts()] == [
        ["The whole text", "joy 75.0 %"],
        ["The sun came out.", "joy 75.0 %"],
        ["It got dark!", "fear 87.5 %"],
        ["A: alone?", "fear 87.5 %"],
    ]
    page.get_by_role("button", name="It got dark!", exact=True).click()
    assert page.locator("#which").inner_text() == "Sentence 2: It got dark!"
    assert page.locator("#headline").inner_text() == "fear, 87.5 % confident"
    assert page.locator("#words button").all_inner_texts() == ["It", "got", "dark!"]
    page.get_by_role("button", name="The whole text").click()
    assert page.locator("#which").is_hidden()
    assert page.locator("#headline").inner_text() == "joy, 75.0 % confident"
    ask(page, "dark")
    page.get_by_text("fear, 87.5 % confident").wait_for()
    assert page.locator("#by-sentence").is_hidden()
    assert page.said == []


def test_the_line_is_walked_with_the_keyboard(open_page):
    page = open_page()
    ask_and_wait(page, "The sun came out. It got dark! A: alone?")
    page.locator("#columns button").first.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    assert page.locator("#which").inner_text() == "Sentence 2: It got dark!"
    # It has kept the focus, and says that it is pressed.
    pressed = page.locator("#columns button[aria-pressed=true]")
    assert pressed.evaluate("one => one === document.activeElement")
    assert pressed.get_attribute("aria-label") == "Sentence 2: fear 87.5 %"


def test_a_text_of_too_many_sentences_is_answered_as_a_whole(open_page):
    page = open_page()
    ask_and_wait(page, " ".join(f"The sun has {i} rays." for i in range(200)))
    assert page.locator("#headline").inner_text() == "joy, 75.0 % confident"
    assert page.locator("#by-sentence").is_hidden()
    assert page.locator("#no-sentences").inner_text() == (
        "It is not shown sentence by sentence. At most 128 texts and sentences together; these "
        "are 201."
    )


def test_a_text_unlike_the_training_data_is_told(open_page):
    page = open_page()
    ask_and_wait(page, "import this sun now")
    notes = [page.locator("#cut"), page.locator("#unfamiliar")]
    assert [note.is_visible() for note in notes] == [True, True]
    ask_and_wait(page, "import sun")
    page.wait_for_function("document.getElementById('cut').hidden")
    assert [note.is_visible() for note in notes] == [False, True]
    ask(page, "dark")
    page.get_by_text("fear, 87.5 % confident").wait_for()
    assert [note.is_visible() for note in notes] == [False, False]


def test_words_are_shaded_by_what_they_add_and_tell_their_numbers(open_page):
    page = open_page()
    ask_and_wait(page, "warm sun today")
    words = page.locator("#words button")
    assert words.all_inner_texts() == ["warm", "sun", "today"]
    # 1.5, -0.5 and 0, whatever the other words of the text add.
    shades = page.locator("#words bdi").evaluate_all("all => all.map(one => one.className)")
    assert shades == ["word for4", "word against3", "word"]
    assert page.locator("#sum").inner_text() == "Score +1.25 = words +1.00, rest +0.25"
    words.nth(1).hover()
    assert page.locator("#detail").inner_text() == "sun: contribution −0.500, gate 0.750"
    assert page.get_by_text("Words matter.").is_visible()
    page.get_by_label("gate").check()
    shades = page.locator("#words bdi").evaluate_all(
        "all => all.map(one => getComputedStyle(one).backgroundColor.match(/[\\d.]+\\)/)[0])"
    )
    # Of gates of 0.25, 0.75 and 0.5 three quarters.
    assert [float(shade[:-1]) for shade in shades] == pytest.approx([0.19, 0.56, 0.375], abs=0.01)
    assert page.get_by_text("Gates do not.").is_visible()
    assert not page.get_by_text("Words matter.").is_visible()


def test_a_mark_is_no_word(open_page):
    page = open_page()
    ask_and_wait(page, "sun !")
    assert page.locator("#words button").all_inner_texts() == ["sun"]
    assert page.locator("#words").inner_text() == "sun !"


def test_the_keyboard_does_it_all(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    page.keyboard.type("warm sun today")
    page.keyboard.press("Control+Enter")
    page.locator("#result:not(.is-old)").wait_for()
    # Over the button, five examples and the choices of a threshold and a view to the first word.
    for _ in range(9):
        page.keyboard.press("Tab")
    said = []
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "Home"):
        page.keyboard.press(key)
        said.append(page.locator("#detail").inner_text().split(":")[0])
    assert said == ["sun", "today", "today", "sun", "warm"]


def test_a_text_is_never_html(open_page):
    page = open_page()
    page.on("dialog", lambda dialog: page.said.append(dialog.message))
    ask_and_wait(page, HOSTILE)
    assert page.locator("#words button").all_inner_texts() == HOSTILE.split()[:3]
    assert page.locator("main img, main script, main b").count() == 0
    assert page.said == []


def test_what_is_wrong_is_shown_and_goes_away(open_page):
    page = open_page()
    ask_and_wait(page, "warm sun")
    problem = page.get_by_role("alert")
    ask(page, "   ")
    page.get_by_text("There is no word in the text").wait_for()
    assert page.locator("#result").is_hidden()
    ask(page, "a" * 10_001)
    page.get_by_text("At most 10,000 characters; this has 10,001.", exact=True).wait_for()
    page.context.set_offline(True)
    ask(page, "sun")
    page.get_by_text("cannot be reached").wait_for()
    page.context.set_offline(False)
    ask_and_wait(page, "sun")
    assert problem.is_hidden()
    assert page.locator("#cut").is_hidden()
    ask(page, "one two three four")
    page.get_by_text("longer than the model reads").wait_for()


def test_an_answer_that_was_overtaken_is_not_shown(open_page):
    page, held = open_page(), []

    def hold_the_first(route):
        held.append(route) if not held else route.continue_()

    page.route("**/predict", hold_the_first)
    ask(page, "dark")
    ask_and_wait(page, "sun")
    with page.expect_response("**/predict") as answer:
        held[0].continue_()
    assert "fear" in answer.value.text()
    page.wait_for_timeout(100)
    assert page.locator("#headline").inner_text() == "joy, 75.0 % confident"


@pytest.mark.parametrize("width", [320, 400, 768, 1600])
def test_nothing_is_wider_than_the_window(open_page, width):
    page = open_page(width)
    ask_and_wait(page, "sun" * 200 + " and a dark park. " + "A bark! " * 100)
    assert page.locator("#columns button").count() == 101
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.said == []


@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1200), ("dark", 1200), ("light", 320), ("dark", 320)]
)
def test_axe_finds_nothing(open_page, scheme, width):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed"
    )
    page = open_page(width, scheme)
    for text in ("warm sun today. it got dark! alone.", "   "):
        ask(page, text)
        page.locator("#problem:visible, #result:not(.is-old):visible").first.wait_for()
        found = axe.Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found] == []
