"""The modalities: from what a user has to the vectors that encoder, gate and pooling work on.

Each is one file here with one class, an `Input`, and one entry of `INPUTS`. Models know no more of
it than the `Embedded` that it gives them, and the rest of the software no more than what `Input`
documents. Nothing here imports Keras before it is needed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emotion_keras import record
from emotion_keras.errors import UserError, did_you_mean
from emotion_keras.inputs.base import Input
from emotion_keras.inputs.features import FeaturesInput
from emotion_keras.inputs.fusion import AND, FusionInput, fuse
from emotion_keras.inputs.image import ImageInput
from emotion_keras.inputs.speech import SpeechInput
from emotion_keras.inputs.text import TextInput

INPUTS: dict[str, type[Input]] = {
    "text": TextInput,
    "speech": SpeechInput,
    "image": ImageInput,
    "features": FeaturesInput,
}


def find_modality(name: str) -> type[Input]:
    """The class of a modality, or of several with `AND` between their names.

    Raises:
        UserError: If there is no such modality.
    """
    names = name.split(AND)
    if not {*names} <= {*INPUTS} or len({*names}) < len(names):
        wrong = next((one for one in names if one not in INPUTS), name)
        raise UserError(
            f"Unknown modality.{did_you_mean(wrong, INPUTS)} Accepted: {', '.join(INPUTS)}, or "
            f"several with {AND} between them, as in speech{AND}features. Received: {name!r}"
        )
    classes = [INPUTS[one] for one in names]
    return fuse(*classes) if len(classes) > 1 else classes[0]


def asked_columns(modality: type[Input], given: Mapping[str, str | None]) -> Any:
    """What `Input.choose_columns` takes of the options that name columns of cells.

    Args:
        modality: The class of the `Input`.
        given: What they say, by their names; `None` of one that is not given.

    Raises:
        UserError: If one is given that the modality does not have.
    """
    own = modality.column_options()
    for name, value in given.items():
        if value is not None and name not in own:
            right = " and ".join(f"`--{one.replace('_', '-')}`" for one in own)
            raise UserError(
                f"The examples are {modality.plural}: name their columns with {right}. "
                f"Received: {name}={value!r}"
            )
    return modality.asked_columns(given)


def modality_of(recorded: Mapping[str, Any]) -> type[Input]:
    """The class of the modality of a run or an export, from its record.

    Before records named it, all were of texts.
    """
    reading = recorded.get("corpus", {}).get("reading", {})
    return find_modality(recorded.get("modality") or reading.get("modality") or "text")


def load_input(directory: Path, recorded: Mapping[str, Any], remedy: str) -> Input:
    """Loads what the input of a model has learned.

    Args:
        directory: Folder of a run or of an export.
        recorded: Its record, with `inputs`, the options, and `state`, what `Input.state` returned.
            Exports had `sequence_length` alone before, and records no `state`.
        remedy: Sentence that says what to do about a damaged file.

    Raises:
        UserError: If a file is missing or damaged.
    """
    modality = modality_of(recorded)
    path = directory / (record.EXPORT if "format" in recorded else record.RUN)
    try:
        values = recorded.get("inputs") or {"sequence_length": recorded["sequence_length"]}
        options = modality.options_class.pick(values)
    except (KeyError, TypeError, UserError) as error:
        raise UserError(f"{path} is damaged, its inputs are wrong: {error} {remedy}") from error
    try:
        return modality.load(directory, options, recorded.get("state"), remedy)
    except (KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged, its state is wrong: {error} {remedy}") from error


__all__ = [
    "AND",
    "FeaturesInput",
    "FusionInput",
    "INPUTS",
    "ImageInput",
    "Input",
    "SpeechInput",
    "TextInput",
    "asked_columns",
    "find_modality",
    "load_input",
    "modality_of",
]
