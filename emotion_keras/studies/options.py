"""The options of a combination. Standard library only."""

from dataclasses import dataclass
from typing import Literal

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
