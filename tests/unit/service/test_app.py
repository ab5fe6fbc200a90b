"""What the service answers, without a network."""

import asyncio
import base64
import hashlib
import json
import re
import threading

import httpx
import pytest

from emotion_keras.errors import UserError
from emotion_keras.service import guard
from emotion_keras.service.app import make_app
from emotion_keras.service.options import ServiceOptions

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def app(fake_predictor):
    return make_app(fake_predictor(), max_body=2000, max_texts=3, max_length=100)


def ask(app, method, path, **options):
    """One request."""
    return ask_all(app, (method, path, options))[0]


def ask_all(app, *requests):
    """Requests one after the other."""

    async def run():
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return [
                await client.request(method, path, **options) for method, path, options in requests
            ]

    return asyncio.run(run())


def test_one_text(app):
    answer = ask(app, "POST", "/predict", json={"text": "the sun"})
    assert answer.status_code == 200
    assert answer.json() == {
        "predictions": [
            {
                "label": "joy",
                "confidence": 0.75,
                "probabilities": {"fear": 0.25, "joy": 0.75},
                "flag": "",
            }
        ]
    }


def test_several_texts_in_their_order_with_flags(app):
    texts = ["alone in import dark", " ", "sun ☀ sun"]
    answer = ask(app, "POST", "/predict", json={"texts": texts})
    found = answer.json()["predictions"]
    assert [one["label"] for one in found] == ["fear", "", "joy"]
    assert [one["flag"] for one in found] == ["truncated, unfamiliar", "empty", ""]
    assert [one["confidence"] for one in found] == [0.875, None, 0.75]
    assert found[1]["probabilities"] is None


def test_an_explanation(app):
    answer = ask(app, "POST", "/predict", json={"text": "warm sun", "explain": True})
    assert answer.json()["predictions"][0]["words"] == [
        {"word": "warm", "gate": 0.25, "contribution": 1.5},
        {"word": "sun", "gate": 0.75, "contribution": -0.5},
    ]


def test_a_label_is_given_from_a_confidence_on_that_a_request_may_change(fake_predictor):
    app = make_app(fake_predictor(), min_confidence=0.8)
    texts = {"texts": ["sun", "dark", " "]}
    first, *others = ask_all(
        app,
        ("POST", "/predict", {"json": texts}),
        ("POST", "/predict", {"json": {**texts, "min_confidence": 0.75}}),
        ("POST", "/predict", {"json": {**texts, "min_confidence": 1}}),
    )
    assert first.json()["predictions"][0] == {
        "label": "unsure",
        "guess": "joy",
        "confidence": 0.75,
        "probabilities": {"fear": 0.25, "joy": 0.75},
        "flag": "",
    }
    found = [[one["label"] for one in answer.json()["predictions"]] for answer in (first, *others)]
    assert found == [["unsure", "fear", ""], ["joy", "fear", ""], ["unsure", "unsure", ""]]
    assert ask(app, "GET", "/health").json()["min_confidence"] == 0.8


def test_without_a_default_a_request_may_ask_for_a_confidence(app):
    answer = ask(app, "POST", "/predict", json={"text": "sun", "min_confidence": 0.8})
    assert answer.json()["predictions"][0]["label"] == "unsure"


def test_of_a_confidence_and_an_accuracy_what_is_stricter_is_taken(app):
    # For an accuracy of 0.9 the confidence is 0.775.
    asked = [{"target_accuracy": 0.9}, {"target_accuracy": 0.9, "min_confidence": 0.9}]
    asked += [{"target_accuracy": 0.8, "min_confidence": 0.1}]
    texts = {"texts": ["sun", "dark"]}
    answers = ask_all(app, *(("POST", "/predict", {"json": texts | one}) for one in asked))
    found = [[one["label"] for one in answer.json()["predictions"]] for answer in answers]
    assert found == [["unsure", "fear"], ["unsure", "unsure"], ["joy", "fear"]]


def test_a_text_sentence_by_sentence(fake_predictor):
    predictor = fake_predictor()
    text = "Dr. Sun came. It was dark!\nB: Alone?"
    asked = {"texts": [text, "dark", " "], "by": "sentence", "min_confidence": 0.8}
    answer = ask(make_app(predictor), "POST", "/predict", json=asked)
    whole, single, empty = answer.json()["predictions"]
    assert (whole["label"], whole["flag"]) == ("fear", "truncated")
    found = [(one["sentence"], one["label"], one["guess"]) for one in whole["sentences"]]
    assert found == [
        ("Dr. Sun came.", "fear", "fear"),
        ("It was dark!", "fear", "fear"),
        ("B: Alone?", "fear", "fear"),
    ]
    (one,) = single["sentences"]
    assert one == {"sentence": "dark", **{k: v for k, v in single.items() if k != "sentences"}}
    assert (empty["flag"], empty["sentences"]) == ("empty", [])
    # What comes twice is predicted once.
    assert sum((texts for texts, _ in predictor.calls), []).count("dark") == 1


def test_sentences_are_explained_too(app):
    asked = {"text": "Warm sun. Dark.", "by": "sentence", "explain": True}
    (found,) = ask(app, "POST", "/predict", json=asked).json()["predictions"]
    assert [len(one["words"]) for one in (found, *found["sentences"])] == [3, 2, 1]
    assert found["sentences"][0]["score"] == 1.25


def test_the_language_of_the_service_says_how_sentences_end(fake_predictor):
    asked = {"text": "Am 3. Mai.", "by": "sentence"}
    found = []
    for language in ("de", None):
        app = make_app(fake_predictor(), language=language)
        (answer,) = ask(app, "POST", "/predict", json=asked).json()["predictions"]
        found.append([one["sentence"] for one in answer["sentences"]])
    assert found == [["Am 3. Mai."], ["Am 3.", "Mai."]]


def test_a_language_is_a_code():
    with pytest.raises(UserError, match="such as en or de. Received: language='German'"):
        ServiceOptions(language="German")


def test_only_texts_have_sentences(fake_predictor):
    predictor = fake_predictor()
    predictor.layout = "strip"
    answer = ask(make_app(predictor), "POST", "/predict", json={"text": "1", "by": "sentence"})
    assert (answer.status_code, answer.json()["detail"][:4]) == (422, "by: ")
    assert "data-text" not in ask(make_app(predictor), "GET", "/").text


def test_the_page_says_what_the_model_is_and_offers_what_it_reaches(app):
    page = ask(app, "GET", "/").text
    assert "Trained on 735 invented texts. Right on 61.9 % of 210 texts." in page
    assert "<li>Not for decisions about people.</li>" in page
    options = re.findall(r'<option value="([\d.]+)">(.*?)</option>', page)
    assert [(float(least), words) for least, words in options] == [
        (0, "always"),
        (pytest.approx(0.675), "only where 80 % are right: for 50 % of the texts"),
        (pytest.approx(0.775), "only where 90 % are right: for 50 % of the texts"),
    ]


def test_of_a_model_of_which_nothing_is_known_the_page_says_nothing(fake_predictor):
    predictor = fake_predictor()
    predictor.about, predictor.can_be_unsure = {}, False
    page = ask(make_app(predictor), "GET", "/").text
    assert 'id="about"' not in page and "<option" not in page and "<details" not in page


def test_examples_are_in_the_language_of_the_service(fake_predictor):
    pages = [
        ask(make_app(fake_predictor(), language=language), "GET", "/").text
        for language in (None, "fr", "tlh")
    ]
    assert ["Une lettre" in page for page in pages] == [False, True, False]
    assert ["A letter" in page for page in pages] == [True, False, False]
    assert [
        f"lang={code} " in page for code, page in zip(("en", "fr", "tlh"), pages, strict=True)
    ] == [True] * 3


def test_a_model_with_a_label_of_that_name_takes_no_confidence(fake_predictor):
    predictor = fake_predictor()
    predictor.can_be_unsure = False
    answer = ask(make_app(predictor), "POST", "/predict", json={"text": "a", "min_confidence": 0.5})
    assert answer.status_code == 422
    assert "min_confidence: " in answer.json()["detail"]


def test_the_field_of_a_request_has_the_name_of_the_modality(fake_predictor):
    predictor = fake_predictor()
    predictor.singular, predictor.plural = "sentence", "sentences"
    answer = ask(make_app(predictor), "POST", "/predict", json={"sentence": "the sun"})
    assert answer.json()["predictions"][0]["label"] == "joy"


def test_a_model_that_cannot_explain_says_so(fake_predictor):
    app = make_app(fake_predictor(can_explain=False))
    answer = ask(app, "POST", "/predict", json={"text": "sun", "explain": True})
    assert answer.status_code == 422
    assert "no gate" in answer.json()["detail"]
    answer = ask(app, "POST", "/predict", json={"text": "sun", "explain": False})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "body, status, said",
    [
        ("", 422, "body is missing"),
        ('{"text": ', 400, "not JSON"),
        ("{'text': 1}", 400, "not JSON"),
        ("null", 422, "an object of JSON"),
        ("[]", 422, "an object of JSON"),
        ("{}", 422, "either text or texts"),
        ('{"text": "a", "texts": ["b"]}', 422, "either text or texts"),
        ('{"text": null}', 422, "text: "),
        ('{"text": 1}', 422, "text: A text, between double quotes."),
        ('{"text": NaN}', 422, "text: "),
        ('{"text": 1e999}', 422, "text: "),
        ('{"texts": []}', 422, "texts: At least one"),
        ('{"texts": "a"}', 422, "texts: A list"),
        ('{"texts": ["a", {}]}', 422, "texts.1: "),
        ('{"text": "a", "explain": 1}', 422, "explain: "),
        ('{"text": "a", "explian": true}', 422, "explian: There is no such field"),
        ('{"text": "a", "min_confidence": 70}', 422, "min_confidence: A number from 0 to 1."),
        ('{"text": "a", "target_accuracy": "high"}', 422, "target_accuracy: A number from 0"),
        ('{"text": "a", "target_accuracy": 0.95}', 409, "target_accuracy: No threshold"),
        ('{"text": "a", "by": "word"}', 422, "by: It is 'sentence', or left out."),
        ('{"text": "a", "by": null}', 422, "by: "),
        (
            '{"text": "I won. He lost. It rained.", "by": "sentence"}',
            413,
            "At most 3 texts and sentences toge",
        ),
        ('{"text": "a", "min_confidence": NaN}', 422, "min_confidence: "),
        ('{"text": "a", "min_confidence": null}', 422, "min_confidence: "),
        (r'{"text": "a\u0000b"}', 422, "NUL"),
        (r'{"text": "\ud800"}', 422, "surrogates"),
        (r'{"text": "a", "\ud800": 1}', 422, ""),
        (b'{"text": "\xff"}', 400, ""),
        ('{"text": ' + "9" * 1900 + "}", 422, "text: "),
        ('{"texts": ["a", "b", "c", "d"]}', 413, "texts: At most 3; these are 4."),
        ('{"text": "' + "a" * 101 + '"}', 413, "text: At most 100 characters; this has 101."),
        ('{"text": "' + "a" * 2000 + '"}', 413, "At most 2,000 bytes"),
    ],
)
def test_what_is_refused_with_a_reason(app, body, status, said):
    answer = ask(app, "POST", "/predict", content=body, headers=JSON)
    assert answer.status_code == status
    assert said in answer.json()["detail"]


@pytest.mark.parametrize("body", ["[" * 100_000, '{"text": ' + "9" * 100_000 + "}"])
def test_what_no_parser_takes_is_refused(fake_predictor, body):
    answer = ask(make_app(fake_predictor()), "POST", "/predict", content=body, headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["detail"]


def test_what_is_just_within_the_limits_is_answered(app):
    # Characters count, not bytes.
    body = json.dumps({"texts": ["ü" * 100, "a", "b"]}, ensure_ascii=False).encode()
    body += b" " * (2000 - len(body))
    assert ask(app, "POST", "/predict", content=body, headers=JSON).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/plain"}])
def test_what_is_not_sent_as_json_is_refused(app, headers):
    answer = ask(app, "POST", "/predict", content='{"text": "a"}', headers=headers)
    assert answer.status_code == 415
    assert "application/json" in answer.json()["detail"]


def test_a_body_of_unknown_length_may_not_be_larger(app):
    async def parts():
        for _ in range(5):
            yield b" " * 500

    answer = ask(app, "POST", "/predict", content=parts(), headers=JSON)
    assert answer.status_code == 413
    assert "2,000 bytes" in answer.json()["detail"]
    assert answer.headers["connection"] == "close"


def test_bodies_that_are_too_much_together_are_refused_until_they_are_answered(app, monkeypatch):
    monkeypatch.setattr(guard, "_MAX_HELD", 1500)
    body = json.dumps({"text": "sun"}).encode().ljust(1000)

    async def run():
        go = asyncio.Event()

        async def slowly():
            yield body
            await go.wait()

        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:

            async def post(content):
                return await client.post("/predict", content=content, headers=JSON)

            first = asyncio.create_task(post(slowly()))
            await asyncio.sleep(0.1)
            refused = await post(body)
            go.set()
            return refused, await first, await post(body)

    refused, first, last = asyncio.run(run())
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert "try again" in refused.json()["detail"]
    assert (first.status_code, last.status_code) == (200, 200)


def test_a_body_that_does_not_end_is_given_up(fake_predictor):
    async def parts():
        while True:
            yield b" "
            await asyncio.sleep(0.001)

    app = make_app(fake_predictor(), client_seconds=0.2)
    answer = ask(app, "POST", "/predict", content=parts(), headers=JSON)
    assert answer.status_code == 408
    assert "0.2 seconds" in answer.json()["detail"]


def test_other_methods_and_paths(app):
    answer = ask(app, "GET", "/predict")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    for path in ("/docs", "/redoc", "/page.html", "/%00"):
        assert ask(app, "GET", path).status_code == 404


def test_a_model_that_fails_is_told_and_goes_on(app):
    failed, next_one = ask_all(
        app,
        ("POST", "/predict", {"json": {"text": "fail"}}),
        ("POST", "/predict", {"json": {"text": "sun"}}),
    )
    assert failed.status_code == 500
    assert "log" in failed.json()["detail"] and "kernel" not in failed.text
    assert next_one.status_code == 200


def test_beyond_the_queue_one_is_asked_to_come_again(fake_predictor):
    predictor, started, go = fake_predictor(), threading.Event(), threading.Event()

    class Held:
        def __getattr__(self, name):
            return getattr(predictor, name)

        def __call__(self, texts, explain):
            started.set()
            assert go.wait(10)
            return predictor(texts, explain)

    async def run():
        transport = httpx.ASGITransport(make_app(Held(), max_queue=1))
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:

            async def predict():
                return await client.post("/predict", json={"text": "sun"})

            tasks = [asyncio.create_task(predict())]
            await asyncio.to_thread(started.wait, 10)
            tasks.append(asyncio.create_task(predict()))
            while "emotion_queue_texts 1.0" not in (await client.get("/metrics")).text:
                await asyncio.sleep(0.001)
            refused = await predict()
            go.set()
            return refused, await asyncio.gather(*tasks)

    refused, answered = asyncio.run(run())
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "1"
    assert "try again" in refused.json()["detail"]
    assert [answer.status_code for answer in answered] == [200, 200]


def test_health(app):
    assert ask(app, "GET", "/health").json() == {
        "status": "ok",
        "model": "gated_transformer-seed0",
        "labels": ["fear", "joy"],
        "modality": "text",
        "can_explain": True,
        "sequence_length": 5,
        "max_body": 2000,
    }


def test_metrics(app):
    *_, answer = ask_all(
        app,
        ("POST", "/predict", {"json": {"texts": ["a", "b", "c"]}}),
        ("POST", "/predict", {"json": {}}),
        ("GET", "/nowhere/1", {}),
        ("GET", "/nowhere/2", {}),
        ("GET", "/metrics", {}),
    )
    assert answer.headers["content-type"].startswith("text/plain; version=")
    lines = answer.text.splitlines()
    for line in (
        'emotion_requests_total{path="/predict",status="200"} 1.0',
        'emotion_requests_total{path="/predict",status="422"} 1.0',
        'emotion_requests_total{path="other",status="404"} 2.0',
        "emotion_predict_seconds_count 2.0",
        "emotion_texts_total 3.0",
        'emotion_batch_texts_bucket{le="2.0"} 0.0',
        'emotion_batch_texts_bucket{le="4.0"} 1.0',
        "emotion_queue_texts 0.0",
    ):
        assert line in lines


def test_the_page_runs_its_own_script_alone_and_loads_nothing(app):
    answer = ask(app, "GET", "/")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; connect-src 'self'; ")
    assert "unsafe" not in policy and " style=" not in answer.text
    for tag in ("script", "style"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", answer.text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in policy
    assert not re.search(r"https?:|//[a-z]|innerHTML|@import|url\(", answer.text)


def test_the_schema_states_the_limits(app):
    schema = ask(app, "GET", "/openapi.json").json()
    question = schema["components"]["schemas"]["Question"]
    assert question["properties"]["text"]["maxLength"] == 100
    assert question["properties"]["texts"]["maxItems"] == 3
    assert question["properties"]["by"]["const"] == "sentence"
    assert question["properties"]["target_accuracy"]["maximum"] == 1
    of_answer = schema["components"]["schemas"]["TextPrediction"]["properties"]
    assert "#/components/schemas/Sentence" in json.dumps(of_answer["sentences"])
    assert set(schema["paths"]) == {"/predict", "/health", "/metrics"}
    documented = schema["paths"]["/predict"]["post"]["responses"]
    assert set(documented) == {"200", "400", "408", "409", "413", "415", "422", "500", "503"}
