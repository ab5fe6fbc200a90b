"""The contenders of a study: models by name, with their encoders, and the runs that each needs."""

import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from emotion_keras.command.options import load_texts_of
from emotion_keras.data.options import DATA_STAGES, DataOptions, identifying
from emotion_keras.errors import UserError, did_you_mean
from emotion_keras.inputs import find_modality
from emotion_keras.models import MODELS
from emotion_keras.models.baselines import BASELINES
from emotion_keras.record.options import Limit, option_names, split_names
from emotion_keras.studies.study import Task, backend
from emotion_keras.training.defaults import default_encoder, defaults_for
from emotion_keras.training.settings import Settings

# More runs of a model are a number in the wrong place.
SEEDS = Limit("1 to 10,000", lambda value: 1 <= value <= 10_000)

# Values by option: by full name of a model, and for all `networks`.
ByModel = Mapping[str, Mapping[str, Any]]


def full_name(name: str, modality: str = "text") -> str:
    """The name of a model with its encoder, where it has one.

    Args:
        name: String such as `cnn` or `gated_transformer@scratch`.
        modality: Name of the modality of the data.

    Returns:
        String such as `cnn@scratch`.

    Raises:
        UserError: If there is no such model, or it cannot have such an encoder.
    """
    model, _, encoder = name.partition("@")
    if model in BASELINES and not encoder:
        return model
    if model not in MODELS:
        known = (*BASELINES, *MODELS)
        raise UserError(
            f"Unknown model.{did_you_mean(model, known)} Accepted: {', '.join(known)}, the last "
            f"{len(MODELS)} with an encoder where wanted, as in cnn@scratch. Received: {name!r}"
        )
    kind = find_modality(modality)
    encoder = encoder or default_encoder(model, kind)
    if model == "bert" and not kind.find_encoder(encoder).has_pooled_output:
        raise UserError(
            "bert needs a pretrained encoder with a pooled output, as in bert@minilm. "
            f"Received: {name!r}"
        )
    return f"{model}@{encoder}"


def full_names(models: str, modality: str = "text") -> list[str]:
    """The full names in a list with commas; see `full_name`."""
    names = [full_name(name, modality) for name in split_names("models", models)]
    if len(set(names)) < len(names):
        raise UserError(f"A model is named twice. Received: models={models!r}")
    return names


def make_tasks(
    names: Iterable[str],
    data: DataOptions,
    *,
    seeds: int,
    precision: str,
    settings: ByModel,
    cache: dict[str, Any],
    notify: Callable[[str], Any],
) -> list[Task]:
    """The runs of a study on one dataset.

    Args:
        names: Full names of models.
        data: `DataOptions`.
        seeds: Integer, number of runs of each.
        precision: See `fit`.
        settings: Dictionary of options by model, and for all `networks`, in place of the chosen.
        cache: Dictionary that keeps the corpus and its split from one call to the next.
        notify: Called with messages for the user.

    Returns:
        List of `Task`, whose groups are the models' names.

    Raises:
        UserError: If there is no run of anything to make, or the corpus cannot be loaded.
    """
    # Imported here because pandas takes a moment.
    from emotion_keras.data import read_dataset
    from emotion_keras.tables import is_pipe

    path = data.reading.data
    if is_pipe(path):
        raise UserError(
            "Each run of a study reads the data, and a pipe can be read once alone. Save its "
            f"content to a file, and give that. Received: data={str(path)!r}"
        )
    corpus = read_dataset(data, cache, notify).corpus
    common = {"precision": precision, **data.options()}
    return [
        _task(name, common | {"seed": seed}, settings_for(name, settings), corpus)
        for name in names
        for seed in range(seeds)
    ]


def settings_for(name: str, settings: ByModel) -> dict[str, Any]:
    """What settings by model say of one of them."""
    networks = settings.get("networks", {}) if "@" in name else {}
    return {**networks, **settings.get(name, {})}


def _task(name, common, chosen, corpus):
    model, _, encoder = name.partition("@")
    options = {"model": model}
    if encoder:
        options["encoder"] = encoder
    options |= chosen
    modality = find_modality(common["modality"])
    sha256 = modality.find_encoder(encoder).sha256() if encoder else None
    asked = {
        **identifying(common),
        **options,
        "data": corpus.sha256,
        **({"encoder_sha256": sha256} if sha256 else {}),
        "defaults": defaults_for(model, encoder, modality=modality) if encoder else {},
        "backend": backend() if encoder else "scikit-learn",
    }
    fold, seed = common["fold"], common["seed"]
    return Task(
        group=name,
        name=f"seed {seed}" if fold is None else f"fold {fold}, seed {seed}",
        options=common | options,
        asked=asked,
    )


def read_settings(
    path: str | Path | dict[str, Any], names: Collection[str], modality: str = "text"
) -> dict[str, dict[str, Any]]:
    """Reads a file of settings.

    Args:
        path: YAML or JSON file, or the `best.json` of a search; or what such a file would hold, a
            dictionary.
        names: Full names of the models that it may be about.
        modality: Name of the modality of the data.

    Returns:
        Dictionary of options by full name, and for all `networks`.

    Raises:
        UserError: If it cannot be read, is about other models, or sets what a study's runs share.
    """
    settings = path if isinstance(path, dict) else load_texts_of(path, "settings")
    if isinstance(settings, dict) and {"contender", "options"} <= settings.keys():
        settings = {settings["contender"]: settings["options"]}  # What a search has found.
    if not isinstance(settings, dict) or not all(
        isinstance(name, str) and isinstance(value, dict) for name, value in settings.items()
    ):
        raise UserError(
            f"{path} holds no settings. Expected by model, or for networks, a value by option: "
            '{"networks": {"epochs": 2}, "tfidf_svm": {"C": 1.0}}'
        )
    settings = {
        name if name == "networks" else full_name(name, modality): {
            option: as_plain(value) for option, value in of_model.items()
        }
        for name, of_model in settings.items()
    }
    if unused := sorted(set(settings) - {"networks", *names}):
        raise UserError(
            f"{path} has settings for {', '.join(unused)}, not among the models, which are "
            f"{', '.join(names)}. Add to `--models`, or leave the settings out."
        )
    of_data = option_names(DATA_STAGES.values())
    of_the_study = {"model", "encoder", "seed", "study", "runs_dir", *of_data}
    if wrong := sorted(of_the_study & {option for value in settings.values() for option in value}):
        raise UserError(
            f"{path} sets {', '.join(wrong)}, which the study decides for its runs. Leave it out: "
            "data, encoders and seeds are options of the command."
        )
    return settings


def as_plain(value: Any) -> Any:
    """The number or the truth that a text of a file stands for; all else as it is.

    `fit` reads options by their types. This is for what is written down about them before, where
    Keras, which their functions need, is not loaded.
    """
    if isinstance(value, list):
        return [as_plain(one) for one in value]
    if not isinstance(value, str):
        return value
    if value in ("true", "false"):
        return value == "true"
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(value)
    return value


def check_settings(
    path: str | Path | dict[str, Any],
    settings: ByModel,
    names: Iterable[str],
    modality: str = "text",
) -> None:
    """Makes sure that runs can begin with the settings of a file.

    Args:
        path: The file, for the message.
        settings: What `read_settings` returned.
        names: Full names of the models of the study.
        modality: Name of the modality of the data.

    Raises:
        UserError: If an option is unknown to a model, or its value is wrong.
    """
    for name in names:
        try:
            given = {"model": name.partition("@")[0], "modality": modality}
            Settings.make(**given, **settings_for(name, settings))
        except UserError as error:
            raise UserError(f"{path} has wrong settings for {name}. {error}") from error
