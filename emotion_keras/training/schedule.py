"""Learning-rate schedule: warm-up, then decay; and how an optimizer takes another rate."""

import math
from typing import Any

import keras

SCHEDULES = ("linear", "cosine", "constant")

# Name of the optimizer's variable that a schedule follows.
LEARNING_RATE = "learning_rate"


@keras.saving.register_keras_serializable(package="emotion_keras")
class WarmupDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Rises linearly to the learning rate, then falls to zero or stays.

    Once `follow` was called, the learning rate is a variable: what is compiled holds for any.

    Args:
        learning_rate: Float, the highest rate.
        num_steps: Integer, steps in all.
        warmup: Float in `[0, 1]`, share of the steps in which the rate rises.
        decay: `linear`, `cosine` (Loshchilov and Hutter 2017) or `constant`.

    Example:

    >>> float(WarmupDecay(1.0, num_steps=10, warmup=0.5, decay="linear")(4))
    1.0
    """

    def __init__(
        self, learning_rate: float, num_steps: int, warmup: float = 0.1, decay: str = "linear"
    ):
        if decay not in SCHEDULES:
            raise ValueError(f"`decay` must be one of {SCHEDULES}. Received: decay={decay!r}")
        self.learning_rate = learning_rate
        self.num_steps = num_steps
        self.warmup = warmup
        self.decay = decay

    def __call__(self, step: Any) -> Any:
        ops = keras.ops
        step = ops.cast(step, "float32")
        num_warmup = round(self.warmup * self.num_steps)
        # Counted from 1, so that the first step is not wasted on a rate of zero.
        rising = (step + 1) / max(num_warmup, 1)
        done = (step - num_warmup) / max(self.num_steps - num_warmup, 1)
        done = ops.clip(done, 0.0, 1.0)
        if self.decay == "linear":
            falling = 1 - done
        elif self.decay == "cosine":
            falling = 0.5 * (1 + ops.cos(math.pi * done))
        else:
            falling = ops.ones_like(done)
        return self.learning_rate * ops.where(step < num_warmup, rising, falling)

    def follow(self, optimizer: keras.optimizers.Optimizer) -> None:
        """Makes the learning rate a variable of the optimizer that was made with this schedule.

        Args:
            optimizer: `keras.optimizers.Optimizer`.
        """
        self.learning_rate = optimizer.add_variable(
            (), keras.initializers.Constant(self.learning_rate), name=LEARNING_RATE
        )

    def get_config(self) -> dict[str, Any]:
        return {
            "learning_rate": float(self.learning_rate),
            "num_steps": self.num_steps,
            "warmup": self.warmup,
            "decay": self.decay,
        }


def restart(optimizer: keras.optimizers.Optimizer, learning_rate: float) -> None:
    """Has an optimizer that `WarmupDecay` follows forget all its steps, as if it were new.

    Args:
        optimizer: `keras.optimizers.Optimizer`.
        learning_rate: Float, the highest rate from now on.
    """
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):  # Keras adds it for float16.
        optimizer.step_counter.assign(0)
        optimizer.dynamic_scale.assign(optimizer.initial_scale)
        optimizer = optimizer.inner_optimizer
    for variable in optimizer.variables:
        if variable.name == LEARNING_RATE:
            variable.assign(learning_rate)
        else:
            variable.assign(keras.ops.zeros(variable.shape, variable.dtype))
