"""A kind of label of its own: labels in an order, such as ratings, where nearer is less wrong."""

import numpy as np

from emotion_keras.targets import SingleLabel


class OrderedLabels(SingleLabel):
    """Numbers as labels, in their order; trained by the earth mover's distance (Hou et al. 2016).

    The label that stands for a row of probabilities is their median, not their highest.
    """

    name = "ordered"

    @classmethod
    def find_labels(cls, cells):
        return tuple(sorted((cell for cell in cells if cell), key=float))

    def loss(self, label_smoothing, label_weights=None):
        import keras

        def earth_movers_distance(truth, probabilities):
            gaps = keras.ops.cumsum(truth - probabilities, axis=-1)
            return keras.ops.sum(keras.ops.square(gaps), axis=-1)

        return earth_movers_distance

    def _medians(self, probabilities):
        shares = np.cumsum(probabilities, axis=1)
        return (shares < shares[:, -1:] / 2).sum(axis=1)

    def decide(self, probabilities):
        return [self.labels[i] for i in self._medians(probabilities).tolist()]

    def validate(self, truth, probabilities):
        is_right = self._medians(probabilities) == self.classes(truth)
        return super().validate(truth, probabilities) | {"accuracy": float(is_right.mean())}

    def metrics(self, truth, probabilities):
        gaps = np.abs(self._medians(np.asarray(probabilities)) - self.classes(truth))
        found = super().metrics(truth, probabilities)
        return found | {"accuracy": float((gaps == 0).mean()), "mean_gap": float(gaps.mean())}
