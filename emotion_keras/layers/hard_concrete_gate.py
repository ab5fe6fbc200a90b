"""A gate that closes."""

import math
from collections.abc import Sequence
from typing import Any

import keras

from emotion_keras.layers.share_of_words import check_keep, find_words

# Name of a weight that training moves from 0 to 1.
CLOSING = "closing"
# What of the threshold stays as it was at each step.
_MOMENTUM = 0.9
# Below all logits, and how far beyond them a shift may be: there a chance is 0.000002.
_LOWEST, _FAR = -1e9, 15.0
_HALVINGS = 30
_EPSILON = 1e-6


@keras.saving.register_keras_serializable(package="emotion_keras")
class HardConcreteGate(keras.layers.Layer):
    """Gives each token a gate that the token itself sets, and that is 0 or 1 after training.

    While training, gates are drawn from the hard concrete distribution (Louizos, Welling and
    Kingma, "Learning Sparse Neural Networks through L0 Regularization", 2018, equations 10 and 11):
    with `u` between 0 and 1, `s = sigmoid((log u - log(1 - u) + a) / beta)`, stretched to
    `s (zeta - gamma) + gamma` and cut to `[0, 1]`, where `a = h w + b` is the token's own, of its
    vector with mean 0 and variance 1. So a gate is 0 with a chance that has a gradient: open it is
    with the chance `sigmoid(a - beta log(-gamma / zeta))` (equation 12). After training a gate is 1
    if that is at least a half.

    With a share of words to keep, `a` is counted from where it has to be: while training, from
    where the mean chance of the words of a batch is that share, or as far on the way there from 1
    as the weight `closing` says, so that a model can begin with whole texts; afterwards a gate is 1
    for as large a share of the words with the largest `a`, by a moving mean over batches. A loss
    that pulls the mean chance to the share closes all gates before a model from scratch has learned
    anything, and closed ones have no gradient left.

    Padding and special tokens are closed: they are no words, and would tell of words that are.

    Args:
        keep: Float above 0, the share of words to keep; 1 leaves it to the gates.
        special: Two integers, how many special tokens each example begins and ends with.
        beta: Float, temperature of the distribution.
        gamma: Float below 0, where it begins.
        zeta: Float above 1, where it ends.
        kernel_initializer: Initializer of `w`, `(dim, 1)`.
        bias_initializer: Initializer of `b`, `(1,)`. Zeros open gates with a chance of 0.83.
        seed: Integer or `None`.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch, length, dim)`.
        padding_mask: Integer tensor of shape `(batch, length)`, 1 for what is real.
        weights: Optional tensor of shape `(batch, length)`, what tokens count in an average,
            together 1; alike unless given.
        training: Boolean, whether to draw.

    Returns:
        Tuple of three tensors of shape `(batch, length)`. The gates. What tokens count in an
        average of what is open, `w_i g_i / max(sum_j w_j g_j, 1 / n)` of `n` real tokens: together
        1, or less where less than one gate is open, so that an average over few tokens is as large
        as one over many, and where nothing is open it is 0. And `padding_mask` without the words
        that are closed, of int32; special tokens stay.

    Example:

    >>> gate = HardConcreteGate(kernel_initializer="zeros", special=(1, 1))
    >>> gates, shares, mask = gate(keras.ops.ones((1, 4, 8)), keras.ops.array([[1, 1, 1, 1]]))
    >>> keras.ops.convert_to_numpy(gates).tolist(), keras.ops.convert_to_numpy(shares).tolist()
    ([[0.0, 1.0, 1.0, 0.0]], [[0.0, 0.5, 0.5, 0.0]])
    """

    def __init__(
        self,
        keep: float = 1.0,
        special: Sequence[int] = (0, 0),
        beta: float = 2 / 3,
        gamma: float = -0.1,
        zeta: float = 1.1,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        seed: int | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        check_keep(keep)
        if not (beta > 0 and gamma < 0 and zeta > 1):
            raise ValueError(
                "`beta` must be above 0, `gamma` below 0 and `zeta` above 1. "
                f"Received: beta={beta}, gamma={gamma}, zeta={zeta}"
            )
        self.keep = keep
        before, after = special
        self.special = before, after
        self.beta = beta
        self.gamma = gamma
        self.zeta = zeta
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.seed = seed
        # The logit of which a gate is open as often as not.
        self._half_open = beta * math.log(-gamma / zeta)
        self.seed_generator = keras.random.SeedGenerator(seed)

    def build(self, inputs_shape: tuple[int | None, ...], *_: Any, **__: Any) -> None:
        self.kernel = self.add_weight(
            name="kernel", shape=(inputs_shape[-1], 1), initializer=self.kernel_initializer
        )
        self.bias = self.add_weight(name="bias", shape=(1,), initializer=self.bias_initializer)
        if self.keep < 1:
            # Named as the statistics of batch normalization, which belong to what is learned.
            self.threshold = self.add_weight(
                name="moving_threshold", shape=(), initializer="zeros", trainable=False
            )
            self.closing = self.add_weight(
                name=CLOSING, shape=(), initializer="ones", trainable=False
            )

    def call(
        self, inputs: Any, padding_mask: Any, weights: Any = None, training: bool = False
    ) -> tuple[Any, Any, Any]:
        ops = keras.ops
        words = find_words(padding_mask, self.special)
        logits = ops.squeeze(ops.matmul(_standardize(inputs), self.kernel), -1) + self.bias
        if training:
            gates = self._draw(logits - self._shift(logits, words))
        else:
            gates = ops.cast(logits >= self._least_open(), logits.dtype)
        words = ops.cast(words, gates.dtype)
        gates = gates * words
        shares = self._shares(gates, ops.cast(padding_mask, gates.dtype), weights)
        is_closed = ops.cast(ops.logical_and(words > 0, gates <= 0), "int32")
        return gates, shares, ops.cast(padding_mask, "int32") * (1 - is_closed)

    def _least_open(self):
        """From which logit on a gate is open."""
        return self._half_open if self.keep == 1 else self.threshold

    def _shift(self, logits, words):
        """From where logits are counted while training; moves the threshold for afterwards."""
        if self.keep == 1:
            return 0.0
        ops = keras.ops
        moving, logits = logits, ops.stop_gradient(logits)
        number = ops.maximum(ops.sum(words), 1.0)
        ranked = ops.sort(ops.reshape(ops.where(words > 0, logits, _LOWEST), (-1,)))
        size = ops.shape(ranked)[0]
        place = size - ops.cast(ops.ceil(self.keep * number), "int32")
        found = ops.take(ranked, ops.clip(place, 0, size - 1))
        self.threshold.assign(_MOMENTUM * self.threshold + (1 - _MOMENTUM) * found)
        share = 1 - self.closing * (1 - self.keep)
        # By bisection: the mean chance falls as the shift grows.
        low, high = ops.amin(logits) - _FAR, ops.amax(logits) + _FAR
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            chances = ops.sigmoid(logits - middle - self._half_open)
            is_above = ops.sum(chances * words) / number > share
            low, high = ops.where(is_above, middle, low), ops.where(is_above, high, middle)
        shift = (low + high) / 2
        # The shift follows the logits, by the derivative of the implicit function, or all logits
        # would drift together, which no gradient would hold up.
        chances = ops.sigmoid(logits - shift - self._half_open)
        slopes = chances * (1 - chances) * words
        slopes = slopes / ops.maximum(ops.sum(slopes), 1e-9)
        return shift + ops.sum(slopes * (moving - logits))

    def _draw(self, logits):
        ops = keras.ops
        # Within what float32 tells from 0 and 1.
        draws = keras.random.uniform(
            ops.shape(logits), 1e-6, 1 - 1e-6, dtype=logits.dtype, seed=self.seed_generator
        )
        drawn = ops.log(draws) - ops.log(1 - draws) + logits
        return self._stretch(ops.sigmoid(drawn / self.beta))

    def _stretch(self, values):
        return keras.ops.clip(values * (self.zeta - self.gamma) + self.gamma, 0.0, 1.0)

    def _shares(self, gates, mask, weights):
        ops = keras.ops
        least = 1 / ops.maximum(ops.sum(mask, axis=1, keepdims=True), 1.0)
        weights = mask * least if weights is None else ops.cast(weights, gates.dtype)
        opened = weights * gates
        return opened / ops.maximum(ops.sum(opened, axis=1, keepdims=True), least)

    def compute_output_shape(
        self, inputs_shape: tuple[int | None, ...], *_: Any, **__: Any
    ) -> tuple[Any, Any, Any]:
        shape = tuple(inputs_shape[:-1])
        return shape, shape, shape

    def compute_output_spec(
        self, inputs: Any, padding_mask: Any, weights: Any = None, training: bool = False
    ) -> tuple[Any, Any, Any]:
        shape = inputs.shape[:-1]
        gates, shares = (keras.KerasTensor(shape, dtype=self.compute_dtype) for _ in range(2))
        return gates, shares, keras.KerasTensor(shape, dtype="int32")

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            keep=self.keep,
            special=list(self.special),
            beta=self.beta,
            gamma=self.gamma,
            zeta=self.zeta,
            kernel_initializer=keras.initializers.serialize(self.kernel_initializer),
            bias_initializer=keras.initializers.serialize(self.bias_initializer),
            seed=self.seed,
        )
        return config


def _standardize(vectors):
    mean, variance = keras.ops.moments(vectors, axes=-1, keepdims=True)
    return (vectors - mean) / keras.ops.sqrt(variance + _EPSILON)
