"""`f_embed` of text with every encoder, under every model."""

import keras
import numpy as np
import pytest

from emotion_keras.errors import UserError
from emotion_keras.inputs.text import TextInput
from emotion_keras.models import MODELS
from emotion_keras.targets import SingleLabel

TEXTS = ["we laughed at home", "they hid in the dark while the storm shouted", "cafe"] * 4


@pytest.fixture(scope="session")
def scratch():
    keras.utils.set_random_seed(0)
    text = TextInput.learn(TEXTS, encoder="scratch", embedding_dim=8, sequence_length=64)
    return text, text.embed()


@pytest.fixture(scope="session")
def embeddings():
    keras.utils.set_random_seed(0)
    text = TextInput.learn([], encoder="embeddings", embedding_dim=8, sequence_length=64)
    return text, text.embed()


@pytest.fixture(scope="session")
def vectors_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("vectors") / "vectors.txt"
    words = sorted({word for text in TEXTS for word in text.split()} - {"cafe"})
    rng = np.random.default_rng(0)
    rows = [" ".join([word, *map(str, rng.normal(1, 3, size=5))]) for word in words]
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.fixture(scope="session")
def word_vectors(vectors_path):
    keras.utils.set_random_seed(0)
    text = TextInput.learn([], encoder=str(vectors_path), embedding_dim=8, sequence_length=64)
    return text, text.embed()


@pytest.fixture(scope="session")
def minilm_start(minilm, minilm_embedded):
    return minilm, minilm_embedded


@pytest.fixture(scope="session")
def bert(toy_bert):
    text = TextInput.learn([], encoder=str(toy_bert), encoder_dropout=0.0, sequence_length=32)
    return text, text.embed()


@pytest.fixture(scope="session")
def distilbert(toy_distilbert):
    text = TextInput.learn([], encoder=str(toy_distilbert), sequence_length=32)
    return text, text.embed()


@pytest.fixture(
    scope="session",
    params=["scratch", "embeddings", "word_vectors", "minilm_start", "bert", "distilbert"],
)
def start(request):
    return request.getfixturevalue(request.param)


def small_options(name, embedded):
    if "transformer" in name:
        num_layers = 1 if embedded.vectors.shape[-1] == 8 else 0
        return {"num_layers": num_layers, "num_heads": 2, "intermediate_dim": 8}
    return {"cnn": {"num_filters": 8}, "lstm": {"units": 8}}.get(name, {})


@pytest.mark.parametrize("name", sorted(MODELS))
def test_more_padding_changes_no_output(start, name):
    text, embedded = start
    if name == "bert" and embedded.pooled is None:
        pytest.skip("bert needs an encoder with a pooled output")
    keras.utils.set_random_seed(0)
    model = MODELS[name](**small_options(name, embedded)).build(embedded, SingleLabel("abc"))
    sequences = text.encode(TEXTS[:3])
    longest = int(sequences.lengths.max())

    def probabilities(length, dirty=False):
        token_ids, mask = sequences.pad([0, 1, 2], length)
        if dirty:
            token_ids = np.where(mask == 1, token_ids, 5).astype("int32")
        # Called, since `Model.predict` is compiled for each model and length.
        outputs = model({"token_ids": token_ids, "padding_mask": mask}, training=False)
        return keras.ops.convert_to_numpy(outputs)

    expected = probabilities(longest)
    assert np.abs(expected[0] - expected[1]).max() > 1e-4
    np.testing.assert_allclose(probabilities(longest + 1), expected, atol=1e-5)
    np.testing.assert_allclose(probabilities(32), expected, atol=1e-5)
    np.testing.assert_allclose(probabilities(32, dirty=True), expected, atol=1e-5)


def test_the_tables_vectors_are_standardised(embeddings):
    table = keras.Model(*embeddings[1][:2]).get_layer("embeddings").get_weights()[0]
    assert table.shape == (30522, 384)
    assert (table.mean(), table.std()) == pytest.approx((0, 1), abs=1e-3)


def test_a_word_has_its_vector_and_an_unknown_one_has_none(word_vectors, vectors_path):
    text, embedded = word_vectors
    rows = {line.split()[0]: line.split()[1:] for line in vectors_path.read_text().splitlines()}
    table = keras.Model(*embedded[:2]).get_layer("embeddings").get_weights()[0]
    values = np.array(list(rows.values()), "float32")
    for word, row in rows.items():
        start, word_id, end = text.encode([word.upper()]).values
        expected = (np.array(row, "float32") - values.mean()) / values.std()
        np.testing.assert_allclose(table[word_id], expected, atol=1e-5)
    assert not table[[start, end, *text.encode(["cafe"]).values]].any()
    assert len(text.encode(["cafe"]).values) == 3


@pytest.mark.parametrize("frozen", [True, False])
def test_token_vectors_are_frozen_or_not(toy_bert, toy_distilbert, frozen):
    for folder in (toy_bert, toy_distilbert):
        text = TextInput.learn(
            [], encoder=str(folder), freeze_embeddings=frozen, sequence_length=16
        )
        embedded = text.embed()
        trained = keras.Model(embedded.inputs, embedded.vectors).trainable_variables
        sizes = [tuple(variable.shape) for variable in trained]
        assert ((10, 8) not in sizes) == frozen


@pytest.mark.parametrize("encoder", ["scratch", "toy_bert", "toy_distilbert"])
def test_tokens_are_hidden_while_training_alone(encoder, request):
    if encoder != "scratch":
        encoder = str(request.getfixturevalue(encoder))
    text = TextInput.learn(
        TEXTS, encoder=encoder, token_dropout=0.9, encoder_dropout=0.0, sequence_length=16
    )
    embedded = text.embed()
    model = keras.Model(embedded.inputs, embedded.vectors)
    token_ids, mask = text.encode(TEXTS[:3]).pad([0, 1, 2], 16)

    def vectors(token_ids, training):
        inputs = {"token_ids": token_ids.astype("int32"), "padding_mask": mask}
        outputs = model(inputs, training=training)
        return keras.ops.convert_to_numpy(outputs)

    shown = vectors(token_ids, training=False)
    np.testing.assert_array_equal(vectors(token_ids, training=False), shown)
    trained = vectors(token_ids, training=True)
    assert np.abs(trained - shown).max() > 1e-3


@pytest.mark.parametrize("encoder", ["scratch", "embeddings"])
def test_only_a_pretrained_encoder_can_be_frozen(encoder):
    with pytest.raises(UserError, match=f"Only a pretrained.*Received: encoder='{encoder}'"):
        TextInput.learn(TEXTS, encoder=encoder, freeze_encoder=True)


def test_word_pieces_are_learned_from_the_given_texts_alone(scratch):
    text, _ = scratch
    known, unknown = text.encode(["storm", "zebra"]).lengths
    assert (known, text.tokenizer.hidden_id) == (3, 1)
    assert text.encode(["zzz"]).values.tolist() == [2, 1, 3]
    assert unknown >= 3
