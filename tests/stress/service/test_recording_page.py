"""The page of a model of recordings in a real browser, with the service."""

import io

import numpy as np
import pytest
import soundfile

from tests.fixtures.recordings import tone


@pytest.fixture(scope="module")
def heard(tmp_path_factory):
    """What the microphone hears: a tone of 900 hertz, again and again."""
    path = tmp_path_factory.mktemp("microphone") / "heard.wav"
    soundfile.write(path, tone(900, 5.0, 48000), 48000)
    return path


@pytest.fixture(scope="module")
def chromium_arguments(heard):
    return [
        "--no-sandbox",
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-audio-capture={heard}",
    ]


@pytest.fixture(scope="module")
def service(start_service, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("home")))
        with start_service("--max-seconds", "3", predictor="FakeListener") as service:
            yield service


def recording(samples, kind="WAV", name="clip.wav"):
    """A file to choose."""
    file = io.BytesIO()
    soundfile.write(file, samples, 16000, format=kind)
    return {"name": name, "mimeType": "audio/wav", "buffer": file.getvalue()}


def choose(page, file):
    page.get_by_label("Choose a recording").set_input_files(file)


def choose_and_wait(page, file):
    choose(page, file)
    page.locator("#result:not(.is-old):visible").wait_for()


def rows(page):
    return [row.split() for row in page.locator("#bars tr").all_inner_texts()]


def wait_until(page, expression):
    """Waits for an expression; the page's policy lets Playwright not do it in the page."""
    for _ in range(200):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"it never came to {expression}")


def complaints(page):
    """What the console says, but that the processor is to be a worklet one day."""
    return [one for one in page.said if "ScriptProcessorNode" not in one]


def test_a_file_gives_bars_and_can_be_played(open_page):
    page = open_page()
    choose_and_wait(page, recording(tone(900, 1.0)))
    assert page.locator("#headline").inner_text() == "joy, 75.0 % confident"
    assert rows(page) == [["joy", "75.0"], ["fear", "25.0"]]
    wait_until(page, "document.querySelector('#player').duration > 0")
    assert page.evaluate("document.querySelector('#player').duration") == pytest.approx(1, abs=0.05)
    choose(page, recording(tone(150)))
    page.get_by_text("fear, 87.5 % confident").wait_for()
    assert page.said == []


def test_a_file_that_is_dropped_is_answered(open_page):
    page = open_page()
    page.evaluate(
        """(bytes) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "clip.wav"));
          document.body.dispatchEvent(
            new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true })
          );
        }""",
        list(recording(tone(900))["buffer"]),
    )
    page.get_by_text("joy, 75.0 % confident").wait_for()
    assert page.said == []


def test_the_microphone_is_recorded_as_it_sounds(open_page):
    page = open_page()
    # Playwright does not show the body of a request that is a blob: what is played is what is sent.
    page.evaluate(
        "() => { const make = URL.createObjectURL;"
        " URL.createObjectURL = (blob) => make.call(URL, window.played = blob); }"
    )
    page.get_by_role("button", name="Record from the microphone").click()
    page.get_by_text("s of at most 3").wait_for()
    wait_until(page, "parseFloat(document.querySelector('#state').textContent) > 1")
    page.get_by_role("button", name="Stop recording").click()
    page.get_by_text("joy, 75.0 % confident").wait_for()
    sent = page.evaluate("async () => [...new Uint8Array(await window.played.arrayBuffer())]")
    samples, rate = soundfile.read(io.BytesIO(bytes(sent)))
    assert samples.ndim == 1 and 1 <= len(samples) / rate < 3
    # A second of what is heard, without the microphone's beginning.
    spectrum = np.abs(np.fft.rfft(samples[-rate:]))
    assert np.argmax(spectrum) == pytest.approx(900, rel=0.11)
    page.get_by_role("button", name="Record from the microphone").wait_for()
    assert complaints(page) == []


def test_recording_ends_where_the_service_takes_no_more(open_page):
    page = open_page()
    page.get_by_role("button", name="Record from the microphone").click()
    page.get_by_text("joy, 75.0 % confident").wait_for()
    wait_until(page, "document.querySelector('#player').duration > 0")
    assert 2.5 < page.evaluate("document.querySelector('#player').duration") <= 3


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("NotAllowedError", "does not let this page use"),
        ("NotFoundError", "There is no microphone"),
    ],
)
def test_a_microphone_that_cannot_be_used_is_explained(open_page, name, said):
    page = open_page()
    page.evaluate(
        "(name) => { navigator.mediaDevices.getUserMedia = async () => "
        "{ throw new DOMException('', name); }; }",
        name,
    )
    page.get_by_role("button", name="Record from the microphone").click()
    assert said in page.get_by_role("alert").inner_text()
    assert page.get_by_role("button", name="Record from the microphone").is_enabled()


def test_moments_are_bars_up_and_down_in_time(open_page):
    page = open_page()
    choose_and_wait(page, recording(tone(900)))
    moments = page.locator("#moments button")
    assert moments.count() == 4
    line = page.evaluate(
        "(() => { const box = document.querySelector('#moments').getBoundingClientRect();"
        " return box.top + box.height / 2; })()"
    )
    first, second = (moments.nth(i).locator("span").bounding_box() for i in (0, 1))
    # 0.15 for the emotion, half as much against it.
    assert first["y"] + first["height"] == pytest.approx(line, abs=2)
    assert second["y"] == pytest.approx(line, abs=2)
    assert first["height"] == pytest.approx(2 * second["height"], rel=0.05)
    assert first["x"] < second["x"]
    moments.nth(1).hover()
    numbers = "0.10 to 0.20 s: contribution −0.075, gate 0.750"
    assert page.locator("#detail").inner_text() == numbers
    assert moments.nth(1).get_attribute("aria-label") == numbers
    assert page.locator("#axis span").all_inner_texts() == ["0 s", "0.1 s", "0.2 s", "0.3 s"]
    moments.nth(2).click()
    wait_until(page, "document.querySelector('#player').currentTime >= 0.2")


def test_the_keyboard_goes_through_the_moments(open_page):
    page = open_page()
    choose_and_wait(page, recording(tone(900)))
    page.locator("#moments button").first.focus()
    said = []
    for key in ("ArrowRight", "End", "ArrowRight", "ArrowLeft", "Home"):
        page.keyboard.press(key)
        said.append(page.locator("#detail").inner_text()[:4])
    assert said == ["0.10", "0.30", "0.30", "0.20", "0.00"]


def test_what_is_wrong_is_said_in_words_and_goes_away(open_page):
    page = open_page()
    problem = page.get_by_role("alert")
    choose(page, {"name": "a.wav", "mimeType": "audio/wav", "buffer": b"no sound"})
    page.get_by_text("cannot be read as a recording").wait_for()
    choose(page, recording(np.zeros(8000)))
    page.get_by_text("The recording is silent").wait_for()
    assert page.locator("#result").is_hidden()
    choose(page, recording(tone(900, 0.05)))
    page.get_by_text("The recording is too short").wait_for()
    choose(page, recording(tone(900, 3.5)))
    page.get_by_text("longer than 3 seconds").wait_for()
    large = {"name": "a.wav", "mimeType": "audio/wav", "buffer": bytes(11_000_000)}
    choose(page, large)
    page.get_by_text("11.0 MB, where 10.5 MB are accepted").wait_for()
    choose_and_wait(page, recording(tone(900)))
    assert problem.is_hidden()


def test_what_the_browser_alone_can_read_is_converted(open_page):
    page = open_page()
    # A recording of the browser itself, in WebM, which libsndfile does not read.
    page.evaluate(
        """async () => {
          const context = new AudioContext();
          const tone = new OscillatorNode(context, { frequency: 900 });
          const end = context.createMediaStreamDestination();
          tone.connect(end);
          tone.start();
          const recorder = new MediaRecorder(end.stream, { mimeType: "audio/webm" });
          const stopped = new Promise((resolve) => { recorder.ondataavailable = resolve; });
          recorder.start();
          await new Promise((resolve) => setTimeout(resolve, 1000));
          recorder.stop();
          use((await stopped).data);
        }"""
    )
    page.get_by_text("joy, 75.0 % confident").wait_for()


@pytest.mark.parametrize("width", [400, 1600])
def test_nothing_is_wider_than_the_window(open_page, width):
    page = open_page(width)
    choose_and_wait(page, recording(tone(900)))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_page, scheme):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe is not installed"
    )
    page = open_page(scheme=scheme)
    for samples in (tone(900), np.zeros(8000)):
        choose(page, recording(samples))
        page.locator("#problem:visible, #result:not(.is-old):visible").first.wait_for()
        found = axe.Axe().run(page).response["violations"]
        serious = [one for one in found if one["impact"] in ("serious", "critical")]
        assert [(one["id"], one["nodes"][0]["html"][:200]) for one in serious] == []
