"""An exported model, run by ONNX Runtime: neither Keras nor a framework is needed."""

import concurrent.futures
import functools
from pathlib import Path

import numpy as np
import onnxruntime

from emotion_keras import record
from emotion_keras.inference.outputs import Outputs
from emotion_keras.inputs.word_pieces import WordPieceTokenizer
from emotion_keras.machine.cores import available_cores

_AGAIN = "Export the run again: python -m emotion_keras.export RUN"
_BATCH_SIZE = 16
# Tokens of padding that a batch may have: a batch costs about as much as ten tokens more.
_PADDING = 10


class ExportedNetwork:
    """A model in the format of ONNX, with its tokenizer.

    Args:
        directory: Folder that `emotion_keras.export` wrote.
        sequence_length: Longest length in tokens.
        parallel: See `Predictor.load`.

    Attributes:
        tokenizer: The tokenizer.
        sequence_length: As given.
        num_classes: Number of labels.
        can_explain: Whether it gives gates and contributions.
        num_parallel: How many threads may ask for outputs at the same time.
        session: `onnxruntime.InferenceSession`.
    """

    def __init__(self, directory, sequence_length, parallel=False):
        directory = Path(directory)
        self._path = directory / record.ONNX
        self.num_parallel = len(available_cores()) if parallel else 1
        self.session = self._single if parallel else _session(self._path)
        with record.loading(directory / WordPieceTokenizer.FILE, _AGAIN):
            self.tokenizer = WordPieceTokenizer.load(directory)
        self.sequence_length = sequence_length
        outputs = {output.name: output.shape for output in self.session.get_outputs()}
        self.num_classes = outputs["probabilities"][-1]
        self.can_explain = len(outputs) > 1

    def outputs(self, sequences, explain=False):
        """What the model says of sequences; see `TrainedNetwork.outputs`."""
        names = list(Outputs._fields if explain else Outputs._fields[:1])
        lengths = np.minimum(sequences.lengths, self.sequence_length)
        batches = list(_batches(lengths))
        rows = [None] * len(sequences)

        def run(session, indices):
            token_ids, mask = sequences.pad(indices, int(lengths[indices[-1]]))
            found = session.run(names, {"token_ids": token_ids, "padding_mask": mask})
            for i, row in zip(indices, zip(*found, strict=True), strict=True):
                rows[i] = row[0], *(part[: lengths[i]] for part in row[1:])

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
        return _session(self._path, intra_op_num_threads=1)


def _session(path, **options):
    """A session of ONNX Runtime with some of its options."""
    chosen = onnxruntime.SessionOptions()
    for name, value in options.items():
        setattr(chosen, name, value)
    # On a CPU the fused operator takes four times as long as the two that it stands for.
    with record.loading(path, _AGAIN):
        session = onnxruntime.InferenceSession(
            path, chosen, disabled_optimizers=["SkipLayerNormFusion"]
        )
        inputs, outputs = session.get_inputs(), session.get_outputs()
        names = {one.name for one in [*inputs, *outputs]}
        if not names >= {"token_ids", "padding_mask", "probabilities"}:
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
