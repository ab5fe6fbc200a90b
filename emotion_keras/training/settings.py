"""The settings of a run: all that decides what it will be, whoever asks for it.

A command line, a file of options, a call in Python, `best.json` and the record of a run all make a
`Settings`; it gives the run's identity, goes into the record and comes back from it.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

from emotion_keras.data.options import (
    DATA_STAGES,
    DataOptions,
    NoiseOptions,
    Preparation,
    Protocol,
    Reading,
)
from emotion_keras.errors import UserError
from emotion_keras.inputs import find_modality, modality_of
from emotion_keras.models import MODELS
from emotion_keras.models.baselines import BASELINES
from emotion_keras.record.options import Options, option_names
from emotion_keras.training.defaults import default_encoder, defaults_for
from emotion_keras.training.options import RunOptions, TrainingOptions


def stage_classes(model: str, modality: str = "text") -> dict[str, type[Options]]:
    """The classes of the options of a run, by their name in the record.

    Args:
        model: Name of a model.
        modality: Name of a modality.

    Returns:
        Dictionary of classes; a baseline takes cells as they are and trains in one step, and has
        neither `inputs` nor `training`.

    Raises:
        UserError: If there is no such model, or no such modality.
    """
    if model in BASELINES:
        of_model = {"hyperparameters": BASELINES[model], "augmentation": NoiseOptions}
    elif model in MODELS:
        of_model = {
            "inputs": find_modality(modality).options_class,
            "hyperparameters": MODELS[model],
            "augmentation": NoiseOptions,
            "training": TrainingOptions,
        }
    else:
        known = ", ".join([*MODELS, *BASELINES])
        raise UserError(f"Unknown model. Accepted: {known}. Received: model={model!r}")
    return {**DATA_STAGES, **of_model}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """All that decides what a run will be.

    Args:
        model: Name of a model.
        seed: Integer; decides initial weights, order and dropout.
        precision: What to train in; `auto` for baselines, which have one whatever is asked for.
        read_test: Whether the model is tested on the test split.
        reading: `Reading`, how the corpus is read.
        preparation: `Preparation`, how it is prepared.
        protocol: `Protocol`, how it is split.
        hyperparameters: The model's own options.
        augmentation: `NoiseOptions`.
        inputs: The options of the modality's `Input`, or `None` for a baseline.
        training: `TrainingOptions`, or `None` for a baseline.

    Example:

    >>> Settings.make(model="cnn", epochs=2).training.epochs
    2
    """

    model: str
    seed: int
    precision: str
    read_test: bool
    reading: Reading
    preparation: Preparation
    protocol: Protocol
    hyperparameters: Options
    augmentation: NoiseOptions
    inputs: Options | None = None
    training: TrainingOptions | None = None

    @classmethod
    def make(cls, **given: Any) -> Self:
        """Makes settings of given options, and of the defaults of the model and its encoder.

        Args:
            **given: Values by option, of `RunOptions` and of the classes in `stage_classes`.

        Raises:
            UserError: If an option is unknown, or its value is of a wrong type or out of its limit.
        """
        run = RunOptions.pick(given)
        classes = stage_classes(run.model, Reading.pick(given).modality)
        known = option_names(classes.values())
        if unknown := sorted(set(given) - known - set(RunOptions.names())):
            raise UserError(
                f"Unknown option for model={run.model!r}. Accepted: {', '.join(sorted(known))}. "
                f"Received: {', '.join(unknown)}"
            )
        chosen = {**usual_options(run.model, given), **given}
        return cls._of(run, {name: kind.pick(chosen) for name, kind in classes.items()})

    @classmethod
    def _of(cls, run, stages):
        if run.model in BASELINES:
            run = dataclasses.replace(run, precision="auto")
        return cls(**run.to_dict(), **stages)

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits that the model is tested on."""
        return ("val", "test") if self.read_test else ("val",)

    @property
    def data(self) -> DataOptions:
        """The options of the data."""
        return DataOptions(self.reading, self.preparation, self.protocol)

    def stages(self) -> dict[str, Options]:
        """The objects of options, by their name in the record."""
        names = stage_classes(self.model, self.reading.modality)
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_record(cls, run: Mapping[str, Any]) -> Self:
        """The settings of a finished run.

        What its record does not say has its usual value: an option that is younger than the record
        was made so that its default changes nothing.

        Args:
            run: What `record.read_run` returned.

        Raises:
            UserError: If the record holds what is no setting.
        """
        training = run["training"]
        own = {**run, "precision": training.get("precision"), "read_test": "test" in run["metrics"]}
        if run["model"] in BASELINES:
            del own["precision"]
        recorded = {**run, **run["corpus"], "augmentation": training}
        modality = modality_of(run).name
        # None stands for what was without effect, such as the test's size where there are folds.
        stages = {
            name: kind.pick({k: v for k, v in recorded[name].items() if v is not None})
            for name, kind in stage_classes(run["model"], modality).items()
        }
        return cls._of(RunOptions.pick(own), stages)

    def options(self) -> dict[str, Any]:
        """The values by option, as `make` takes them."""
        run = {name: getattr(self, name) for name in RunOptions.names()}
        return run | {k: v for stage in self.stages().values() for k, v in stage.to_dict().items()}


def usual_options(model: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values by option that a model and its encoder have in place of the classes' defaults.

    Args:
        model: Name of a model.
        given: Values by option that are given, of which the modality and the encoder matter.
    """
    if model in BASELINES:
        return {}
    modality = find_modality(Reading.pick(given).modality)
    inputs = modality.options_class.pick({"encoder": default_encoder(model, modality), **given})
    return defaults_for(model, inputs.encoder, getattr(inputs, "freeze_encoder", False))
