import keras
import keras_hub
import numpy as np
import pytest

from emotion_keras.errors import UserError
from emotion_keras.inputs.embedded import embedded_features
from emotion_keras.layers import GatingLayer
from emotion_keras.models import MODELS
from emotion_keras.targets import SingleLabel

DIM = 8
TARGET = SingleLabel("abc")

SMALL = {
    "cnn": {"num_filters": 4},
    "lstm": {"units": 4},
    "transformer": {},
    "bert": {},
    "gated_transformer": {},
}

BLOCKS = {"num_layers": 2, "num_heads": 2, "intermediate_dim": 16}

# Every form of the two: name of the model, and its options.
FORMS = {name: (name, options) for name, options in SMALL.items()} | {
    "gate of scalars": ("gated_transformer", {"gate": "scalar"}),
    "gated linear unit": ("gated_transformer", {"gate": "linear_unit"}),
    "gate after embeddings": ("gated_transformer", {"gate_after": "embeddings"}),
    "gate after blocks": ("gated_transformer", {"gate_after": "blocks"}),
    "gate that closes": ("gated_transformer", {"gate": "hard_concrete", "keep": 0.5}),
    "gate that closes after embeddings": (
        "gated_transformer",
        {"gate": "hard_concrete", "gate_after": "embeddings"},
    ),
    "largest value": ("gated_transformer", {"pooling": "max"}),
    "first token": ("gated_transformer", {"pooling": "first"}),
    "attention": ("transformer", {"pooling": "attention"}),
}


def build(form, dtype="float32"):
    name, options = FORMS[form]
    blocks = BLOCKS if "transformer" in name else {}
    return MODELS[name](**{**blocks, **options}).build(start(), TARGET, dtype)


def start():
    """Vectors that are the model's input; the text's first one stands for the pooled output."""
    embedded = embedded_features(DIM)
    return embedded._replace(pooled=embedded.vectors[:, 0])


def test_every_model_is_tested():
    assert set(SMALL) == set(MODELS)


@pytest.fixture(scope="module", params=FORMS)
def model(request):
    """A model of each form, for tests that leave its weights as they are."""
    keras.utils.set_random_seed(0)
    return build(request.param)


def predict(model, inputs):
    """What a model makes of a batch, without the compilation that `Model.predict` begins with."""
    return keras.ops.convert_to_numpy(model(inputs, training=False))


def batch(length, padded_to, seed=0):
    features = np.zeros((2, padded_to, DIM), "float32")
    features[:, :length] = np.random.default_rng(seed).normal(size=(2, length, DIM))
    mask = np.zeros((2, padded_to), "int32")
    mask[:, :length] = 1
    return {"features": features, "padding_mask": mask}


def test_outputs_are_probabilities(model):
    probabilities = predict(model, batch(5, 5))
    assert probabilities.shape == (2, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_more_padding_changes_nothing(model):
    expected = predict(model, batch(5, 5))
    np.testing.assert_allclose(predict(model, batch(5, 32)), expected, atol=1e-5)


def test_what_stands_in_the_padding_changes_nothing(model):
    clean = batch(5, 9)
    dirty = {name: value.copy() for name, value in clean.items()}
    dirty["features"][:, 5:] = 100.0
    np.testing.assert_allclose(predict(model, dirty), predict(model, clean), atol=1e-5)


def test_other_texts_have_other_probabilities(model):
    probabilities = predict(model, batch(5, 5))
    other = predict(model, batch(5, 5, seed=1))
    assert np.abs(probabilities - other).max() > 1e-4


def test_saved_model_gives_the_same_probabilities(model, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    inputs = batch(5, 8)
    np.testing.assert_allclose(predict(loaded, inputs), predict(model, inputs), atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_a_step_of_training_reaches_every_weight(form):
    keras.utils.set_random_seed(0)
    model = build(form)
    before = [weight.copy() for weight in model.get_weights()]
    # What is compiled is the same step, and takes longer than it.
    model.compile(keras.optimizers.SGD(1.0), "categorical_crossentropy", run_eagerly=True)
    model.train_on_batch(batch(5, 8), np.eye(3, dtype="float32")[:2])
    # What all keys of a text have in common does not change attention, and what all words of a
    # batch have in common does not change which are open.
    idle = ("key/bias", "gate/bias") if form == "gate that closes" else ("key/bias",)
    for weight, old, new in zip(model.weights, before, model.get_weights(), strict=True):
        if not weight.path.endswith(idle):
            moves = weight.trainable or weight.name.startswith("moving_")
            assert (np.abs(new - old).max() > 0) == moves, weight.path


def test_the_models_differ_in_the_gate_alone():
    names = {}
    for name in ("transformer", "gated_transformer"):
        built = MODELS[name](num_layers=1, num_heads=2).build(embedded_features(DIM), TARGET)
        names[name] = {layer.name for layer in built.layers}
    assert names["gated_transformer"] - names["transformer"] == {"gate"}
    assert names["transformer"] < names["gated_transformer"]


def test_the_models_take_the_same_hyperparameters():
    transformer, gated = (MODELS[name]().to_dict() for name in ("transformer", "gated_transformer"))
    assert {
        **transformer,
        **{name: gated[name] for name in ("gate", "gate_after", "keep", "keep_weight")},
    } == gated


def pooled(built, inputs):
    """What the classifier of a model is given."""
    before = keras.Model(built.inputs, built.get_layer("classifier").input)
    return predict(before, inputs)


def test_a_gate_after_the_embeddings_gates_what_the_first_block_is_given():
    form = MODELS["gated_transformer"](num_layers=0, gate_after="embeddings")
    built = form.build(embedded_features(DIM), TARGET)
    inputs = batch(5, 8)
    gated = keras.ops.convert_to_numpy(built.get_layer("gate")(inputs["features"][:, :5]))
    np.testing.assert_allclose(pooled(built, inputs), gated.mean(axis=1), atol=1e-6)
    names = [layer.name for layer in build("gate after embeddings").layers]
    assert names.index("gate") < names.index("block_0")


def test_gates_after_blocks_are_one_a_block():
    names = [layer.name for layer in build("gate after blocks").layers]
    order = [name for name in names if name.startswith(("gate", "block"))]
    assert order == ["block_0", "gate_0", "block_1", "gate_1"]
    with pytest.raises(UserError, match="no blocks to put gates after.*num_layers=0"):
        MODELS["gated_transformer"](num_layers=0, gate_after="blocks").build(start(), TARGET)


def test_a_gated_linear_unit_against_numpy():
    built = MODELS["gated_transformer"](num_layers=0, gate="linear_unit").build(start(), TARGET)
    inputs = batch(5, 8)
    text = inputs["features"][:, :5]
    (kernel, bias), (value_kernel, value_bias) = (
        built.get_layer(f"gate_{part}").get_weights() for part in ("opening", "value")
    )
    opened = 1 / (1 + np.exp(-(text @ kernel + bias)))
    expected = (opened * (text @ value_kernel + value_bias)).mean(axis=1)
    np.testing.assert_allclose(pooled(built, inputs), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ("average", lambda text: text.mean(axis=1)),
        ("max", lambda text: text.max(axis=1)),
        ("first", lambda text: text[:, 0]),
    ],
)
def test_poolings_against_numpy(pooling, expected):
    built = MODELS["transformer"](num_layers=0, pooling=pooling).build(start(), TARGET)
    inputs = batch(5, 8)
    inputs["features"] -= 3  # So that zeros of padding would be the largest.
    text = inputs["features"][:, :5]
    np.testing.assert_allclose(pooled(built, inputs), expected(text), atol=1e-6)


def test_cnn_takes_the_largest_value_of_each_filter():
    built = MODELS["cnn"](num_filters=3, filter_widths=(3,)).build(start(), SingleLabel("ab"))
    inputs = batch(6, 8)
    kernel, bias = built.get_layer("filters_3").get_weights()
    # One token of zeros before and after the text, so that a filter fits at each of six places.
    text = np.pad(inputs["features"][:, :6], [(0, 0), (1, 1), (0, 0)])
    places = np.stack([text[:, i : i + 3] for i in range(6)], axis=1)
    values = np.maximum(np.einsum("btwd,wdf->btf", places, kernel) + bias, 0).max(axis=1)
    kernel, bias = built.get_layer("classifier").get_weights()
    scores = np.exp(values @ kernel + bias)
    np.testing.assert_allclose(
        predict(built, inputs), scores / scores.sum(axis=1, keepdims=True), atol=1e-5
    )


def test_lstm_reads_in_both_directions():
    """Only a model that reads both ways keeps what the first and the last of many tokens say."""
    keras.utils.set_random_seed(0)
    built = MODELS["lstm"](units=4).build(start(), SingleLabel("ab"))
    inputs = batch(40, 40)
    expected = predict(built, inputs)
    for place in (0, 39):
        changed = {name: value.copy() for name, value in inputs.items()}
        changed["features"][:, place] += 3.0
        assert np.abs(predict(built, changed) - expected).max() > 1e-3


def test_bert_without_a_pooled_output_is_refused():
    with pytest.raises(UserError, match="bert needs a pretrained encoder"):
        MODELS["bert"]().build(embedded_features(DIM), TARGET)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_stays_close_to_float32(form, precision):
    built = {}
    for policy in ("float32", precision):
        built[policy] = build(form, policy)
    for source, target in zip(*(model.layers for model in built.values()), strict=True):
        target.set_weights(source.get_weights())
    exact, mixed = (predict(model, batch(5, 8)) for model in built.values())
    assert mixed.dtype == np.float32
    np.testing.assert_allclose(mixed, exact, atol=0.02)


def test_weights_begin_in_the_order_of_the_layers():
    # A run's seed stands for the weights that layers draw one after the other as they are built.
    embedded = embedded_features(6)
    form = MODELS["gated_transformer"](num_layers=2, num_heads=2, intermediate_dim=8)
    keras.utils.set_random_seed(5)
    found = form.build(embedded, SingleLabel(["joy", "fear"]))
    keras.utils.set_random_seed(5)
    vectors, expected = embedded.vectors, []
    for _ in range(2):
        block = keras_hub.layers.TransformerEncoder(8, 2, dropout=0.1, activation="gelu")
        vectors = block(vectors, padding_mask=embedded.padding_mask)
        expected += block.get_weights()
    gate = GatingLayer()
    vectors = gate(vectors)
    pooled = keras.layers.Dropout(0.1)(vectors[:, 0])
    head = keras.layers.Dense(2)
    head(pooled)
    expected += [*gate.get_weights(), *head.get_weights()]
    weights = [w for layer in found.layers for w in layer.get_weights()]
    learned = [w for w in weights if w.dtype == np.float32]
    assert len(learned) == len([w for w in expected if w.dtype == np.float32])
    for one, other in zip(learned, (w for w in expected if w.dtype == np.float32), strict=True):
        np.testing.assert_array_equal(one, other)
