"""The optimizer of a network: AdamW, whose learning rate can differ between layers."""

import functools
import re
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import keras_hub

from emotion_keras.errors import UserError
from emotion_keras.training.options import TrainingOptions
from emotion_keras.training.schedule import WarmupDecay

# Names of layers of a pretrained encoder begin so.
_OF_ENCODER = "encoder_"
_POOLER = "encoder_pooler"  # Above all blocks.
_BLOCK_OF_ENCODER = re.compile(r"encoder_(?:block|lstm)_(\d+)")


def make_optimizer(
    model: keras.Model, options: TrainingOptions, num_steps: int
) -> keras.optimizers.Optimizer:
    """Makes the optimizer of a model.

    Args:
        model: `keras.Model`.
        options: `TrainingOptions`.
        num_steps: Integer, steps in all.

    Raises:
        UserError: If layers of a pretrained encoder are to learn by other rates, and there are none
            that learn.
    """
    schedule = WarmupDecay(options.learning_rate, num_steps, options.warmup, options.schedule)
    arguments = {
        "weight_decay": options.weight_decay,
        "global_clipnorm": options.clip_norm or None,
        "use_ema": options.weight_average > 0,
        "ema_momentum": options.weight_average,
    }
    if options.layer_decay == options.head_rate == 1:
        optimizer = keras.optimizers.AdamW(schedule, **arguments)
    else:
        rates = rates_by_depth(model, options.layer_decay, options.head_rate)
        optimizer = adamw_by_depth()(schedule, rates=rates, **arguments)
    schedule.follow(optimizer)
    # Biases, scales of normalisation and position vectors are not decayed (Devlin et al. 2019).
    optimizer.exclude_from_weight_decay(
        var_list=[v for v in model.trainable_variables if len(v.shape) < 2]
    )
    return optimizer


class ByDepth:
    """Learning rates by variable, for an optimizer of Keras; see `adamw_by_depth`.

    The decay of weights goes by the learning rate that all rates are multiples of.

    Args:
        rates: List of pairs of a variable and the multiple of the learning rate that it learns by.
        **kwargs: Arguments of the optimizer.
    """

    def __init__(self, *args: Any, rates: Sequence[tuple[Any, float]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._rate_of = {id(variable): rate for variable, rate in rates}

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        rates = [self._rate_of[id(variable)] for variable in trainable_variables]
        # What learns by one rate is updated at once, which torch does faster than one by one.
        for rate in sorted(set(rates)):
            chosen = [i for i, of_variable in enumerate(rates) if of_variable == rate]
            super()._backend_update_step(
                [grads[i] for i in chosen],
                [trainable_variables[i] for i in chosen],
                learning_rate * rate,
            )


@functools.cache
def adamw_by_depth() -> type:
    """The class of AdamW (Loshchilov and Hutter 2019) with learning rates by variable.

    It is made when it is asked for. Torch has a class of its own, which Keras gives an optimizer
    alone; and to make one starts the backend's threads, without which processes have to be forked.
    """
    return type("AdamWByDepth", (ByDepth, type(keras.optimizers.AdamW())), {})


def rates_by_depth(
    model: keras.Model, layer_decay: float, head_rate: float
) -> list[tuple[Any, float]]:
    """What multiple of the learning rate each variable of a model learns by.

    Args:
        model: `keras.Model` over a pretrained encoder.
        layer_decay: Float, the rate of a block as a share of that of the block above it.
        head_rate: Float, the multiple for what is above the encoder.

    Returns:
        List of pairs of a variable and a float.

    Raises:
        UserError: If no layer of a pretrained encoder learns.
    """
    of_encoder = dict(_layers_of_encoder(model))
    blocks = {block for block in of_encoder.values() if block is not None}
    if not any(layer.trainable_variables for layer in of_encoder):
        raise UserError(
            "Only over a pretrained encoder that learns do layers have rates of their own: leave "
            "out `--layer-decay` and `--head-rate`, or choose such an encoder. "
            f"Received: layer_decay={layer_decay:g}, head_rate={head_rate:g}"
        )
    if layer_decay != 1 and not blocks:
        raise UserError(
            "The blocks of this encoder are not known by their depth: leave out `--layer-decay`. "
            f"Received: layer_decay={layer_decay:g}"
        )
    rates = {id(variable): head_rate for variable in model.trainable_variables}
    for layer, block in of_encoder.items():
        below_top = max(blocks, default=0) - (-1 if block is None else block)
        rate = 1.0 if layer.name == _POOLER else layer_decay**below_top
        rates |= {id(variable): rate for variable in layer.trainable_variables}
    return [(variable, rates[id(variable)]) for variable in model.trainable_variables]


def _layers_of_encoder(model) -> Iterator[tuple[keras.layers.Layer, int | None]]:
    """The layers of the pretrained encoders in a model, with the number of each block."""
    for layer in model.layers:
        if isinstance(layer, keras_hub.models.Backbone):
            blocks = {id(one): i for i, one in enumerate(getattr(layer, "transformer_layers", []))}
            yield from ((one, blocks.get(id(one))) for one in layer.layers)
        elif isinstance(layer, keras.Model):
            yield from _layers_of_encoder(layer)
        elif layer.name.startswith(_OF_ENCODER):
            found = _BLOCK_OF_ENCODER.fullmatch(layer.name)
            yield layer, int(found[1]) if found else None
