"""A Transformer block whose attention takes a bias."""

from typing import Any

import keras


@keras.saving.register_keras_serializable(package="emotion_keras")
class BiasedTransformerEncoder(keras.layers.Layer):
    """A Transformer block (Vaswani et al. 2017) that adds a bias to the scores of attention.

    Attention and feed-forward layer, each with a residual connection and a normalization after it.
    Its weights have the order and the shapes of those of `keras_hub.layers.TransformerEncoder`,
    which takes no bias.

    Args:
        intermediate_dim: Integer, width of the feed-forward layer.
        num_heads: Integer, number of attention heads.
        dropout: Float in `[0, 1)`, dropout of attention and after both layers.
        activation: Activation of the feed-forward layer.
        layer_norm_epsilon: Float, epsilon of the normalizations.
        **kwargs: Arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch, length, dim)`.
        padding_mask: Integer tensor of shape `(batch, length)`, 1 for what is real.
        bias: Tensor of shape `(num_heads, length, length)`, what is added to the scores.
        training: Boolean, whether to drop.

    Returns:
        Tensor of shape `(batch, length, dim)`.

    Example:

    >>> block = BiasedTransformerEncoder(intermediate_dim=16, num_heads=2)
    >>> mask, bias = keras.ops.ones((1, 5), "int32"), keras.ops.zeros((2, 5, 5))
    >>> tuple(block(keras.ops.ones((1, 5, 8)), mask, bias).shape)
    (1, 5, 8)
    """

    normalize_first = False

    def __init__(
        self,
        intermediate_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        activation: Any = "gelu",
        layer_norm_epsilon: float = 1e-5,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.intermediate_dim = intermediate_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.activation = keras.activations.get(activation)
        self.layer_norm_epsilon = layer_norm_epsilon
        self.supports_masking = True

    def build(
        self, inputs_shape: tuple[int | None, ...], padding_mask_shape: Any = None, **_: Any
    ) -> None:
        dim = inputs_shape[-1]
        if dim is None or dim % self.num_heads:
            raise ValueError(
                "The width of `inputs` must be a multiple of `num_heads`. Received: "
                f"inputs.shape={inputs_shape}, num_heads={self.num_heads}"
            )
        head_dim = dim // self.num_heads
        layers, policy = keras.layers, {"dtype": self.dtype_policy}
        self._scale = head_dim**-0.5

        def make(layer, shape):
            layer.build(shape)
            return layer

        def project(name):
            shape = (None, self.num_heads, head_dim)
            layer = layers.EinsumDense("abc,cde->abde", shape, bias_axes="de", name=name, **policy)
            return make(layer, inputs_shape)

        def normalize(name):
            layer = layers.LayerNormalization(epsilon=self.layer_norm_epsilon, name=name, **policy)
            return make(layer, inputs_shape)

        self._query, self._key, self._value = map(project, ("query", "key", "value"))
        self._output = make(
            layers.EinsumDense(
                "abde,dec->abc", (None, dim), bias_axes="c", name="attention_output", **policy
            ),
            (*inputs_shape[:-1], self.num_heads, head_dim),
        )
        self._attention_norm = normalize("attention_norm")
        self._norm = normalize("norm")
        self._inner = make(
            layers.Dense(self.intermediate_dim, self.activation, name="inner", **policy),
            inputs_shape,
        )
        self._outer = make(
            layers.Dense(dim, name="outer", **policy),
            (*inputs_shape[:-1], self.intermediate_dim),
        )
        self._drop_scores = layers.Dropout(self.dropout, name="drop_scores", **policy)
        self._drop_attended = layers.Dropout(self.dropout, name="drop_attended", **policy)
        self._drop_outer = layers.Dropout(self.dropout, name="drop_outer", **policy)

    def call(self, inputs: Any, padding_mask: Any, bias: Any, training: bool = False) -> Any:
        attended = self._attend(inputs, padding_mask, bias, training)
        attended = self._drop_attended(attended, training=training)
        attended = self._attention_norm(inputs + attended)
        outer = self._drop_outer(self._outer(self._inner(attended)), training=training)
        return self._norm(attended + outer)

    def _attend(self, inputs, padding_mask, bias, training):
        ops = keras.ops
        query = self._query(inputs) * ops.cast(self._scale, self.compute_dtype)
        scores = ops.einsum("bqhd,bkhd->bhqk", query, self._key(inputs)) + bias
        is_real = ops.cast(padding_mask, "bool")[:, None, None, :]
        # So low that its exponential is zero, and still a number of float16.
        scores = ops.softmax(ops.where(is_real, scores, ops.cast(-30_000.0, scores.dtype)))
        scores = self._drop_scores(scores, training=training)
        return self._output(ops.einsum("bhqk,bkhd->bqhd", scores, self._value(inputs)))

    def compute_output_shape(
        self, inputs_shape: tuple[int | None, ...], **_: Any
    ) -> tuple[int | None, ...]:
        return inputs_shape

    def compute_output_spec(
        self, inputs: Any, padding_mask: Any, bias: Any, training: bool = False
    ) -> Any:
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            intermediate_dim=self.intermediate_dim,
            num_heads=self.num_heads,
            dropout=self.dropout,
            activation=keras.activations.serialize(self.activation),
            layer_norm_epsilon=self.layer_norm_epsilon,
        )
        return config
