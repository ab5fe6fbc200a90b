"""The options of an export. Standard library only."""

from dataclasses import dataclass
from typing import Literal

from emotion_keras.record.options import Options, option


@dataclass(frozen=True, kw_only=True)
class ExportOptions(Options):
    """What is written, and where."""

    format: Literal["onnx", "saved_model", "litert"] = option(
        "onnx",
        "What to write: ONNX, which `predict` and `serve` run; TensorFlow's SavedModel; or LiteRT, "
        "for phones.",
    )
    out: str | None = option(
        None, "Folder to write; unless given, one of the format's name in the run's folder."
    )
    quantize: Literal["none", "int8"] = option(
        "none", "`int8` stores an ONNX model's weights in 8 bits, and computes with them."
    )
    study: str | None = option(
        None, "With `best`, the study whose runs to choose from; unless given, all."
    )
    runs_dir: str = option("runs", "With `best`, folder of all runs.")
