"""An exported model, run by ONNX Runtime: neither Keras nor a framework is needed."""

import concurrent.futures
import functools
from pathlib import Path

import numpy as np
import onnxruntime

from emotion_keras import record
from emotion_keras.errors import UserError
from emotion_keras.inference.base import Model
from emotion_keras.inference.outputs import Outputs
from emotion_keras.inputs import load_input
from emotion_keras.inputs.sequences import Sequences, real_tokens
from emotion_keras.machine.cores import available_cores
from emotion_keras.targets import make_target

AGAIN = "Export the run again: python -m emotion_keras.export RUN"
_BATCH_SIZE = 16
# Tokens of padding that a batch may have: a batch costs about as much as ten tokens more.
_PADDING = 10


class OnnxModel(Model):
    """A model in the format of ONNX with its input and its target.

    Args:
        directory: Folder that `emotion_keras.export` wrote.
        export: What its `export.json` holds.
        parallel: See `Predictor.load`.

    Attributes:
        session: `onnxruntime.InferenceSession`.

    Raises:
        UserError: If a file is missing or damaged, or they are of two exports.
    """

    def __init__(self, directory: Path, export: dict, parallel: bool = False):
        self._path = directory / record.ONNX
        self.num_parallel = len(available_cores()) if parallel else 1
        self.input = load_input(directory, export, AGAIN)
        self.modality = type(self.input)
        self.target = make_target(
            export.get("target", "single"), export["labels"], export.get("label_thresholds")
        )
        self.session = self._single if parallel else self._open()
        outputs = {output.name: output.shape for output in self.session.get_outputs()}
        num_labels = outputs["probabilities"][-1]
        if num_labels != len(self.target.labels):
            raise UserError(
                f"{directory / record.EXPORT} names {len(self.target.labels)} labels, and the "
                f"model has {num_labels}: the files are of two exports. Export the run again."
            )
        self.can_explain = len(outputs) > 1

    def outputs(self, sequences: Sequences, explain: bool = False) -> Outputs:
        names = list(Outputs._fields if explain else Outputs._fields[:1])
        lengths = np.minimum(sequences.lengths, self.input.sequence_length)
        batches = list(_batches(lengths))
        rows = [None] * len(sequences)

        def run(session, indices):
            inputs = sequences.inputs(indices, int(lengths[indices[-1]]))
            found = session.run(names, inputs)
            for i, is_real, row in zip(
                indices, real_tokens(inputs), zip(*found, strict=True), strict=True
            ):
                rows[i] = row[0], *(part[is_real] for part in row[1:])

        if len(batches) == 1 or self.num_parallel > 1:
            for batch in batches:
                run(self.session, batch)
        else:
            with concurrent.futures.ThreadPoolExecutor(len(available_cores())) as threads:
                # From long to short, so that all cores end at about the same time.
                list(threads.map(functools.partial(run, self._single), reversed(batches)))
        probabilities, *tokens = zip(*rows, strict=True)
        return Outputs(np.stack(probabilities), *map(list, tokens))

    @functools.cached_property
    def _single(self):
        """A session that computes on the core of its caller: side by side, batches lose less.

        Cores that share the products of one small batch wait for each other after each of them.
        """
        return self._open(intra_op_num_threads=1)

    def _open(self, **options):
        """A session of ONNX Runtime with some of its options."""
        chosen = onnxruntime.SessionOptions()
        for name, value in options.items():
            setattr(chosen, name, value)
        # On a CPU the fused operator takes four times as long as the two that it stands for.
        with record.loading(self._path, AGAIN):
            session = onnxruntime.InferenceSession(
                self._path, chosen, disabled_optimizers=["SkipLayerNormFusion"]
            )
            parts = [*session.get_inputs(), *session.get_outputs()]
            if not {part.name for part in parts} >= {*self.input.input_names, "probabilities"}:
                raise ValueError("it is another kind of model")
        return session


def _batches(lengths):
    """Positions of sequences of like length, from short to long."""
    batch, num_tokens = [], 0
    for i in np.argsort(lengths, kind="stable").tolist():
        padded = (len(batch) + 1) * lengths[i]
        num_tokens += lengths[i]
        if batch and (len(batch) == _BATCH_SIZE or padded - num_tokens > _PADDING):
            yield batch
            batch, num_tokens = [], lengths[i]
        batch.append(i)
    if batch:
        yield batch
