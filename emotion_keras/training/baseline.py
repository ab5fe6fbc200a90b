"""Trains one baseline on one dataset."""

import time
import warnings
from collections.abc import Callable
from typing import Any, cast

from threadpoolctl import threadpool_limits

from emotion_keras.data.dataset import Dataset
from emotion_keras.data.noise import TrainingNoise
from emotion_keras.errors import UserError
from emotion_keras.inference.baseline_model import BaselineModel
from emotion_keras.models.baselines import Baseline, one_for_each_label
from emotion_keras.training.settings import Settings
from emotion_keras.training.trained import Trained


def train_baseline(
    dataset: Dataset,
    settings: Settings,
    *,
    noise: TrainingNoise,
    notify: Callable[[str], Any] = print,
    **_: Any,
) -> Trained:
    """Fits an estimator of scikit-learn.

    Args:
        dataset: `Dataset`.
        settings: `Settings` of a model of `BASELINES`.
        noise: `TrainingNoise`.
        notify: Called with messages for the user.

    Returns:
        `Trained` of a `BaselineModel`.

    Raises:
        UserError: If the estimator cannot be fitted to the examples.
    """
    corpus = dataset.corpus
    cells = noise.perturb(dataset.cells("train"), epoch=0)
    truth = noise.perturb_labels(dataset.truth("train"))
    several = corpus.kind.several
    answers = truth.astype(int) if several else corpus.target.classes(truth)
    plural = corpus.modality.plural
    notify(f"{settings.model}: {len(cells):,} {plural} to train on, with scikit-learn on the CPU.")
    start = time.perf_counter()
    estimator = cast(Baseline, settings.hyperparameters).build(
        settings.seed, settings.reading.modality
    )
    if several:
        estimator = one_for_each_label(estimator)
    try:
        # The last digit of a sum hangs on the number of threads that share it.
        with threadpool_limits(1, user_api="blas"), warnings.catch_warnings():
            # Of a label that holds of all examples, or of none, that is what is learned.
            warnings.filterwarnings("ignore", "Label .* is present in all training examples")
            estimator.fit(cells, answers)
    except ValueError as error:  # Such as texts without a word, or labels with too few texts.
        raise UserError(
            f"{settings.model} cannot be trained on these {len(cells):,} {plural}: {error}. Check "
            "them, or use less noise."
        ) from error
    seconds = time.perf_counter() - start
    return Trained(
        BaselineModel(estimator, corpus.modality, corpus.target),
        history=[],
        best_epoch=None,
        seconds=seconds,
        examples_per_second=len(cells) / seconds,
        audit={},
    )
