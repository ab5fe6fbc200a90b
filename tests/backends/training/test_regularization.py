"""What the loss has beside the target's own, by hand and by finite differences."""

import keras
import numpy as np
import pytest

from emotion_keras.errors import UserError
from emotion_keras.inputs import TextInput
from emotion_keras.inputs.embedded import embedded_features
from emotion_keras.models import GatedTransformer
from emotion_keras.targets import MultiLabel, SingleLabel
from emotion_keras.training import regularization
from emotion_keras.training.options import TrainingOptions
from emotion_keras.training.regularization import divergence, regularize, supervised_contrast

TARGET = SingleLabel(["joy", "fear", "shame"])
TEXTS = ["we laughed", "they hid in the dark", "we hid", "they laughed and laughed"]
TRUTH = TARGET.encode(["joy", "fear", "fear", "joy"])


tensor = keras.ops.convert_to_tensor


def numpy(values):
    return keras.ops.convert_to_numpy(values)


def build(dropout=0.0):
    text = TextInput.learn(TEXTS, encoder="scratch", vocabulary_size=60, embedding_dim=6)
    keras.utils.set_random_seed(0)
    model = GatedTransformer(num_layers=1, intermediate_dim=8, dropout=dropout, num_heads=2)
    token_ids, padding_mask = text.encode(TEXTS).pad(range(4), 8)
    return model.build(text.embed(), TARGET), {"token_ids": token_ids, "padding_mask": padding_mask}


def loss_of(network, inputs, truth=TRUTH, **options):
    model = regularize(network, TrainingOptions(**options), TARGET)
    model.compile(loss=TARGET.loss(0.0))
    inputs = {name: tensor(values) for name, values in inputs.items()}
    truth = tensor(truth)
    output = model(inputs, training=True)
    return float(numpy(model.compute_loss(inputs, truth, output, training=True)))


def cross_entropy(probabilities, truth=TRUTH):
    return -np.log((probabilities * truth).sum(axis=1)).mean()


def test_divergence_is_that_of_kullback_and_leibler_both_ways():
    first = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]], "float32")
    second = np.array([[0.5, 0.25, 0.25], [0.3, 0.3, 0.4]], "float32")
    both = (first * np.log(first / second) + second * np.log(second / first)).sum(axis=1)
    found = divergence(tensor(first), tensor(second))
    assert float(found) == pytest.approx(both.mean() / 4, rel=1e-5)
    assert both[0] > 0.1 and both[1] == 0


def test_divergence_of_several_labels_is_the_mean_over_labels_of_that_of_two_sides():
    first = np.array([[0.7, 0.2, 0.1], [0.9, 0.3, 0.4]], "float32")
    second = np.array([[0.5, 0.25, 0.25], [0.9, 0.3, 0.4]], "float32")
    both = sum(
        one * np.log(one / other) + other * np.log(other / one)
        for one, other in ((first, second), (1 - first, 1 - second))
    )
    found = divergence(tensor(first), tensor(second), several=True)
    assert float(found) == pytest.approx(both.mean() / 4, rel=1e-5)
    assert both[0].min() > 0.01 and both[1].max() == 0


def contrast_by_hand(vectors, labels):
    """The mean over examples that are like another, and how many these are."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    losses = []
    for i, label in enumerate(labels):
        others = [j for j in range(len(labels)) if j != i]
        alike = [j for j in others if labels[j] == label]
        total = sum(np.exp(unit[i] @ unit[j] / 0.1) for j in others)
        if alike:
            losses.append(-np.mean([unit[i] @ unit[j] / 0.1 - np.log(total) for j in alike]))
    return np.mean(losses), len(losses)


def test_contrast_is_the_mean_over_examples_that_are_like_another():
    vectors = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    labels = [0, 1, 0, 0, 2]
    expected, num_alike = contrast_by_hand(vectors, labels)
    assert num_alike == 3
    found = supervised_contrast(tensor(vectors), tensor(np.eye(3, dtype="float32")[labels]), 0.1)
    assert float(found) == pytest.approx(expected, rel=1e-4)


def test_examples_of_several_labels_are_alike_if_the_same_ones_hold():
    vectors = np.random.default_rng(0).normal(size=(7, 4)).astype("float32")
    # Two have joy and shame, two have none; joy alone and all three stand alone.
    sets = [(1, 0, 1), (0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 0), (1, 1, 1), (0, 1, 1)]
    expected, num_alike = contrast_by_hand(vectors, sets)
    assert num_alike == 4
    # As a teacher says them, labels are not quite 0 and 1.
    truth = 0.9 * np.array(sets, "float32") + 0.05
    found = supervised_contrast(tensor(vectors), tensor(truth), 0.1, several=True)
    assert float(found) == pytest.approx(expected, rel=1e-4)


def test_r_drop_of_several_labels_has_their_divergence(monkeypatch):
    target = MultiLabel(TARGET.labels)
    text = TextInput.learn(TEXTS, encoder="scratch", vocabulary_size=60, embedding_dim=6)
    network = GatedTransformer(num_layers=0, dropout=0.5).build(text.embed(), target)
    model = regularize(network, TrainingOptions(r_drop=1.0, supervised_contrast=0.5), target)
    asked = []

    def noted(function):
        return lambda *arguments: asked.append(arguments[-1]) or function(*arguments)

    for function in (divergence, supervised_contrast):
        monkeypatch.setattr(regularization, function.__name__, noted(function))
    model.compile(loss=target.loss(0.0))
    token_ids, padding_mask = text.encode(TEXTS).pad(range(4), 8)
    inputs = {"token_ids": tensor(token_ids), "padding_mask": tensor(padding_mask)}
    truth = tensor(target.encode(["joy,fear", "(none)", "joy,fear", "(none)"]))
    loss = model.compute_loss(inputs, truth, model(inputs, training=True), training=True)
    assert np.isfinite(float(numpy(loss))) and asked == [True, True]


def test_contrast_without_two_of_a_label_is_nothing():
    found = supervised_contrast(
        tensor(np.ones((3, 2), "float32")), tensor(np.eye(3, dtype="float32")), 0.1
    )
    assert float(found) == 0


def test_contrast_is_added_for_the_vectors_before_the_head():
    network, inputs = build()
    pooled = keras.Model(network.input, network.get_layer("dropout").input)
    vectors, plain = numpy(pooled(inputs)), cross_entropy(numpy(network(inputs)))
    expected = plain + 0.3 * float(supervised_contrast(tensor(vectors), tensor(TRUTH), 0.1))
    assert loss_of(network, inputs, supervised_contrast=0.3) == pytest.approx(expected, rel=1e-5)


def test_r_drop_without_dropout_is_the_cross_entropy():
    network, inputs = build()
    expected = cross_entropy(numpy(network(inputs)))
    assert loss_of(network, inputs, r_drop=2.0) == pytest.approx(expected, rel=1e-5)


def test_r_drop_with_dropout_grows_with_its_weight():
    network, inputs = build(dropout=0.5)
    means = []
    for weight in (1e-6, 50.0):
        means.append(np.mean([loss_of(network, inputs, r_drop=weight) for _ in range(8)]))
    assert means[1] > means[0] + 0.5


def test_adversarial_vectors_lie_where_the_loss_grows_fastest():
    network, inputs = build()
    length, plain = 0.05, cross_entropy(numpy(network(inputs)))
    added = loss_of(network, inputs, adversarial=length) - plain
    vectors = network.get_layer("embeddings").output
    rest = keras.Model([vectors, network.input], network.output)
    start = numpy(keras.Model(network.input, vectors)(inputs))

    def losses(moved):
        copies = len(moved) // len(start)
        whole = {name: np.tile(values, (copies, 1)) for name, values in inputs.items()}
        return -np.log((numpy(rest([moved, whole])) * np.tile(TRUTH, (copies, 1))).sum(axis=1))

    # By finite differences: the gradient of each example's loss, taken as one vector. Each number
    # of the vectors is moved up in one copy of the batch, and down in another.
    size = start[0].size
    steps = 1e-2 * np.eye(size, dtype="float32").reshape(size, 1, *start.shape[1:])
    up, down = (
        losses(np.concatenate(start + sign * steps)).reshape(size, len(start)) for sign in (1, -1)
    )
    gradient = ((up - down) / 2e-2).T.reshape(start.shape)
    norm = np.sqrt((gradient**2).sum(axis=(1, 2), keepdims=True))
    expected = losses(start + length * gradient / norm).mean()
    assert expected > plain + 0.01
    assert added == pytest.approx(expected, rel=2e-3)


def test_what_a_gate_is_pulled_by_counts_once():
    text = TextInput.learn(TEXTS, encoder="scratch", vocabulary_size=60, embedding_dim=6)
    keras.utils.set_random_seed(0)
    form = GatedTransformer(num_layers=0, dropout=0.0, gate="scalar", keep=0.1, keep_weight=3.0)
    network = form.build(text.embed(), TARGET)
    token_ids, padding_mask = text.encode(TEXTS).pad(range(4), 8)
    inputs = {"token_ids": token_ids, "padding_mask": padding_mask}
    pulled = loss_of(network, inputs) - cross_entropy(numpy(network(inputs)))
    assert pulled > 0.1
    expected = cross_entropy(numpy(network(inputs))) + pulled
    assert loss_of(network, inputs, r_drop=1.0) == pytest.approx(expected, rel=1e-4)


def test_vectors_without_a_table_cannot_be_moved():
    network = GatedTransformer(num_layers=0).build(embedded_features(4), TARGET)
    with pytest.raises(UserError, match="models of texts alone.*leave out `--adversarial`"):
        regularize(network, TrainingOptions(adversarial=1.0), TARGET)


def test_without_regularization_the_network_itself_is_trained():
    network, _ = build()
    assert regularize(network, TrainingOptions(), TARGET) is network


def test_it_has_the_networks_weights_once_and_answers_as_it_does():
    network, inputs = build()
    everything = TrainingOptions(r_drop=1.0, adversarial=1.0, supervised_contrast=1.0)
    model = regularize(network, everything, TARGET)
    assert [v.path for v in model.weights] == [v.path for v in network.weights]
    np.testing.assert_array_equal(numpy(model(inputs)), numpy(network(inputs)))
