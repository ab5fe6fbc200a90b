"""The options of combinations and evaluations. Standard library only."""

from dataclasses import dataclass
from typing import Any, Literal

from emotion_keras.record.options import Options, option


@dataclass(frozen=True, kw_only=True)
class CombineOptions(Options):
    """How the runs are combined, and where the combination is kept."""

    weights: Literal["validation", "equal"] = option(
        "validation",
        "How much each run counts: as fits the validation split best, or all alike.",
    )
    study: str = option("combination", "Name of the set of runs that the combination belongs to.")
    runs_dir: str = option("runs", "Folder of all runs.")


@dataclass(frozen=True, kw_only=True)
class EvaluateOptions(Options):
    """Which labels go together, and where the evaluation is kept."""

    map: str | dict[str, Any] | None = option(
        None,
        "Which of the model's labels stand for which of the corpus, beside those of equal names: "
        "pairs such as `sadness=sorrow,joy=love,joy=happiness`, where the model's label comes "
        "first; `fear=` for none; or a YAML or JSON file of such. Probabilities of several labels "
        "that stand for one are added; with several labels an example the largest counts.",
        is_basic=True,
    )
    adapt: Literal["none", "prior", "center"] = option(
        "none",
        "How to adapt the model to the corpus without its labels: `prior` estimates how frequent "
        "labels are there, where an example has one; `center` moves the scores of labels to the "
        "means that they have on the validation split. The record says so.",
        is_basic=True,
    )
    split: Literal["train", "val", "test"] | None = option(
        None, "Of a corpus with an official split, the part to evaluate on; unless given, all."
    )
    repeats: Literal["drop", "keep"] = option(
        "drop", "What becomes of repeated examples and those with two labels; as in `fit`."
    )
    out: str | None = option(
        None, "Folder of evaluations; unless given, `evaluations` in the folder of the model."
    )
    study: str | None = option(
        None, "With `best`, the study whose runs to choose from; unless given, all."
    )
    runs_dir: str = option("runs", "With `best`, folder of all runs.")
