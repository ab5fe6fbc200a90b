"""How much each of several models counts when they answer together."""

from collections.abc import Sequence

import numpy as np
from scipy import optimize, special

from emotion_keras.targets import Target

# How strongly weights are pulled to each other: by the log loss of as many examples. Without it
# the best of several seeds, which chance decides, would get too much. Chosen by cross-validation
# within the validation split of ISEAR, over 20 combinations of 2 to 60 runs.
_PULL = 20.0


def fit_weights(
    target: Target, truth: np.ndarray, probabilities: Sequence[np.ndarray]
) -> np.ndarray:
    """The weights by which models answer best together, by the log loss of examples.

    The combined scores of labels are `sum_i b_i s_i`, of the models' own scores `s_i`. The factors
    `b_i` are not negative and minimise the log loss plus 20 `sum_i (b_i - mean(b))^2`. That is
    convex, so that there is one answer. Their sum says how sure the combination is: a temperature,
    which is fitted afterwards as of any model. The weights are the factors over their sum.

    Args:
        target: `Target` of all models.
        truth: Float array `(num_examples, num_labels)`, what `Target.encode` gives; of the
            validation split, which no model was trained on.
        probabilities: By model a float array of the same shape.

    Returns:
        Float array `(num_models,)`, none negative, of sum 1.
    """
    scores = np.stack([target.scores(of_model) for of_model in probabilities])
    truth = np.asarray(truth, np.float64)

    def loss(factors):
        combined = np.tensordot(factors, scores, axes=1)
        if target.activation == "softmax":
            normalizer = special.logsumexp(combined, axis=1).sum()
        else:
            normalizer = np.logaddexp(0, combined).sum()
        apart = factors - factors.mean()
        value = normalizer - (truth * combined).sum() + _PULL * apart @ apart
        residuals = target.probabilities(combined) - truth
        slope = np.tensordot(scores, residuals, axes=2) + 2 * _PULL * apart
        return value / len(truth), slope / len(truth)

    equal = np.full(len(scores), 1 / len(scores))
    found = optimize.minimize(
        loss,
        equal,
        jac=True,
        bounds=[(0, None)] * len(scores),
        method="L-BFGS-B",
        options={"ftol": 1e-13, "gtol": 1e-9, "maxiter": 10_000},
    ).x
    # Where no model says anything of the examples, none is better than another.
    return found / found.sum() if found.sum() > 0 else equal
