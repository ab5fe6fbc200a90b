"""Tests trained models on perturbed cells: trained once, tested at each level."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from emotion_keras import record
from emotion_keras.data.noise import perturb
from emotion_keras.evaluation.sensitivity import NOISE, SCORES, read_noise
from emotion_keras.machine.quiet import quiet

if TYPE_CHECKING:
    from emotion_keras.data import Dataset

# A kind of noise and its level.
Noise = tuple[str, float]


def measure_robustness(directory: Path, noises: Iterable[Noise], dataset: Dataset) -> None:
    """Tests a run's model on perturbed cells of the test split, and writes `noise.csv`.

    The noise of a cell follows from the cell alone, so that it is the same for all models. What
    was tested before is not tested again, and each result is written as soon as it is there.

    Args:
        directory: Folder of a finished run.
        noises: Pairs of a kind and a level.
        dataset: `Dataset` that the run was made on.

    Raises:
        UserError: If the run's folder holds no model.
    """
    missing = missing_noises(directory, noises)
    if not missing:
        return
    with quiet():  # Imported here because it takes seconds.
        from emotion_keras.inference.load import load_model

        model = load_model(directory)
    cells, truth = dataset.cells("test"), dataset.truth("test")
    rows = read_noise(directory)
    for kind, level in missing:
        noisy = perturb(cells, kind, level, modality=dataset.corpus.modality)
        probabilities = model.probabilities(noisy)
        # The model's own target has the thresholds of several labels.
        metrics = model.target.metrics(truth, probabilities)
        rows.append({"kind": kind, "level": level, **{score: metrics[score] for score in SCORES}})
        record.write_rows(directory / NOISE, rows)


def missing_noises(directory: Path, noises: Iterable[Noise]) -> list[Noise]:
    """The pairs of a kind and a level that a run's model was not tested with yet."""
    tested = {(row["kind"], row["level"]) for row in read_noise(directory)}
    return [noise for noise in noises if noise not in tested]
