"""Learning rates by depth, and the moving average of the weights."""

import keras
import numpy as np
import pytest

from emotion_keras.errors import UserError
from emotion_keras.inputs import TextInput
from emotion_keras.models import GatedTransformer
from emotion_keras.targets import SingleLabel
from emotion_keras.training.optimizer import make_optimizer
from emotion_keras.training.options import TrainingOptions

# Of the toy encoders, which have two blocks, with a decay of 1/2 and a head of 10.
OF_TWO_BLOCKS = {"encoder_block_1": 1, "encoder_block_0": 0.5, "encoder_embeddings": 0.25}


def build(encoder, **options):
    text = TextInput.learn([], encoder=str(encoder), sequence_length=16, **options)
    keras.utils.set_random_seed(0)
    return GatedTransformer(num_layers=0).build(text.embed(), SingleLabel(["joy", "fear"]))


def moved_by(model, options, num_steps=10):
    """How far a step whose gradients are all ones moves each variable, by path."""
    optimizer = make_optimizer(model, options, num_steps)
    variables = model.trainable_variables
    before = [keras.ops.convert_to_numpy(v) for v in variables]
    optimizer.apply([keras.ops.ones(v.shape) for v in variables], variables)
    return {
        v.path: np.abs(keras.ops.convert_to_numpy(v) - old).max()
        for v, old in zip(variables, before, strict=True)
    }


# Without warm-up, decay or clipping Adam's first step is the learning rate.
STEP = {"learning_rate": 0.01, "warmup": 0.0, "weight_decay": 0.0, "clip_norm": 0.0}


@pytest.mark.parametrize("embeddings", [True, False])
def test_each_layer_moves_by_the_rate_of_its_depth(toy_bert, embeddings):
    model = build(toy_bert, freeze_embeddings=embeddings)
    moved = moved_by(model, TrainingOptions(**STEP, layer_decay=0.5, head_rate=10))
    for path, found in moved.items():
        layer = path.split("/")[0].replace("_norm", "")
        assert found == pytest.approx(0.01 * OF_TWO_BLOCKS.get(layer, 10), rel=1e-3), path
    layers = {path.split("/")[0] for path in moved}
    assert {"encoder_block_0", "encoder_block_1", "gate", "classifier"} <= layers
    assert ("encoder_embeddings" in layers) is not embeddings


def test_the_blocks_of_another_encoder_of_keras_hub_are_known(toy_distilbert):
    moved = moved_by(build(toy_distilbert), TrainingOptions(**STEP, layer_decay=0.5, head_rate=10))
    expected = {"transformer_layer_0": 1, "embeddings_layer_norm": 0.5}
    found = {path.split("/")[0]: value for path, value in moved.items()}
    for layer, rate in {**expected, "gate": 10, "classifier": 10}.items():
        assert found[layer] == pytest.approx(0.01 * rate, rel=1e-3)


def test_one_rate_for_all_is_keras_own_optimizer(toy_bert):
    moved = moved_by(build(toy_bert), TrainingOptions(**STEP))
    np.testing.assert_allclose(list(moved.values()), 0.01, rtol=1e-3)


@pytest.mark.parametrize("given", [{"layer_decay": 0.9}, {"head_rate": 5.0}])
def test_without_a_pretrained_encoder_that_learns_rates_are_refused(given):
    text = TextInput.learn(["we laughed"], encoder="scratch", vocabulary_size=40)
    model = GatedTransformer(num_layers=1).build(text.embed(), SingleLabel(["joy", "fear"]))
    with pytest.raises(
        UserError, match="Only over a pretrained encoder.*leave out `--layer-decay`"
    ):
        make_optimizer(model, TrainingOptions(**given), 10)
