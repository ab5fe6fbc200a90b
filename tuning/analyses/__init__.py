"""The analyses of `tuning.sensitivity`: one file a setting that is analysed."""

from tuning.analyses.base import Analysis
from tuning.analyses.data_ratio import DataRatio
from tuning.analyses.gate import Gate
from tuning.analyses.learning_rate import LearningRate
from tuning.analyses.noise import Noise
from tuning.analyses.protocol import Protocols
from tuning.analyses.recipe import Recipe

ANALYSES: dict[str, type[Analysis]] = {
    "learning_rate": LearningRate,
    "noise": Noise,
    "data_ratio": DataRatio,
    "gate": Gate,
    "recipe": Recipe,
    "protocol": Protocols,
}
