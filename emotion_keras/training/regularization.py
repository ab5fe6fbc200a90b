"""What the loss of a training step has beside the target's own loss."""

from typing import Any

import keras
from keras import ops

from emotion_keras.errors import UserError
from emotion_keras.machine import devices
from emotion_keras.targets import Target
from emotion_keras.training.options import TrainingOptions

# Of cosines, before they are compared (Khosla et al. 2020).
_TEMPERATURE = 0.1
_LEAST = 1e-7


def regularize(network: keras.Model, options: TrainingOptions, target: Target) -> keras.Model:
    """The model that is trained in place of a network, whose layers it shares.

    Args:
        network: `keras.Model` from inputs to probabilities.
        options: `TrainingOptions`.
        target: `Target` of the network.

    Returns:
        `RegularizedModel`, or the network itself where the options ask for no regularization.

    Raises:
        UserError: If the network has nothing that could be regularized so.
    """
    weights = options.r_drop, options.adversarial, options.supervised_contrast
    return RegularizedModel(network, *weights, target.several) if any(weights) else network


class RegularizedModel(keras.Model):
    """A network with further terms in its loss while it trains; it predicts as the network does.

    Args:
        network: `keras.Model` from inputs to probabilities.
        r_drop: Float, the weight of `divergence` between the outputs of two passes, whose losses
            are averaged (Liang et al. 2021, who add them up).
        adversarial: Float, the length of the step from the vectors of an example's tokens, all
            taken as one vector, along the gradient of its loss; the loss there is added (Miyato et
            al. 2017).
        contrast: Float, the weight of `supervised_contrast` of the vectors before the dropout of
            the head.
        several: Boolean, whether several labels may hold of an example.
    """

    def __init__(
        self,
        network: keras.Model,
        r_drop: float = 0.0,
        adversarial: float = 0.0,
        contrast: float = 0.0,
        several: bool = False,
    ):
        super().__init__(network.input, network.output, name=network.name)
        self.dtype_policy = network.dtype_policy
        self.jit_compile = network.jit_compile
        self.r_drop = r_drop
        self.adversarial = adversarial
        self.contrast = contrast
        self.several = several
        # Kept as functions: of models Keras would count the layers twice.
        if contrast:
            pooled = network.get_layer("dropout").input
            self._to_both = keras.Model(network.input, [network.output, pooled]).__call__
        if adversarial:
            vectors = _vectors_of_tokens(network)
            self._to_vectors = keras.Model(network.input, vectors).__call__
            both = [vectors, network.input]
            self._from_vectors = keras.Model(both, network.output).__call__

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not (self.contrast and training):
            return super().call(inputs, training=training, mask=mask)
        # `compute_loss` is given the output alone; both belong to one pass.
        output, self._pooled = self._to_both(inputs, training=training)
        return output

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The loss of a step; see `keras.Model.compute_loss`."""
        own = super().compute_loss
        loss = own(x, y, y_pred, sample_weight, training)
        if not training:  # Keras tries once whether it can be computed.
            return loss
        # TensorFlow adds up the losses of several devices, of which Keras knows its own alone.
        share = self._aggregate_additional_loss
        if self.contrast:
            loss += self.contrast * share(self._contrast_of(y))
        if self.r_drop:
            again = super().call(x, training=True)
            loss = (loss + own(x, y, again, sample_weight, training)) / 2
            loss += self.r_drop * share(divergence(y_pred, again, self.several))
        if self.adversarial:
            moved = self._moved_vectors(x, y, sample_weight)
            output = self._from_vectors([moved, x], training=True)
            loss += own(x, y, output, sample_weight, training)
        return loss

    def _contrast_of(self, y):
        return supervised_contrast(self._pooled, y, _TEMPERATURE, self.several)

    def _moved_vectors(self, x, y, sample_weight):
        vectors = self._to_vectors(x, training=True)

        # Without dropout, whose state must not change within.
        def loss_of(values):
            output = self._from_vectors([values, x], training=False)
            return super(RegularizedModel, self).compute_loss(x, y, output, sample_weight, True)

        gradient = devices.gradient_within_step(loss_of, vectors)
        length = ops.sqrt(ops.sum(ops.square(gradient), axis=(1, 2), keepdims=True))
        return vectors + self.adversarial * gradient / (length + 1e-12)


def divergence(first: Any, second: Any, several: bool = False) -> Any:
    """How far two lists of distributions are apart: the mean Kullback-Leibler divergence.

    Args:
        first: Tensor of probabilities `(batch, num_labels)`.
        second: Tensor of the same shape.
        several: Whether each number is the probability of a label that may hold beside others: then
            the divergence is the mean over labels.

    Returns:
        Tensor of one number: `(KL(first, second) + KL(second, first)) / 4`, averaged over rows, as
        in Liang et al. (2021), per pass.
    """
    logs = ops.log(ops.maximum(first, _LEAST)) - ops.log(ops.maximum(second, _LEAST))
    if several:
        others = ops.log(ops.maximum(1 - first, _LEAST)) - ops.log(ops.maximum(1 - second, _LEAST))
        return ops.mean((first - second) * (logs - others)) / 4
    return ops.mean(ops.sum((first - second) * logs, axis=-1)) / 4


def supervised_contrast(vectors: Any, truth: Any, temperature: float, several: bool = False) -> Any:
    """The supervised contrastive loss (Khosla et al. 2020, `L_out`).

    Args:
        vectors: Tensor `(batch, dim)`.
        truth: Tensor `(batch, num_labels)` of rows of `Target.encode`; two examples are alike if
            their largest values are of one label, or with several if the same labels hold.
        temperature: Float, what cosines are divided by.
        several: Whether several labels may hold of an example.

    Returns:
        Tensor of one number, the mean over examples that are like another one of the batch.
    """
    vectors = ops.cast(vectors, "float32")
    vectors = vectors / (ops.norm(vectors, axis=-1, keepdims=True) + 1e-12)
    others = 1.0 - ops.eye(ops.shape(vectors)[0])
    if several:
        holds = truth >= 0.5
        are_same = ops.all(holds[:, None] == holds[None, :], axis=-1)
    else:
        labels = ops.argmax(truth, axis=-1)
        are_same = labels[:, None] == labels[None, :]
    alike = ops.cast(are_same, "float32") * others
    scores = ops.matmul(vectors, ops.transpose(vectors)) / temperature
    scores = ops.where(others > 0, scores, -1e9)
    logs = scores - ops.logsumexp(scores, axis=-1, keepdims=True)
    number = ops.sum(alike, axis=-1)
    of_example = -ops.sum(ops.where(alike > 0, logs, 0.0), axis=-1) / ops.maximum(number, 1.0)
    is_counted = ops.cast(number > 0, "float32")
    return ops.sum(of_example * is_counted) / ops.maximum(ops.sum(is_counted), 1.0)


def _vectors_of_tokens(network):
    """The output of the layer that looks up the vectors of tokens."""
    names = {layer.name: layer for layer in network.layers}
    for name in ("encoder_embeddings", "embeddings"):
        if name in names:
            return names[name].output
    raise UserError(
        "Vectors of tokens can be moved in models of texts alone that have a table of them which "
        "is known, such as scratch, embeddings, minilm, e5 and mpnet: leave out `--adversarial`. "
        f"The model has the layers {', '.join(names)}."
    )
