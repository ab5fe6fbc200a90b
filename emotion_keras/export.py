# PYTHON_ARGCOMPLETE_OK
"""Export a run's model: `python -m emotion_keras.export RUN` -> a folder that needs no Keras.

The folder holds the model as ONNX (or TensorFlow's SavedModel, or LiteRT), its tokenizer, a model
card and `export.json`, with labels, temperature and what the check against the Keras model gave. A
model whose gate can be explained gives the gate and each token's contributions, too. A run of any
backend is exported with TensorFlow.
"""

import os
import shlex
import sys
from pathlib import Path

from emotion_keras import record
from emotion_keras.command.entry import run_command
from emotion_keras.command.options import make_parser
from emotion_keras.inference.options import ExportOptions
from emotion_keras.machine.quiet import load_keras


def summarize(folder: str | Path) -> str:
    """What an exported folder holds, as text for the terminal."""
    found = record.read_versioned(Path(folder) / record.EXPORT)
    files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
    size = sum(path.stat().st_size for path in files) / 1e6
    lines = [f"{folder}: {', '.join(path.name for path in files)}; {size:.1f} MB."]
    accuracy = found["accuracy_after_quantization"]
    if accuracy:
        name = accuracy.get("score", "accuracy")
        gained = 100 * (accuracy["after"] - accuracy["before"])
        lines.append(
            f"{name[0].upper()}{name[1:]} on the test split: "
            f"{100 * accuracy['before']:.2f} % before, "
            f"{100 * accuracy['after']:.2f} % in int8 ({gained:+.2f} points)."
        )
    elif found["quantize"] == "int8":
        lines.append("What int8 costs in accuracy is not known: the run keeps no test texts.")
    if found["format"] == "onnx":
        command = f"python -m emotion_keras.predict {shlex.quote(os.fspath(folder))}"
        lines.append(f'Next: {command} "your text"')
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """The command `python -m emotion_keras.export`."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = make_parser("python -m emotion_keras.export", __doc__, [ExportOptions])
    parser.add_argument("run", help="Folder of a finished run, or `best`.")

    def run():
        options = vars(parser.parse_args(arguments))
        os.environ["KERAS_BACKEND"] = "tensorflow"  # A saved model loads on any backend.
        load_keras()
        from emotion_keras.inference.export import export

        print(summarize(export(options.pop("run"), **options)))
        return 0

    return run_command(run, continues=False)


if __name__ == "__main__":
    sys.exit(main())
