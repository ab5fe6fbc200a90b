"""An encoder whose lowest blocks are frozen, whose highest are new, or whose table is mixed in."""

import keras
import numpy as np
import pytest

from emotion_keras.errors import UserError
from emotion_keras.inference.prediction import compute_vectors, predict
from emotion_keras.inputs import TextInput

TEXTS = ["we laughed", "we hid in the dark", "home"]
ENCODERS = ["toy_bert", "toy_mpnet"]


@pytest.fixture(params=ENCODERS)
def folder(request):
    return str(request.getfixturevalue(request.param))


def learn(folder, **options):
    return TextInput.learn(
        TEXTS, encoder=folder, sequence_length=16, encoder_dropout=0.0, **options
    )


def vectors_of(embedded, sequences):
    model = keras.Model(
        embedded.inputs,
        keras.layers.GlobalAveragePooling1D()(embedded.vectors, mask=embedded.padding_mask),
    )
    return predict(model, sequences, sequence_length=16)


def precompute(text, directory):
    def compute(reader, split, sequences):
        embedded = reader.embed()
        model = keras.Model(embedded.inputs, embedded.vectors)
        path = directory / f"{split}.npy"
        return compute_vectors(model, sequences, sequence_length=16, path=path)

    return text.precompute({"train": text.encode(TEXTS)}, compute)


def blocks(embedded):
    model = keras.Model(embedded.inputs, embedded.vectors)
    return {layer.name: layer for layer in model.layers if layer.name.startswith("encoder_")}


def test_the_lower_and_the_upper_blocks_together_are_the_encoder(folder, tmp_path):
    text = learn(folder, frozen_layers=1)
    upper, computed = precompute(text, tmp_path)
    found = vectors_of(upper.embed(), computed["train"])
    expected = vectors_of(learn(folder).embed(), text.encode(TEXTS))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert computed["train"].values.shape == (sum(text.encode(TEXTS).lengths), 8)


def test_nothing_below_the_upper_blocks_is_trained(folder):
    layers = blocks(learn(folder, frozen_layers=1, freeze_embeddings=False).embed())
    trained = {name for name, layer in layers.items() if layer.trainable_variables}
    assert trained == {"encoder_block_1"}


def test_the_highest_blocks_are_drawn_and_the_others_loaded(folder):
    loaded, drawn = blocks(learn(folder).embed()), blocks(learn(folder, drawn_layers=1).embed())
    for name, layer in loaded.items():
        pairs = list(zip(layer.get_weights(), drawn[name].get_weights(), strict=True))
        same = all(np.array_equal(one, other) for one, other in pairs)
        assert same is (name != "encoder_block_1")


def test_mixed_vectors_are_the_mean_of_those_before_and_after_the_blocks(folder):
    text = learn(folder, mix_pieces=True)
    embedded = learn(folder).embed()
    model = keras.Model(embedded.inputs, embedded.vectors)
    before = model.get_layer("encoder_embeddings_norm").output
    both = keras.Model(embedded.inputs, [before, embedded.vectors])
    token_ids, padding_mask = text.encode(TEXTS).pad(range(3), 8)
    inputs = {"token_ids": token_ids, "padding_mask": padding_mask}
    expected = np.mean(both.predict(inputs, verbose=0), axis=0)
    mixed = text.embed()
    found = keras.Model(mixed.inputs, mixed.vectors).predict(inputs, verbose=0)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"frozen_layers": 2}, "has 2 blocks: freeze fewer.*frozen_layers=2, drawn_layers=0"),
        ({"frozen_layers": 1, "drawn_layers": 2}, "has 2 blocks.*drawn_layers=2"),
        ({"frozen_layers": 1, "token_dropout": 0.1}, "set token_dropout=0"),
        ({"frozen_layers": 1, "mix_pieces": True}, "leave out `--mix-pieces`"),
        ({"freeze_encoder": True, "drawn_layers": 1}, "leave out `--drawn-layers`"),
    ],
)
def test_what_does_not_go_together_is_refused(toy_bert, given, message):
    with pytest.raises(UserError, match=message):
        learn(str(toy_bert), **given).embed()


@pytest.mark.parametrize("name", ["frozen_layers", "drawn_layers", "mix_pieces"])
def test_only_a_pretrained_encoder_of_known_blocks_has_such_layers(name, toy_distilbert):
    value = True if name == "mix_pieces" else 1
    option = name.replace("_", "-")
    with pytest.raises(UserError, match=f"leave out `--{option}`.*encoder='scratch'"):
        TextInput.learn(TEXTS, encoder="scratch", **{name: value})
    with pytest.raises(UserError, match=f"known as a whole alone: leave out `--{option}`"):
        learn(str(toy_distilbert), **{name: value}).embed()
