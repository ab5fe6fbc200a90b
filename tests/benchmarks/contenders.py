"""What `training_throughput` measures, each in a process of its own: `contenders.py NAME JOB`.

`JOB` is a JSON file of arguments. The last line of the output is the result, in JSON.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

MODEL = "gated_transformer"


def sample(job):
    """Takes texts of the training split that have the mix of lengths of all of it.

    Args:
        job: Dictionary of `data`, the corpus, and `num_texts`, how many texts to take.

    Returns:
        Dictionary of `texts` with their `label_ids` and `lengths` in tokens, in random order;
        `num_labels`; `num_train`, the size of the whole split; `num_matmul_weights`, the
        encoder's weights that are multiplied with every token; and `fast_bfloat16`, whether this
        device multiplies bfloat16 fast.
    """
    from emotion_keras.data import read_dataset
    from emotion_keras.inputs.pretrained import load_tokenizer
    from emotion_keras.inputs.text_encoders import find_encoder
    from emotion_keras.machine import devices
    from emotion_keras.training.settings import Settings

    dataset = read_dataset(Settings.make(model=MODEL, data=job["data"]).data, {})
    texts, label_ids = dataset.cells("train"), dataset.truth("train").argmax(axis=1)
    lengths = load_tokenizer(find_encoder("minilm")).encode(texts, 512).lengths
    # At even distances from the shortest to the longest.
    places = (np.arange(job["num_texts"]) + 0.5) * len(texts) / job["num_texts"]
    chosen = np.argsort(lengths, kind="stable")[places.astype(int)]
    chosen = np.random.default_rng(0).permutation(chosen)
    config = json.loads((find_encoder("minilm").folder() / "config.json").read_text())
    dim = config["hidden_size"]
    weights_of_layer = 4 * dim * dim + 2 * dim * config["intermediate_size"]
    return {
        "texts": [texts[i] for i in chosen],
        "label_ids": label_ids[chosen].tolist(),
        "lengths": lengths[chosen].tolist(),
        "num_labels": len(dataset.corpus.labels),
        "num_train": len(texts),
        "num_matmul_weights": config["num_hidden_layers"] * weights_of_layer,
        "fast_bfloat16": devices.resolve_precision("auto") == "mixed_bfloat16",
    }


def matmul(job):
    """Multiplies matrices of 2048 x 2048.

    Args:
        job: Dictionary of `precisions`, names of Keras dtype policies.

    Returns:
        Dictionary of the best speed of five tries by precision.
    """
    return {
        precision: max(_matmul_flops_per_second(precision) for _ in range(5))
        for precision in job["precisions"]
    }


def _matmul_flops_per_second(precision: str, size: int = 2048, seconds: float = 0.5) -> float:
    """Measures how fast this device multiplies matrices.

    Args:
        precision: Name of a Keras dtype policy; its compute type is measured.
        size: Integer, rows and columns of the matrices.
        seconds: Float, how long to measure.

    Returns:
        Floating-point operations a second.
    """
    import keras

    dtype = keras.DTypePolicy(precision).compute_dtype
    matrix = keras.ops.cast(np.random.default_rng(0).random((size, size)), dtype)
    np.asarray(keras.ops.cast(keras.ops.matmul(matrix, matrix)[0, 0], "float32"))
    products, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        product = keras.ops.matmul(matrix, matrix)
        # Reading a number makes an asynchronous device finish.
        keras.ops.convert_to_numpy(keras.ops.cast(product[0, 0], "float32"))
        products += 1
    return 2 * size**3 * products / elapsed


def emotion_keras_fit(job):
    """Trains as `fit` does: its own `train`, on its own batches; the first epoch is a warm-up.

    Args:
        job: A sample, with `batch_size` and `options`, those that differ from the defaults.

    Returns:
        See `_result`.
    """
    import keras

    from emotion_keras.inputs.text import TextInput
    from emotion_keras.machine import devices
    from emotion_keras.targets import SingleLabel
    from emotion_keras.training.loop import train
    from emotion_keras.training.settings import Settings

    two_epochs = {"batch_size": job["batch_size"], "epochs": 2, "patience": 0}
    settings = Settings.make(model=MODEL, **job["options"], **two_epochs)
    precision = devices.resolve_precision("auto")
    keras.utils.set_random_seed(0)
    text = TextInput.learn(job["texts"], settings.inputs)
    target = SingleLabel(map(str, range(job["num_labels"])))
    sequences = text.encode(job["texts"])
    truth = target.encode(list(map(str, job["label_ids"])))
    few = np.arange(job["batch_size"])

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.start = time.process_time()

        def on_train_batch_end(self, batch, logs=None):
            self.cpu_seconds = time.process_time() - self.start

    clock = Clock()
    with (
        devices.chosen_kernels(),
        devices.data_parallel(),
        tempfile.TemporaryDirectory() as directory,
    ):
        embedded = text.embed(dtype=precision)
        model = settings.hyperparameters.build(embedded, target, precision)
        outcome = train(
            model,
            (sequences, truth),
            (sequences.take(few), truth[few]),
            target=target,
            sequence_length=text.sequence_length,
            seed=0,
            directory=directory,
            callbacks=[clock],
            options=settings.training,
        )
    # The seconds of an epoch are of its steps alone, without validation and saving.
    seconds = outcome["history"][1]["seconds"]
    times = seconds, clock.cpu_seconds
    return _result(job, len(sequences), times, precision, text.sequence_length)


def keras_hub_classifier(job):
    """Trains with keras-hub's `BertTextClassifier.fit` on strings, as its documentation does.

    Each step computes as many tokens, whatever the texts: a few of them are enough.

    Args:
        job: A sample, with `batch_size`, `precision`, `num_steps` and `sequence_length`, which is
            the preset's where `None`.

    Returns:
        See `_result`.
    """
    import keras
    import keras_hub

    from emotion_keras.inputs.text_encoders import find_encoder

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.start = _times()

        def on_epoch_end(self, epoch, logs=None):
            self.times = _times() - self.start

    classifier = keras_hub.models.BertTextClassifier.from_preset(
        str(find_encoder("minilm").folder()), num_classes=job["num_labels"], dtype=job["precision"]
    )
    if job["sequence_length"]:
        classifier.preprocessor.sequence_length = job["sequence_length"]
    texts, label_ids = np.array(job["texts"]), np.array(job["label_ids"])
    clock, batch_size = Clock(), job["batch_size"]
    for num_steps in (3, job["num_steps"]):
        size = num_steps * batch_size
        classifier.fit(
            texts[:size], label_ids[:size], batch_size=batch_size, verbose=0, callbacks=[clock]
        )
    length = classifier.preprocessor.sequence_length
    return _result(job, size, clock.times, job["precision"], length)


def transformers_trainer(job):
    """Trains with transformers' `Trainer` on encoded texts; the first epoch is a warm-up.

    Args:
        job: A sample, with `batch_size` and `at_its_best`: whether to group texts by length and,
            where the device is fast at it, to compute in bfloat16, or to do as most people do:
            neither, and pad a batch to its longest.

    Returns:
        See `_result`.
    """
    import torch
    import transformers
    from transformers.trainer_pt_utils import get_length_grouped_indices

    from emotion_keras.inputs.text_encoders import find_encoder

    folder, best = str(find_encoder("minilm").folder()), job["at_its_best"]
    bfloat16 = best and job["fast_bfloat16"]
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(
        folder, num_labels=job["num_labels"], dtype="float32"
    )
    encoded = tokenizer(job["texts"], truncation=True)
    rows = [
        {"input_ids": ids, "attention_mask": mask, "labels": label}
        for ids, mask, label in zip(
            encoded["input_ids"], encoded["attention_mask"], job["label_ids"], strict=True
        )
    ]

    class Grouped(torch.utils.data.Sampler):
        """As `Trainer` groups by length, in groups of the size that the whole split would have.

        Its groups shrink with the number of texts, and with them the gain.
        """

        def __len__(self):
            return len(rows)

        def __iter__(self):
            lengths = [len(row["input_ids"]) for row in rows]
            size = min(job["num_train"] // (4 * job["batch_size"]), 50)
            return iter(get_length_grouped_indices(lengths, job["batch_size"], size))

    class Trainer(transformers.Trainer):
        def _get_train_sampler(self, *args):
            return Grouped() if best else super()._get_train_sampler(*args)

    class Clock(transformers.TrainerCallback):
        def on_epoch_begin(self, *args, **kwargs):
            self.start = _times()

        def on_epoch_end(self, *args, **kwargs):
            self.times = _times() - self.start

    clock = Clock()
    with tempfile.TemporaryDirectory() as directory:
        arguments = transformers.TrainingArguments(
            directory,
            num_train_epochs=2,
            per_device_train_batch_size=job["batch_size"],
            learning_rate=1e-4,
            bf16=bfloat16,
            use_cpu=not torch.cuda.is_available(),
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        trainer = Trainer(
            model, arguments, train_dataset=rows, processing_class=tokenizer, callbacks=[clock]
        )
        trainer.train()
    precision = "mixed_bfloat16" if bfloat16 else "float32"
    return _result(job, len(rows), clock.times, precision, tokenizer.model_max_length)


def _times():
    """Seconds by the clock, and seconds of CPU time of this process on all cores."""
    return np.array([time.perf_counter(), time.process_time()])


def _result(job, num_texts, times, precision, sequence_length):
    """What a contender did in the timed part.

    Returns:
        Dictionary of `num_texts`, `num_tokens` (without padding, cut to `sequence_length`),
        `seconds` by the clock, `cpu_seconds`, `precision` and `sequence_length`.
    """
    lengths = np.array(job["lengths"][:num_texts])
    seconds, cpu_seconds = map(float, times)
    return {
        "num_texts": num_texts,
        "num_tokens": int(np.minimum(lengths, sequence_length).sum()),
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "precision": precision,
        "sequence_length": sequence_length,
    }


CONTENDERS = (sample, matmul, emotion_keras_fit, keras_hub_classifier, transformers_trainer)

if __name__ == "__main__":
    name, path = sys.argv[1:]
    contender = {function.__name__: function for function in CONTENDERS}[name]
    print("\n" + json.dumps(contender(json.loads(Path(path).read_text()))))
