"""The settings of a run: all that decides what it will be, whoever asks for it.

A command line, a file of options, a call in Python, `best.json` and the record of a run all make a
`Settings`; it gives the run's identity, goes into the record and comes back from it.
"""

import dataclasses
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Self

from emotion_keras.data.options import (
    DATA_STAGES,
    DataOptions,
    NoiseOptions,
    Preparation,
    Protocol,
    Reading,
)
from emotion_keras.errors import UserError, did_you_mean
from emotion_keras.inputs import INPUTS, find_modality, modality_of
from emotion_keras.models import MODELS
from emotion_keras.models.baselines import BASELINES, baselines_of
from emotion_keras.record.names import COMBINATION
from emotion_keras.record.options import Options, as_words, option_names
from emotion_keras.training.defaults import default_encoder, defaults_for
from emotion_keras.training.options import DistillationOptions, RunOptions, TrainingOptions

# What, beside the model and the encoder, decides the usual values of other options.
DECISIVE = ("freeze_encoder", "frozen_layers")


def stage_classes(model: str, modality: str = "text") -> dict[str, type[Options]]:
    """The classes of the options of a run, by their name in the record.

    Args:
        model: Name of a model.
        modality: Name of a modality.

    Returns:
        Dictionary of classes; a baseline takes cells as they are and trains in one step, and has
        neither `inputs` nor `training` nor `distillation`.

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
            "distillation": DistillationOptions,
        }
    else:
        known = ", ".join([*MODELS, *BASELINES])
        meant = did_you_mean(model, [*MODELS, *BASELINES])
        raise UserError(f"Unknown model.{meant} Accepted: {known}. Received: model={model!r}")
    return {**DATA_STAGES, **of_model}


def where_is(option: str) -> str:
    """Which models or modalities have an option, a sentence with a blank before it.

    Args:
        option: Name of an option.

    Returns:
        String, empty where none has it.

    Example:

    >>> where_is("mask_seconds")
    ' mask_seconds is an option of models of recordings.'
    """
    models = [
        name
        for name in (*MODELS, *BASELINES)
        if option in stage_classes(name)["hyperparameters"].names()
    ]
    plurals = [kind.plural for kind in INPUTS.values() if option in kind.options_class.names()]
    owners = [", ".join(models)] if models else []
    owners += [f"models of {', '.join(plurals)}"] if plurals else []
    of_networks = {*TrainingOptions.names(), *DistillationOptions.names()}
    if option in of_networks or (plurals and len(plurals) == len(INPUTS)):
        owners = ["networks, which baselines are not"]
    return f" {option} is an option of {' and of '.join(owners)}." if owners else ""


def _check_baseline(model, modality):
    if model in BASELINES and model not in (fitting := baselines_of(modality)):
        raise UserError(
            f"{model} does not take {find_modality(modality).plural}. Baselines that do: "
            f"{', '.join(fitting)}. Received: model={model!r}, modality={modality!r}"
        )


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
        distillation: `DistillationOptions`, or `None` for a baseline.

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
    distillation: DistillationOptions | None = None

    @classmethod
    def make(cls, **given: Any) -> Self:
        """Makes settings of given options, and of the defaults of the model and its encoder.

        Args:
            **given: Values by option, of `RunOptions` and of the classes in `stage_classes`.

        Raises:
            UserError: If an option is unknown, or its value is of a wrong type or out of its limit.
        """
        run = RunOptions.pick(given)
        modality = Reading.pick(given).modality
        _check_baseline(run.model, modality)
        classes = stage_classes(run.model, modality)
        known = option_names(classes.values())
        if unknown := sorted(set(given) - known - set(RunOptions.names())):
            raise UserError(
                f"Unknown option for model={run.model!r}."
                f"{''.join(where_is(name) or did_you_mean(name, known) for name in unknown)} "
                f"Accepted: {', '.join(sorted(known))}. Received: {', '.join(unknown)}"
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

    def to_record(self, precision: str) -> dict[str, Any]:
        """What a run's record says of its settings; `from_record` reads it.

        Args:
            precision: What `precision` stood for on the machine.
        """
        stages = {name: stage.to_dict() for name, stage in self.stages().items()}
        training = {
            **stages.get("training", {}),
            **stages["augmentation"],
            **stages.get("distillation", {}),
            "precision": precision,
        }
        return {
            "model": self.model,
            "seed": self.seed,
            "inputs": stages.get("inputs", {}),
            "hyperparameters": stages["hyperparameters"],
            "training": training,
            "corpus": {name: stages[name] for name in DATA_STAGES},
        }

    @classmethod
    def from_record(cls, run: Mapping[str, Any]) -> Self:
        """The settings of a finished run.

        What its record does not say has its usual value: an option that is younger than the record
        was made so that its default changes nothing.

        Args:
            run: What `record.read_run` returned.

        Raises:
            UserError: If the record holds what is no setting, or is of a combination.
        """
        if run["model"] == COMBINATION:
            raise UserError(
                f"{run['run_id']} is a combination of other runs, which no training makes. Make it "
                f"again: {shlex.join(run.get('command', []))}; or repeat one of its members. "
                f"Received: model={COMBINATION!r}"
            )
        training = run["training"]
        own = {"model": run["model"], "seed": run["seed"], "read_test": "test" in run["metrics"]}
        if run["model"] in MODELS and "precision" in training:
            own["precision"] = training["precision"]
        recorded = {**run, **run["corpus"], "augmentation": training, "distillation": training}
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

    def identity(
        self,
        *,
        corpus: str,
        labels: Sequence[str],
        backend: str,
        precision: str,
        encoder_sha256: str | None,
        teacher_sha256: str | None = None,
    ) -> dict[str, Any]:
        """What tells the run from all others; where its files lie on disk is no part of it.

        Args:
            corpus: Checksum of the source's bytes.
            labels: Names of the labels, those that `labels` of the preparation keeps.
            backend: Name of the backend.
            precision: What `precision` stands for on the machine.
            encoder_sha256: Checksum of an encoder's files, or `None` of one that has a name.
            teacher_sha256: Checksum of a teacher and of what it answers; see `Teacher.sha256`.

        Returns:
            JSON-able dictionary.
        """
        stages = {name: stage.to_dict() for name, stage in self.stages().items()}
        for name in ("data", "feature_table", "max_labels", "attributes"):
            del stages["reading"][name]
        del stages["preparation"]["labels"]
        if self.protocol.flaws is None:
            del stages["protocol"]["flaws"]
        if self.protocol.folds is not None:
            del stages["protocol"]["test_size"]
        if encoder_sha256 is not None:
            stages["inputs"]["encoder"] = encoder_sha256
        if teacher_sha256 is None:
            stages.pop("distillation", None)
        else:
            del stages["distillation"]["unlabelled"]
            stages["distillation"]["teacher"] = teacher_sha256
        return {
            **stages,
            "model": self.model,
            "seed": self.seed,
            "read_test": self.read_test,
            "corpus": corpus,
            "labels": list(labels),
            "backend": backend,
            "precision": precision,
        }

    def command(self) -> list[str]:
        """The command that makes the run, wherever it is to be kept, as a list of words.

        A run under a protocol with flaws is made by the analysis of these, with others.
        """
        if self.protocol.flaws is not None:
            return self._command_of_analysis()
        values = self.options()
        # What the usual values of others depend on is said in any case.
        decisive = {k: values[k] for k in ("modality", "encoder", *DECISIVE) if k in values}
        usual = Settings.make(model=self.model, **decisive).options()
        of_encoder = {k: v for k, v in decisive.items() if k not in DECISIVE}
        unless_said = Settings.make(model=self.model, **of_encoder).options()
        usual |= {name: unless_said[name] for name in DECISIVE if name in usual}
        usual |= {"model": None, "encoder": None, "modality": Reading().modality}
        changed = {name: value for name, value in values.items() if value != usual[name]}
        return ["python", "-m", "emotion_keras.fit", *as_words(changed)]

    def _command_of_analysis(self):
        """The command of the analysis of protocols, up to the run with this seed."""
        encoder = getattr(self.inputs, "encoder", None)
        usual = {**Reading().to_dict(), **Protocol().to_dict()}
        values = {**self.reading.to_dict(), **self.protocol.to_dict(), "flaws": None}
        # There each seed has a split of its own.
        values["split_seed"] -= self.seed
        words = {
            "models": f"{self.model}@{encoder}" if encoder else self.model,
            "seeds": self.seed + 1,
            **{name: value for name, value in values.items() if value != usual[name]},
        }
        return ["python", "-m", "tuning.sensitivity", "protocol", *as_words(words)]


def identity_of(run: Mapping[str, Any]) -> dict[str, Any]:
    """The identity of a finished run; see `Settings.identity`.

    It is worked out from the record, and so is the same whichever version has made the run and
    whatever its folder is called.

    Args:
        run: What `record.read_run` returned.
    """
    return Settings.from_record(run).identity(
        corpus=run["corpus"]["sha256"],
        labels=run["corpus"]["labels"],
        backend=run["environment"]["backend"],
        precision=run["training"].get("precision"),
        encoder_sha256=run.get("encoder_sha256"),
        teacher_sha256=run.get("teacher_sha256"),
    )


def usual_options(model: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The values by option that a model and its encoder have in place of the classes' defaults.

    Args:
        model: Name of a model.
        given: Values by option that are given, of which the modality and the encoder matter.
    """
    if model in BASELINES:
        return {}
    modality = find_modality(Reading.pick(given).modality)
    inputs: Any = modality.options_class.pick(
        {"encoder": default_encoder(model, modality), **given}
    )
    freezes = getattr(inputs, "freeze_encoder", None) if "freeze_encoder" in given else None
    usual = defaults_for(model, inputs.encoder, freezes, modality=modality)
    if getattr(inputs, "frozen_layers", 0):
        usual |= {"token_dropout": 0.0}  # Tokens cannot be hidden from what is computed once.
    return usual
