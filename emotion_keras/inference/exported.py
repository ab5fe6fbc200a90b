"""Loads what an export holds: a model in the format of ONNX, or several that answer together."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from emotion_keras import record
from emotion_keras.inference.base import Model
from emotion_keras.inference.combined_model import CombinedModel
from emotion_keras.inference.onnx_model import OnnxModel


def load_exported(directory: Path, export: Mapping[str, Any], parallel: bool = False) -> Model:
    """Loads the model of an export; neither Keras nor a framework is needed.

    Args:
        directory: Folder that `emotion_keras.export` wrote.
        export: What its `export.json` holds.
        parallel: See `Predictor.load`.

    Returns:
        `OnnxModel`, or of a combination a `CombinedModel` of such.

    Raises:
        UserError: If a file is missing or damaged.
    """
    if record.MEMBERS not in export:
        return OnnxModel(directory, dict(export), parallel)
    members = [
        OnnxModel(directory / record.MEMBERS / one["run_id"], {**export, **one}, parallel)
        for one in export[record.MEMBERS]
    ]
    weights = [one["weight"] for one in export[record.MEMBERS]]
    # Each member has been given what the export says of labels.
    return CombinedModel(members, weights, members[0].target)
