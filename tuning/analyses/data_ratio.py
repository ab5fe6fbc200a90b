"""Parts of the training split."""

from dataclasses import dataclass

from emotion_keras.record.options import option
from tuning.analyses.base import Analysis, Trial, shares_above_0


@dataclass(frozen=True, kw_only=True)
class DataRatio(Analysis):
    """Trains on parts of the training split, a smaller one a part of a larger one."""

    analysed = ("train_fraction",)

    ratios: str = option(
        "0.05,0.1,0.2,0.4,0.6,0.8,1",
        "Shares of the training split, with commas between them.",
        is_basic=True,
    )

    def trials(self) -> list[Trial]:
        """The settings to try, a list of `Trial`, or `UserError` if a ratio is no share above 0."""
        values = shares_above_0(self.ratios, "ratios")
        return [Trial(value, {"train_fraction": value}) for value in values]
