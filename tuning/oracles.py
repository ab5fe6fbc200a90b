"""What chooses the next trial: KerasTuner's oracles, which stop when a search has enough."""

import sys
from collections.abc import Callable
from typing import Any

from tuning.trials import FAILURES

OBJECTIVE = "val_macro_f1"


def make_oracle(
    kind: str,
    space: dict[str, list[Any]],
    *,
    seed: int,
    max_trials: int,
    epochs: int,
    is_enough: Callable[[list[dict[str, Any]]], bool],
) -> Any:
    """Makes the part of KerasTuner that chooses what to try.

    Args:
        kind: `random`, `grid`, `bayesian` or `hyperband`.
        space: Dictionary of lists of values, by option.
        seed: Integer.
        max_trials: Integer, settings to try at most.
        epochs: Integer, the most that `hyperband` trains for.
        is_enough: Function of the list of the settings that are being tried, dictionaries as
            `options_of` returns them, that says whether the search is at its end.

    Returns:
        `keras_tuner.Oracle`.
    """
    import keras_tuner  # Imported here because it imports Keras, which takes seconds.

    oracles = keras_tuner.oracles
    oracle_class: Any = {
        "random": oracles.RandomSearchOracle,
        "grid": oracles.GridSearchOracle,
        "bayesian": oracles.BayesianOptimizationOracle,
        "hyperband": oracles.HyperbandOracle,
    }[kind]

    class Oracle(oracle_class):
        def populate_space(self, trial_id):
            trying = [options_of(t.hyperparameters, space) for t in self.ongoing_trials.values()]
            if self._have_failed() or is_enough(trying):
                return {"status": "STOPPED"}
            return super().populate_space(trial_id)

        def _have_failed(self):
            last = [self.trials[trial_id].status for trial_id in self.end_order[-FAILURES:]]
            return len(last) == FAILURES and set(last) == {"FAILED"}

    choices = keras_tuner.HyperParameters()
    for option, values in space.items():
        choices.Choice(option, values)
    oracle = Oracle(
        objective=keras_tuner.Objective(OBJECTIVE, "max"),
        hyperparameters=choices,
        seed=seed + 1,  # It takes 0 for none.
        # It would raise, which a chief's workers take for an error of theirs, each its own.
        max_consecutive_failed_trials=sys.maxsize,
        **({"max_epochs": epochs} if kind == "hyperband" else {}),
    )
    # Not among the arguments of Hyperband's, and heeded all the same. What is proposed once more
    # is not tried once more, and does not count for the user.
    oracle.max_trials = _REPETITION * max_trials
    oracle.verbose = 0
    return oracle


_REPETITION = 10  # So many proposals for one new setting before a space counts as exhausted.


def options_of(hyperparameters: Any, space: dict[str, list[Any]]) -> dict[str, Any]:
    """The options of `fit` that a trial of KerasTuner stands for.

    Args:
        hyperparameters: `keras_tuner.HyperParameters`.
        space: Dictionary of lists of values, by option.

    Returns:
        Dictionary of the options of the space and, of `hyperband`, `epochs`.
    """
    values = hyperparameters.values
    options = {option: values[option] for option in space if option in values}
    if "tuner/epochs" in values:
        options["epochs"] = values["tuner/epochs"]
    return options
