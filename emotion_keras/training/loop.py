"""Training one model, so that a killed run continues as if nothing had happened."""

import contextlib
import os
import signal
import threading
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from emotion_keras import record
from emotion_keras.data.preparation import balance as balance_labels
from emotion_keras.data.preparation import label_weights as find_label_weights
from emotion_keras.errors import UserError
from emotion_keras.inference.prediction import predict
from emotion_keras.inputs.batches import TrainingBatches
from emotion_keras.inputs.sequences import Sequences
from emotion_keras.layers import CLOSING
from emotion_keras.machine import devices
from emotion_keras.targets import Target
from emotion_keras.training.optimizer import make_optimizer
from emotion_keras.training.options import TrainingOptions
from emotion_keras.training.progress import TrainingProgress
from emotion_keras.training.schedule import restart

CHECKPOINT = "checkpoint.npz"

# Of a split: what a model reads, and rows of `Target.encode`, what it is to say.
Examples = tuple[Sequences, np.ndarray]


def train(
    model: keras.Model,
    train_data: Examples,
    val_data: Examples,
    *,
    target: Target,
    sequence_length: int,
    seed: int,
    directory: str | Path,
    options: TrainingOptions | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    resample: Callable[[int], Sequences] | None = None,
    num_answers: int = 0,
    **given: Any,
) -> dict[str, Any]:
    """Trains a model and leaves it with the weights of its best epoch on the validation split.

    After each epoch its state is written to `directory`; called again with the same arguments, it
    continues from there, and on a CPU ends with the very same weights as without the interruption.

    Args:
        model: `keras.Model` from what `Sequences.inputs` gives to probabilities. One that was
            trained before, with arguments that differ in the learning rate and the seed alone, is
            not compiled again; the caller has given it other weights.
        train_data: Pair of `Sequences` and rows of `Target.encode`.
        val_data: Pair of `Sequences` and rows of `Target.encode`.
        target: `Target`, the kind of label.
        sequence_length: Longest padded length.
        seed: Decides order and dropout; the caller seeds the weights.
        directory: Folder for the state.
        options: `TrainingOptions`.
        callbacks: More Keras callbacks.
        resample: Optional function of the epoch, counted from 0, that gives the `Sequences` to
            train on in place of those of `train_data`.
        num_answers: Examples that are predicted once training has ended, for the estimate of how
            long all takes.
        **given: Fields of `TrainingOptions`, in place of the object.

    Returns:
        Dictionary of `history` (a row an epoch), `best_epoch` (counted from 1), `seconds` and
        `examples_per_second` of training alone.

    Raises:
        UserError: If training diverges, its state cannot be written, or on Ctrl-C.
    """
    options = options or TrainingOptions(**given)
    sequences, truth = train_data
    chosen, weights, label_weights = resample, None, None
    if target.several:
        label_weights = find_label_weights(truth, options.balance)
    else:
        positions, class_weight = balance_labels(target.classes(truth), options.balance, seed)
        if len(positions) < len(sequences) or options.balance == "oversample":
            sequences, truth = sequences.take(positions), truth[positions]
            chosen = resample and (lambda epoch: resample(epoch).take(positions))
        if class_weight:
            of_examples = [class_weight[i] for i in target.classes(truth).tolist()]
            weights = np.array(of_examples, "float32")
    batches = TrainingBatches(
        sequences,
        truth,
        batch_size=options.batch_size,
        sequence_length=sequence_length,
        seed=seed,
        sample_weight=weights,
        compiled=devices.resolve_jit(options.jit),
        resample=chosen,
    )
    if model.compiled:
        restart(model.optimizer, options.learning_rate)
    else:
        loss = target.loss(options.label_smoothing, label_weights)
        _compile(model, target, loss, options, options.epochs * len(batches))
    state = TrainingState(
        directory,
        batches,
        val_data,
        target,
        seed=seed,
        patience=options.patience,
        averages=options.weight_average > 0,
    )
    state.restore(model)
    if not state.is_done(options.epochs):
        devices.reuse_memory()
        progress = TrainingProgress(
            batches,
            state.history,
            epochs=options.epochs,
            num_validated=len(val_data[0]),
            num_answers=num_answers,
        )
        with _on_sigint(state.interrupt):
            model.fit(
                batches,
                initial_epoch=len(state.history),
                epochs=options.epochs,
                shuffle=False,
                verbose=0,
                callbacks=[state, progress, *callbacks],
            )
    state.load_best(model)
    seconds = sum(row["seconds"] for row in state.history)
    return {
        "history": state.history,
        "best_epoch": state.best_epoch,
        "seconds": seconds,
        "examples_per_second": len(state.history) * len(sequences) / seconds,
    }


def _compile(model, target, loss, options, num_steps):
    model.compile(
        make_optimizer(model, options, num_steps),
        loss,
        metrics=target.training_metrics(),
        jit_compile=devices.resolve_jit(options.jit),
    )


class TrainingState(keras.callbacks.Callback):
    """Validates after each epoch, keeps the best weights, stops early, and saves all of it.

    Order and dropout of an epoch follow from `(seed, epoch)`, so that weights and the optimizer's
    state at an epoch's end are all that there is to know.

    Args:
        directory: Folder of the state's file.
        batches: `TrainingBatches`.
        val_data: Pair of `Sequences` and rows of `Target.encode`.
        target: `Target`.
        seed: Integer.
        patience: Integer, epochs without a better macro F1 before stopping; 0 never stops.
        averages: Boolean, whether the moving averages of the weights, which the optimizer keeps,
            are validated and kept in place of the weights.
    """

    def __init__(
        self,
        directory: str | Path,
        batches: TrainingBatches,
        val_data: Examples,
        target: Target,
        *,
        seed: int,
        patience: int,
        averages: bool = False,
    ):
        super().__init__()
        self.path = Path(directory) / CHECKPOINT
        self.batches = batches
        self.val_sequences, self.val_truth = val_data
        self.target = target
        self.seed = seed
        self.patience = patience
        self.averages = averages
        self.history = []
        self.best_epoch = 0
        self.best_weights: list[np.ndarray] | None = None
        self._interrupted = False

    def restore(self, model: keras.Model) -> None:
        """Puts the saved state, if there is one, into a compiled model."""
        model.optimizer.build(model.trainable_variables)
        if not self.path.exists():
            return
        remedy = "Delete it, and training begins from the start."
        record.check_archive(self.path, remedy)
        with record.loading(self.path, remedy), np.load(self.path) as saved:
            for i, variable in enumerate(_state_variables(model)):
                variable.assign(saved[f"state_{i}"])
            self.best_epoch = int(saved["best_epoch"])
            self.best_weights = [saved[f"best_{i}"] for i in range(len(_learned(model)))]
            names = saved["history_names"].tolist()
            self.history = [dict(zip(names, row, strict=True)) for row in saved["history"].tolist()]
        for row in self.history:
            row["epoch"] = int(row["epoch"])

    def is_done(self, epochs: int) -> bool:
        """Whether there is nothing left to train."""
        stale = len(self.history) - self.best_epoch
        return len(self.history) >= epochs or bool(self.patience and stale >= self.patience)

    def load_best(self, model: keras.Model) -> None:
        """Gives the model the weights of the best epoch."""
        for variable, value in zip(_learned(model), self.best_weights, strict=True):
            variable.assign(value)

    def interrupt(self, *_: Any) -> None:
        """Stops after the step under way; a second Ctrl-C stops at once."""
        self._interrupted = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if self._interrupted:
            raise UserError(
                f"Stopped in epoch {self._epoch + 1}. The same command continues with that epoch."
            )

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch = epoch
        self.batches.set_epoch(epoch)
        (seed,) = np.random.SeedSequence([self.seed, epoch]).generate_state(1)
        devices.seed_dropout(int(seed))
        for i, state in enumerate(_seed_states(self.model)):
            sequence = np.random.SeedSequence([self.seed, epoch, i])
            state.assign(sequence.generate_state(2, "uint32"))
        # Gates come to the share of words that they are to keep in the first half.
        for closing in _named(self.model, CLOSING):
            closing.assign(min(1.0, 2 * (epoch + 1) / self.params["epochs"]))
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        trained = time.perf_counter()
        best = max((row["val_macro_f1"] for row in self.history), default=-1.0)
        with self._what_is_kept():
            probabilities = predict(
                self.model,
                self.val_sequences,
                sequence_length=self.batches.sequence_length,
            )
            validated = time.perf_counter()
            if not np.isfinite(probabilities).all():
                raise UserError(
                    f"Training has diverged in epoch {epoch + 1}: the model's outputs are no "
                    "numbers. Choose a lower learning rate, or cut the gradient shorter with "
                    "`--clip-norm`."
                )
            found = self.target.validate(self.val_truth, probabilities)
            if found["macro_f1"] > best:
                self.best_epoch = epoch + 1
                self.best_weights = [_numpy(v) for v in _learned(self.model)]
        logs.update({f"val_{name}": value for name, value in found.items()})
        self.history.append(
            {
                "epoch": epoch + 1,
                "loss": float(logs["loss"]),
                "accuracy": float(logs["accuracy"]),
                "val_loss": logs["val_loss"],
                "val_accuracy": logs["val_accuracy"],
                "val_macro_f1": logs["val_macro_f1"],
                "seconds": trained - self._start,
                "val_seconds": validated - trained,
            }
        )
        self._save()
        if self.is_done(self.params["epochs"]):
            self.model.stop_training = True

    @contextlib.contextmanager
    def _what_is_kept(self):
        """Within it the model has the weights that are validated and kept."""
        if not self.averages:
            yield
            return
        variables = self.model.trainable_variables
        own = [_numpy(variable) for variable in variables]
        self.model.optimizer.finalize_variable_values(variables)
        for variable in variables:  # JAX would delete what two variables share.
            variable.assign(_numpy(variable))
        try:
            yield
        finally:
            for variable, value in zip(variables, own, strict=True):
                variable.assign(value)

    def _save(self):
        part = self.path.with_name(f"{CHECKPOINT}.part")
        try:
            with open(part, "wb") as file:
                self._write(file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(part, self.path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise UserError(
                f"The state after epoch {len(self.history)} cannot be written to {self.path}: "
                f"{error.strerror}. What was saved before stays: once there is room, the same "
                "command continues from there."
            ) from error

    def _write(self, file):
        # As numpy.savez does, but one array after the other: together they are the model thrice.
        with zipfile.ZipFile(file, "w") as archive:
            for name, array in self._arrays():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                    np.lib.format.write_array(member, array)

    def _arrays(self):
        for i, variable in enumerate(_state_variables(self.model)):
            yield f"state_{i}", _numpy(variable)
        for i, value in enumerate(self.best_weights):
            yield f"best_{i}", value
        yield "best_epoch", np.array(self.best_epoch)
        yield "history", np.array([list(row.values()) for row in self.history], "float64")
        yield "history_names", np.array(list(self.history[0]))


@contextlib.contextmanager
def _on_sigint(handler):
    if threading.current_thread() is not threading.main_thread():
        yield  # Python lets the main thread alone handle signals.
        return
    previous = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, previous)


def _learned(model):
    """What training changes: weights, and the moving statistics of batch normalization."""
    moving = [v for v in model.non_trainable_variables if v.name.startswith("moving_")]
    return [*model.trainable_variables, *moving]


def _state_variables(model):
    return [*_learned(model), *model.optimizer.variables]


def _seed_states(model):
    return _named(model, "seed_generator_state")


def _named(model, name):
    return [v for v in model.non_trainable_variables if v.name == name]


def _numpy(variable):
    return np.array(keras.ops.convert_to_numpy(variable))
