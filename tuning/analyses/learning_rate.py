"""Several learning rates."""

from dataclasses import dataclass

from emotion_keras.errors import UserError
from emotion_keras.record.options import option
from tuning.analyses.base import Analysis, Trial, numbers


@dataclass(frozen=True, kw_only=True)
class LearningRate(Analysis):
    """Trains at several learning rates: the paper's Figure 2."""

    rates: str = option(
        "1e-5,5e-5,1e-4,5e-4,1e-3",
        "Highest learning rates of the schedule, with commas between them.",
        is_basic=True,
    )

    def trials(self) -> list[Trial]:
        """The settings to try, a list of `Trial`, or `UserError` if a rate is no number above 0."""
        values = numbers(self.rates, "rates")
        if not all(value > 0 for value in values):
            raise UserError(f"A learning rate is above 0. Received: rates={self.rates!r}")
        return [Trial(value, {"learning_rate": value}) for value in values]
