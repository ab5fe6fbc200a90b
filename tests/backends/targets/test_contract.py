"""What every kind of label has to hold, and what the kinds say, against NumPy and scikit-learn."""

import keras
import numpy as np
import pytest
from sklearn import metrics

from emotion_keras.errors import UserError
from emotion_keras.targets import TARGETS, MultiLabel, SingleLabel, find_target, target_of

CELLS = ["joy", "fear", "anger", "joy", ""]
LABELS = ("anger", "fear", "joy")


@pytest.fixture(params=sorted(TARGETS))
def target(request):
    kind = TARGETS[request.param]
    return kind(kind.find_labels(sorted(set(CELLS))))


def random_probabilities(rows, labels, seed=0):
    scores = np.random.default_rng(seed).gumbel(size=(rows, labels))
    exponentials = np.exp(scores)
    return (exponentials / exponentials.sum(axis=1, keepdims=True)).astype("float32")


def test_a_cell_without_a_label_is_a_row_of_zeros_and_belongs_to_no_class(target):
    truth = target.encode(CELLS)
    assert truth.shape == (5, len(target.labels)) and truth.dtype == np.float32
    assert truth[:4].any(axis=1).all() and not truth[4].any()
    assert target.are_known(CELLS).tolist() == [True] * 4 + [False]
    if target.several:  # What needs a class of each example has to do without.
        with pytest.raises(UserError, match="Received: target="):
            target.classes(truth)
        return
    assert target.class_ids(CELLS).tolist() == target.classes(truth).tolist()
    assert target.classes(truth)[4] == -1


def test_what_is_decided_can_be_read_like_any_cell(target):
    probabilities = random_probabilities(20, len(target.labels))
    cells = target.decide(probabilities)
    assert len(cells) == 20 and target.are_known(cells).all()
    assert target.decide(target.encode(cells)) == cells
    confidence = target.confidence(cells, probabilities)
    assert confidence.shape == (20,) and ((confidence > 0) & (confidence <= 1)).all()
    assert target.explained(probabilities).tolist() == probabilities.argmax(axis=1).tolist()


def test_the_head_gives_a_probability_of_each_label_that_the_loss_compares(target):
    features = keras.Input((6,))
    model = keras.Model(features, target.head(features))
    found = keras.ops.convert_to_numpy(model(np.random.default_rng(0).random((4, 6), "float32")))
    assert found.shape == (4, len(target.labels)) and ((found >= 0) & (found <= 1)).all()
    truth = target.encode(CELLS[:4])
    near, far = (
        float(keras.ops.mean(target.loss(0.0)(truth, guess)))
        for guess in (0.9 * truth + 0.03, found)
    )
    assert near < far


def test_a_head_computes_in_float32_at_any_precision(target):
    features = keras.Input((6,), dtype="bfloat16")
    assert target.head(features).dtype == "float32"


def binary_cross_entropies(truth, probabilities):
    return -truth * np.log(probabilities) - (1 - truth) * np.log(1 - probabilities)


def test_the_loss_of_several_labels_is_the_mean_over_labels_by_their_weights():
    target = MultiLabel("abc")
    truth = np.array([[1, 0, 1], [0, 0, 0], [1, 1, 0]], "float32")
    probabilities = np.array([[0.9, 0.2, 0.6], [0.1, 0.3, 0.5], [0.4, 0.8, 0.7]], "float32")
    without, held = weights = np.array([[0.5, 2.0, 1.0], [3.0, 0.25, 1.0]])
    inputs = [keras.ops.convert_to_tensor(values) for values in (truth, probabilities)]
    for smoothing in (0.0, 0.2):
        smooth = truth * (1 - smoothing) + smoothing / 2
        plain = binary_cross_entropies(smooth, probabilities)
        found = keras.ops.convert_to_numpy(target.loss(smoothing)(*inputs))
        np.testing.assert_allclose(found, plain.mean(), rtol=1e-5)
        of_sides = -held * smooth * np.log(probabilities)
        of_sides -= without * (1 - smooth) * np.log(1 - probabilities)
        found = keras.ops.convert_to_numpy(target.loss(smoothing, weights)(*inputs))
        np.testing.assert_allclose(found, of_sides.mean(axis=1), rtol=1e-5)
        # Where all weigh alike, it is the same loss.
        found = target.loss(smoothing, np.ones((2, 3)))(*inputs)
        np.testing.assert_allclose(keras.ops.convert_to_numpy(found).mean(), plain.mean(), 1e-5)
    certain = target.loss(0.0, weights)(inputs[0], inputs[0] * 0)
    assert np.isfinite(keras.ops.convert_to_numpy(certain)).all()


def test_while_several_labels_are_learned_an_example_is_right_if_all_are():
    (metric,) = MultiLabel("ab").training_metrics()
    assert metric.name == "accuracy"
    truth = np.array([[1, 0], [1, 1], [0, 0], [0, 0], [0.9, 0.1]], "float32")
    metric.update_state(truth, np.array([[0.6, 0.4], [0.6, 0.4], [0.1, 0.2], [0.1, 0.7], [1, 0]]))
    assert float(metric.result()) == pytest.approx(3 / 5)
    metric.update_state(truth[:1], np.array([[0.6, 0.4]]))
    assert float(metric.result()) == pytest.approx(4 / 6)


def test_what_is_measured_after_an_epoch_is_what_scikit_learn_says():
    target = SingleLabel(LABELS)
    cells = (CELLS[:4] * 10)[:37]
    probabilities = random_probabilities(37, 3)
    ids = [LABELS.index(cell) for cell in cells]
    predicted = probabilities.argmax(axis=1)
    found = target.validate(target.encode(cells), probabilities)
    assert found["accuracy"] == pytest.approx(metrics.accuracy_score(ids, predicted))
    assert found["macro_f1"] == pytest.approx(metrics.f1_score(ids, predicted, average="macro"))
    assert found["loss"] == pytest.approx(metrics.log_loss(ids, probabilities, labels=[0, 1, 2]))


def test_answers_name_the_most_probable_label():
    (answer,) = SingleLabel(LABELS).answers(np.array([[0.25, 0.125, 0.625]]))
    assert answer == {
        "label": "joy",
        "confidence": 0.625,
        "probabilities": {"anger": 0.25, "fear": 0.125, "joy": 0.625},
    }


def test_a_temperature_above_one_makes_probabilities_less_sure():
    target = SingleLabel(("a", "b"))
    # Odds of 4 to 1 become their square root.
    assert target.scale(np.array([[0.8, 0.2]]), 2.0)[0] == pytest.approx([2 / 3, 1 / 3])


def test_scores_of_a_softmax_are_counted_from_their_mean():
    kernel = np.array([[1.0, 2.0, 6.0]])
    assert SingleLabel(LABELS).score_weights(kernel).tolist() == [[-2.0, -1.0, 3.0]]


def test_a_record_names_the_kind_and_older_records_are_single(make_record):
    run = make_record(labels=("joy", "fear"))
    assert isinstance(target_of(run), SingleLabel) and target_of(run).labels == ("joy", "fear")
    run["corpus"]["reading"]["target"] = "none such"
    with pytest.raises(UserError, match="Accepted: single.*Received: target='none such'"):
        target_of(run)
    assert find_target("single") is SingleLabel
