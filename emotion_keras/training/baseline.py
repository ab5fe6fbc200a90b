"""Trains one baseline on one dataset, from texts to probabilities."""

import time

from threadpoolctl import threadpool_limits

from emotion_keras import record
from emotion_keras.errors import UserError
from emotion_keras.inference.baseline_model import predict_probabilities
from emotion_keras.inference.latency import measure_latency


def train_baseline(dataset, settings, *, noise, directory, notify=print, **_):
    """Fits an estimator of scikit-learn, and leaves it in the run's folder.

    Args:
        dataset: `Dataset`.
        settings: `Settings` of a model of `BASELINES`.
        noise: `TrainingNoise`.
        directory: `pathlib.Path` of the run's folder.
        notify: Called with messages for the user.

    Returns:
        Dictionary of `probabilities` of the run's splits by name, arrays
        `(num_examples, num_classes)`; `latency`, what `measure_latency` returned;
        `num_parameters`, numbers that were learned from labels; `seconds` and
        `examples_per_second` of training. There are no epochs: `history` is empty and `best_epoch`
        is `None`; nor is there anything to add to the `audit`.

    Raises:
        UserError: If the estimator cannot be fitted to the texts.
    """
    model, splits = settings.model, settings.splits
    texts = noise.perturb(dataset.cells("train"), epoch=0)
    label_ids = noise.perturb_labels(dataset.label_ids("train"), len(dataset.corpus.labels))
    notify(f"{model}: {len(texts):,} texts to train on, with scikit-learn on the CPU.")
    start = time.perf_counter()
    estimator = settings.hyperparameters.build(settings.seed)
    try:
        # The last digit of a sum hangs on the number of threads that share it.
        with threadpool_limits(1, user_api="blas"):
            estimator.fit(texts, label_ids)
    except ValueError as error:  # Such as texts without a word, or labels with too few texts.
        raise UserError(
            f"{model} cannot be trained on these {len(texts):,} texts: {error}. Check them, or use "
            "less noise."
        ) from error
    seconds = time.perf_counter() - start
    from skops.io import dump  # Imported here: it takes seconds, and runs of networks need none.

    dump(estimator, directory / record.ESTIMATOR)
    return {
        "probabilities": {
            name: predict_probabilities(estimator, dataset.cells(name), len(dataset.corpus.labels))
            for name in splits
        },
        "latency": measure_latency(estimator.predict_proba, dataset.cells(splits[-1])),
        "num_parameters": _num_parameters(estimator),
        "seconds": seconds,
        "examples_per_second": len(texts) / seconds,
        "history": [],
        "best_epoch": None,
        "audit": {},
    }


def _num_parameters(estimator):
    last = estimator[-1] if hasattr(estimator, "__getitem__") else estimator
    if hasattr(last, "class_prior_"):
        return last.class_prior_.size
    if hasattr(last, "coef_"):
        return last.coef_.size + last.intercept_.size
    (calibrated,) = last.calibrated_classifiers_
    svm = calibrated.estimator
    return svm.coef_.size + svm.intercept_.size + 2 * len(calibrated.calibrators)
