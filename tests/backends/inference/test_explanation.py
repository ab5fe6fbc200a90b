"""What is said of a model: its layers, its gates, and what each word adds to a score."""

import keras
import numpy as np
import pytest
from rich.text import Text

from emotion_keras import record
from emotion_keras.evaluation.faithfulness import (
    choose_texts,
    in_words,
    measure_faithfulness,
    read_faithfulness,
)
from emotion_keras.fit import summarize
from emotion_keras.inference.explanation import (
    describe_layers,
    explained_outputs,
    explaining_model,
    has_gate,
)
from emotion_keras.inference.load import load_model
from emotion_keras.inference.outputs import Explanation, explain_units, summarize_words
from emotion_keras.inference.prediction import predict
from emotion_keras.inputs.text import TextInput
from emotion_keras.models import MODELS
from emotion_keras.targets import SingleLabel

TEXTS = [
    "We laughed at home, and laughing friends came.",
    "They hid!",
    "She shouted; he shouted back at home.",
    "",
] * 3
TARGET = SingleLabel("abc")
OPTIONS = {"vocabulary_size": 70, "embedding_dim": 8, "sequence_length": 12}


@pytest.fixture(scope="module")
def text():
    return TextInput.learn(TEXTS, encoder="scratch", **OPTIONS)


def build(text, **options):
    keras.utils.set_random_seed(3)
    settings = {"num_heads": 2, "intermediate_dim": 8, **options}
    return MODELS["gated_transformer"](**settings).build(text.embed(), TARGET)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("gate", ["features", "scalar"])
def test_gates_and_contributions_are_those_of_the_formula(text, gate):
    model = build(text, gate=gate)
    sequences = text.encode(TEXTS)
    outputs = explained_outputs(
        explaining_model(model, TARGET),
        sequences,
        sequence_length=12,
        batch_size=5,
    )
    explained = explain_units(text, TEXTS, outputs, TARGET)
    probabilities = predict(model, sequences, sequence_length=12)
    np.testing.assert_allclose(outputs.probabilities, probabilities, atol=1e-6)
    gating, classifier = model.get_layer("gate"), model.get_layer("classifier")
    hidden = keras.Model(model.inputs, gating.input)
    (kernel, bias), (weights, biases) = gating.get_weights(), classifier.get_weights()
    for number, (words, rest, score) in enumerate(explained):
        values, mask = sequences.pad([number], sequences.lengths[number])
        vectors = np.asarray(
            keras.ops.convert_to_numpy(hidden({"token_ids": values, "padding_mask": mask}))
        )[0]
        gates = sigmoid(vectors @ kernel + bias)
        scores = (gates * vectors).mean(axis=0) @ weights + biases
        # Softmax of the sums is what the model predicts, and its label the one explained.
        np.testing.assert_allclose(
            np.exp(scores) / np.exp(scores).sum(), probabilities[number], rtol=1e-4
        )
        label = probabilities[number].argmax()
        assert score == pytest.approx(scores[label] - scores.mean(), abs=1e-5)
        added = (gates * vectors) @ (weights[:, label] - weights.mean(axis=1)) / len(vectors)
        # Of the units the words are named here; the start, the end, marks and the bias are left.
        (units,) = text.units(TEXTS[number : number + 1])
        ends = np.cumsum([num_tokens for _, num_tokens in units])
        parts = [part.sum() for part in np.split(added, ends[:-1])]
        opened = [part.mean() for part in np.split(gates, ends[:-1])]
        left = biases[label] - biases.mean() + parts[0] + parts[-1]
        for word, (unit, _), part, gate in zip(
            words, units[1:-1], parts[1:-1], opened[1:-1], strict=True
        ):
            is_mark = unit in {",", "!", ";", "."}
            left += part if is_mark else 0
            assert word["word"] == unit
            assert word["gate"] == pytest.approx(gate, abs=1e-5)
            assert word["contribution"] == (None if is_mark else pytest.approx(part, abs=1e-5))
        assert rest == pytest.approx(left, abs=1e-5)
    assert [word["word"] for word in explained[1].words] == ["They", "hid", "!"]
    assert explained[3].words == [] and explained[3].rest == explained[3].score


def test_another_label_can_be_explained(text):
    outputs = explained_outputs(
        explaining_model(build(text), TARGET),
        text.encode(TEXTS),
        sequence_length=12,
    )
    of_labels = [
        explain_units(text, TEXTS, outputs, TARGET, np.full(len(TEXTS), label))[0]
        for label in range(3)
    ]
    # Counted from their mean, the scores of all labels add up to 0, and so does each word.
    assert sum(one.score for one in of_labels) == pytest.approx(0, abs=1e-5)
    assert sum(one.words[0]["contribution"] for one in of_labels) == pytest.approx(0, abs=1e-5)
    chosen = outputs.probabilities[0].argmax()
    assert explain_units(text, TEXTS, outputs, TARGET)[0] == of_labels[chosen]


def test_pieces_are_merged_to_words_and_cut_ones_are_left_out(text):
    (words,) = text.tokenizer.words(["We unlaughed, Friends of storms and more"], 12)
    (ids,) = np.split(text.encode(["We unlaughed, Friends of storms and more"]).values, [])
    assert sum(number for _, number in words) == len(ids) == 12
    assert [word for word, _ in words][:4] == ["[CLS]", "We", "unlaughed", ","]
    assert dict(words)["unlaughed"] > 1
    assert words[-1] == ("[SEP]", 1)


def test_words_of_a_preset_are_what_its_tokens_spell(toy_roberta):
    tokenizer = TextInput.learn([], encoder=str(toy_roberta)).tokenizer
    assert tokenizer.words(["we laughed", "me", ""], 32) == [
        [("<s>", 1), ("we", 1), ("laughed", 5), ("</s>", 1)],
        [("<s>", 1), ("me", 2), ("</s>", 1)],
        [("<s>", 1), ("</s>", 1)],
    ]


@pytest.mark.parametrize(
    "options",
    [{"gate": "linear_unit"}, {"gate_after": "embeddings"}, {"gate_after": "blocks"}]
    + [{"pooling": pooling} for pooling in ("max", "first", "attention")],
)
def test_what_is_no_sum_is_not_explained(text, options):
    assert has_gate(build(text))
    assert not has_gate(build(text, **options))


def test_layers_are_described_as_they_are_joined(text):
    layers = {layer["name"]: layer for layer in describe_layers(build(text))}
    assert list(layers) == [layer.name for layer in build(text).layers]
    assert layers["token_ids"] == {
        "name": "token_ids",
        "type": "InputLayer",
        "inputs": [],
        "output_shape": [None, None],
        "parameters": 0,
    }
    assert set(layers["block_1"]["inputs"]) == {"block_0", "padding_mask"}
    assert layers["gate"] == {
        "name": "gate",
        "type": "GatingLayer",
        "inputs": ["block_1"],
        "output_shape": [None, None, 8],
        "parameters": 8 * 8 + 8,
    }
    assert layers["classifier"]["parameters"] == 8 * 3 + 3
    first = describe_layers(build(text, pooling="first"))
    assert [(x["parameters"], x["output_shape"]) for x in first if x["type"] == "GetItem"] == [
        (0, [None, 8])
    ]


def test_frequent_words_have_the_mean_of_their_gates():
    def words(*pairs):
        rows = [{"word": word, "gate": gate, "contribution": 0.0} for word, gate in pairs]
        return Explanation(rows, 0.0, 0.0)

    explained = [words(("Home", 0.5), ("home", 0.7), ("storm", 0.9))] * 4
    assert summarize_words(explained) == []
    explained.append(words(("HOME", 0.1), ("came", 0.2)))
    assert summarize_words(explained) == [
        {"word": "home", "count": 5, "gate": pytest.approx((4 * 0.6 + 0.1) / 5)}
    ]


def test_a_runs_faithfulness_is_what_its_model_gives(gated_run):
    model = load_model(gated_run)
    texts = [row["text"] for row in record.read_rows(gated_run / record.TEXTS)]
    words = [explanation.words for explanation in model.explain(texts)]
    words = [words[i] for i in choose_texts([len(of_text) for of_text in words])]
    rows = measure_faithfulness(words, model.probabilities)
    for row, kept in zip(rows, read_faithfulness(gated_run), strict=True):
        assert (kept.pop("milliseconds") or 0) > 0 or row["order"] == "random"
        assert row.pop("milliseconds") is None
        assert kept == pytest.approx(row, abs=1e-5)


def test_what_is_told_of_a_run_ends_with_its_faithfulness(gated_run):
    said = [part.plain for part in summarize(gated_run).renderables if isinstance(part, Text)]
    # After what training took and how often it is right where it is surest.
    assert said[1].startswith("Right among the test texts") and len(said) == 5
    assert said[3:] == list(in_words(read_faithfulness(gated_run)).values())
