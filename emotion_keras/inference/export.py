"""Exports the model of a run, once it is checked against the Keras model."""

import contextlib
import logging
import os
import shlex
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
from ai_edge_litert.interpreter import Interpreter
from onnxruntime.quantization import QuantType, quantize_dynamic

from emotion_keras import record
from emotion_keras.errors import UserError
from emotion_keras.evaluation.about import about
from emotion_keras.evaluation.attributes import score_groups
from emotion_keras.evaluation.card import measured_split, model_card
from emotion_keras.evaluation.coverage import Sure, by_coverage, reach, read_judged, thresholds
from emotion_keras.evaluation.predictions import read_attributes, read_groups, read_split
from emotion_keras.evaluation.scores import read_scores
from emotion_keras.inference.combined_model import CombinedModel
from emotion_keras.inference.explanation import explaining_model
from emotion_keras.inference.exported import load_exported
from emotion_keras.inference.onnx_graph import input_signature, to_onnx
from emotion_keras.inference.options import ExportOptions
from emotion_keras.inference.predictor import Predictor
from emotion_keras.inputs.sequences import real_tokens
from emotion_keras.machine import devices
from emotion_keras.machine.quiet import quiet

# What an export may differ from the Keras model by, in any output.
TOLERANCE = 1e-4

_NUM_CHECKED = 64

CARD = "MODEL_CARD.md"


@devices.known_numbers()
def export(run: str | Path, *, notify: Callable[[str], Any] = print, **options: Any) -> Path:
    """Exports the model of a finished run, once it is checked against the Keras model.

    Args:
        run: Folder of a finished run, or `best`, the best on validation of those in the folder of
            all runs.
        notify: Called with messages for the user.
        **options: Values by option of `ExportOptions`.

    Returns:
        The export's folder.

    Raises:
        UserError: If the run cannot be exported so, the folder is there already, or the export does
            not say what the Keras model says.
    """
    asked = ExportOptions(**options)
    format, quantize = asked.format, asked.quantize
    if quantize != "none" and format != "onnx":
        raise UserError(
            f"Only ONNX is quantized: leave out `--quantize`. Received: format={format!r}"
        )
    if keras.backend.backend() != "tensorflow":
        raise UserError(
            "An export is made with TensorFlow, whichever backend the run is of. Set "
            f"KERAS_BACKEND=tensorflow. Received: {keras.backend.backend()}"
        )
    directory = record.resolve_run(run, asked.runs_dir, asked.study)
    out = Path(asked.out) if asked.out else directory / format
    if out.exists():
        raise UserError(f"{out} is there already. Delete it, or choose another with `--out`.")
    predictor = Predictor.load(directory)
    run = record.read_run(directory)
    members = _members(predictor, run, format)
    part = out.with_name(f"{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        cells, differences = _cells(directory, predictor), []
        for name, model in members.items():
            notify(f"Converting {name or predictor.name} to {format}.")
            differences.append(_write(model, part / _folder_of(name), format, cells))
        difference = max(differences)
        notify(
            "It says what the Keras model says: the outputs differ by at most "
            f"{difference:.1e}, the labels are the same."
        )
        if predictor.familiarity is not None:
            predictor.familiarity.save(part)
        described = _describe(predictor, run)
        accuracy = None
        if quantize == "int8":
            notify("Quantizing to int8.")
            before = _score(part, described, directory, run)
            for name in members:
                _quantize(part / _folder_of(name))
            if before is not None:
                after = _score(part, described, directory, run)
                accuracy = {"before": before, "after": after}
                if predictor.several:
                    target = predictor.model.target
                    accuracy["score"] = target.shown[target.main_metric]
        judged, groups, split = (
            read_judged(directory, run),
            read_groups(directory),
            measured_split(run),
        )
        scores = read_scores([(run, directory)], split, groups)
        known = thresholds(judged, groups)
        record.write_versioned(
            part / record.EXPORT,
            {
                "format": format,
                "quantize": quantize,
                "name": predictor.name,
                "run_id": run["run_id"],
                "corpus": {key: run["corpus"][key] for key in ("name", "licence")},
                **described,
                "temperature": predictor.temperature,
                "sequence_length": predictor.sequence_length,
                "preparation": predictor.preparation,
                "faithfulness": predictor.faithfulness,
                "thresholds": known,
                "about": about(run, scores["accuracy"])._asdict(),
                "metrics": run["metrics"],
                "greatest_difference": difference,
                "accuracy_after_quantization": accuracy,
            },
        )
        command = f"python -m emotion_keras.fit --from-run {shlex.quote(str(directory))}"
        if run["model"] == record.COMBINATION:
            command = shlex.join(run["command"])
        sure = Sure(by_coverage([judged[split]], [run["seed"]], groups), reach(known))
        found = score_groups([judged[split]], [run["seed"]], read_attributes(directory), groups)
        card = model_card(run, scores, 1, command, sure, found)
        (part / CARD).write_text(card, encoding="utf-8")
        part.rename(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return out


def _members(predictor, run, format):
    """The networks to export, by the run_id of each member of a combination, else by nothing."""
    if not isinstance(predictor.model, CombinedModel):
        _check_network(predictor.name, predictor.model, "")
        return {"": predictor.model}
    if format != "onnx":
        raise UserError(
            "A combination is exported as ONNX alone, a model for each member. Export its members "
            f"one by one, or leave out `--format`. Received: format={format!r}"
        )
    names = [one["run_id"] for one in run["members"]]
    members = dict(zip(names, predictor.model.members, strict=True))
    for name, model in members.items():
        _check_network(name, model, " Combine the other runs without it, and export that.")
    return members


def _check_network(name, model, advice):
    if model.input is None or model.input.needs_keras:
        raise UserError(
            f"{name} cannot be exported: it is no network that reads words or word pieces. "
            "Accepted: networks over scratch, embeddings, word vectors, minilm, e5, mpnet, or a "
            f"preset of the family of BERT.{advice}"
        )


def _folder_of(name):
    """Where in an export a member lies; what is no combination lies in the export itself."""
    return Path(record.MEMBERS, name) if name else Path()


def _write(model, folder, format, cells):
    """Writes a network with its input to a folder, and checks it.

    Returns:
        The greatest difference of any output from the Keras model's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    network = _with_named_outputs(model)
    with quiet():
        write, load = _FORMATS[format]
        write(network, folder)
        difference = _check(network, load(folder), cells, model)
    model.input.save(folder)
    return difference


def _describe(predictor, run):
    """What `load_exported` has to know of the models."""
    model = predictor.model
    described = {
        "target": model.target.name,
        "labels": predictor.labels,
        "modality": model.modality.name,
    }
    if model.target.thresholds is not None:
        described["label_thresholds"] = list(model.target.thresholds)
    if not isinstance(model, CombinedModel):
        return described | {"inputs": run["inputs"], "state": model.input.state()}
    members = [
        {
            "run_id": one["run_id"],
            "weight": one["weight"],
            "inputs": member.input.options.to_dict(),
            "state": member.input.state(),
        }
        for one, member in zip(run["members"], model.members, strict=True)
    ]
    return described | {record.MEMBERS: members}


def _with_named_outputs(model):
    """The network whose outputs have names, with what its gate does where it can be explained."""
    if model.can_explain:
        return explaining_model(model.network, model.target)
    return keras.Model(model.network.input, {"probabilities": model.network.output})


def _write_onnx(model, folder):
    onnx.save(to_onnx(model), folder / record.ONNX)


def _load_onnx(folder):
    session = onnxruntime.InferenceSession(folder / record.ONNX)
    names = [output.name for output in session.get_outputs()]
    return lambda inputs: dict(zip(names, session.run(names, inputs), strict=True))


def _write_saved_model(model, folder):
    model.export(
        folder / "saved_model",
        format="tf_saved_model",
        input_signature=input_signature(model),
        verbose=False,
    )


def _load_saved_model(folder):
    return keras.layers.TFSMLayer(folder / "saved_model", call_endpoint="serve")


def _write_litert(model, folder):
    model.export(
        folder / "model.tflite",
        format="litert",
        input_signature=input_signature(model),
        verbose=False,
    )


def _load_litert(folder):
    runner = Interpreter(os.fspath(folder / "model.tflite")).get_signature_runner()

    def run(inputs):
        try:
            return runner(**inputs)
        except RuntimeError as error:  # Such as operators that TensorFlow alone has.
            reason = str(error).splitlines()[0].partition(". ")[0]
            raise UserError(
                f"LiteRT cannot run this model: {reason}. Nothing was kept. Choose onnx or "
                "saved_model with `--format`."
            ) from error

    return run


_FORMATS = {
    "onnx": (_write_onnx, _load_onnx),
    "saved_model": (_write_saved_model, _load_saved_model),
    "litert": (_write_litert, _load_litert),
}


def _cells(directory, predictor):
    """Real examples to check with: of the run's test split, or else of the modality."""
    path = directory / record.TEXTS
    cells = _read_texts(path) if path.exists() else predictor.model.modality.samples
    return [cells[i % len(cells)] for i in range(_NUM_CHECKED)]


def _read_texts(path):
    with record.loading(path, record.how_to_repeat(path.parent)):
        return [row["text"] for row in record.read_rows(path)]


def _check(network, exported, cells, model):
    """Compares an export with the Keras model, for many cells and one, with and without padding.

    Returns:
        The greatest difference of any output.
    """
    reader = model.input
    sequences = reader.encode(cells)
    shortest = int(sequences.lengths.argmin())
    everything = range(len(sequences))
    greatest = 0.0
    for indices, length in (
        (everything, int(sequences.lengths.max())),
        (everything, reader.sequence_length),
        ([shortest], int(sequences.lengths[shortest])),
        ([shortest], reader.sequence_length),
    ):
        inputs = sequences.inputs(indices, length)
        expected, found = network(inputs), exported(inputs)
        for name, values in expected.items():
            values, others = np.asarray(values), np.asarray(found[name])
            if name == "gate":  # What it is for padding nobody reads.
                values, others = (part * real_tokens(inputs) for part in (values, others))
            greatest = max(greatest, float(np.abs(values - others).max()))
        said = [
            model.target.decide(np.asarray(part["probabilities"])) for part in (expected, found)
        ]
        if not greatest <= TOLERANCE or said[0] != said[1]:
            raise UserError(
                f"The export does not say what the Keras model says: {len(indices)} "
                f"{reader.plural} of {length} tokens differ by up to {greatest:.1e}, where "
                f"{TOLERANCE} are allowed. Nothing was kept. Choose another format."
            )
    return greatest


def _quantize(folder):
    """Stores the weights of the matrix products in 8 bits."""
    with warnings.catch_warnings(), _no_advice():
        warnings.simplefilter("ignore")
        quantize_dynamic(
            folder / record.ONNX,
            folder / "int8.onnx",
            weight_type=QuantType.QInt8,
            per_channel=True,  # One scale a kernel would lose twice as much accuracy.
            # To -64 ... 64. Cores with AVX2 and without VNNI add two products with activations of
            # 0 ... 255 in 16 bits: beyond 2 * 255 * 64 = 32,640 the sum would be cut off.
            reduce_range=True,
            op_types_to_quantize=["MatMul"],
            # Of what ONNX Runtime's own operators give, the library does not know the type.
            extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT},
        )
    (folder / "int8.onnx").replace(folder / record.ONNX)


def _score(folder, described, directory, run):
    """How good an exported model is on the test split of a run; `None` if that keeps no texts."""
    if not (directory / record.TEXTS).exists():
        return None
    model = load_exported(folder, described)
    truth, _ = read_split(directory, run, "test")
    probabilities = model.probabilities(_read_texts(directory / record.TEXTS))
    return model.target.metrics(truth, probabilities)[model.target.main_metric]


@contextlib.contextmanager
def _no_advice():
    # The library advises a step that this graph does not need.
    logger = logging.getLogger()
    logger.addFilter(_is_no_advice)
    try:
        yield
    finally:
        logger.removeFilter(_is_no_advice)


def _is_no_advice(entry):
    return "pre-processing before quantization" not in entry.getMessage()
