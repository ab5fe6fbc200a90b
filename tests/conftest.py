"""What whole runs and pretrained encoders need in tests: a toy corpus, toy sizes, toy encoders."""

import collections
import gc
import multiprocessing

import keras
import keras_hub
import numpy as np
import pytest

from emotion_keras.inference import latency
from emotion_keras.inputs.text import TextInput
from emotion_keras.machine.terminal import _Output
from emotion_keras.studies import study
from emotion_keras.training import run as training_run

WORDS = {
    "joy": "laughed sang danced sunny gift party won".split(),
    "fear": "dark alone trembled hid storm noise fell".split(),
    "anger": "shouted lied stole broke rude unfair late".split(),
}
SHARED = "we i they at home in the street when my friend came and then it was".split()

TOY = {
    "encoder": "scratch",
    "vocabulary_size": 120,
    "sequence_length": 16,
    "embedding_dim": 8,
    "num_layers": 1,
    "num_heads": 2,
    "intermediate_dim": 8,
    "batch_size": 16,
    "epochs": 2,
    "learning_rate": 0.01,
    "precision": "float32",
}

# Fixtures that several rooms use.
pytest_plugins = (
    "tests.fixtures.checkpoints",
    "tests.fixtures.images",
    "tests.fixtures.records",
    "tests.fixtures.recordings",
    "tests.fixtures.fused",  # After those that it imports.
    "tests.fixtures.service",
    "tests.fixtures.vectors",
)

# What was imported stays: else half of the time of a toy run goes into looking for garbage in it.
gc.freeze()


@pytest.fixture(autouse=True)
def float32():
    """Leaves the global precision as it was."""
    yield
    keras.config.set_dtype_policy("float32")


@pytest.fixture
def write(tmp_path):
    """Writes a file of bytes, or of a text in UTF-8; returns its path."""

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture(scope="session")
def corpus_path(tmp_path_factory):
    """A CSV of 120 texts of 3 to 12 words that one word in three gives away."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(120):
        label = list(WORDS)[number % 3]
        words = [rng.choice(WORDS[label] if rng.random() < 0.35 else SHARED) for _ in range(11)]
        words = [WORDS[label][number % 7], *words[: 2 + number % 10], f"on day {number}"]
        rows.append(f"{' '.join(words)},{label}")
    path = tmp_path_factory.mktemp("corpus") / "days.csv"
    path.write_text("text,label\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture
def quick_measures(monkeypatch):
    """Measures the machine for a moment: what a run costs is not what its tests look at."""
    median = latency._median_milliseconds
    monkeypatch.setattr(
        latency, "_median_milliseconds", lambda predict, texts, repeats: median(predict, texts, 1)
    )
    monkeypatch.setattr(latency, "_SHORTEST_SECONDS", 0.0)


@pytest.fixture
def toy(corpus_path, tmp_path, quick_measures):
    """Options of a run of a second or two."""
    return {**TOY, "data": str(corpus_path), "runs_dir": str(tmp_path / "runs")}


@pytest.fixture
def fit(toy):
    """Trains at toy size; returns the run's folder."""
    return lambda **options: training_run.fit(**{**toy, **options}, notify=lambda message: None)


@pytest.fixture
def runs_here(monkeypatch, quick_measures):
    """Makes the runs of studies in this process; lists their tasks.

    That processes of their own make the same, test_study.py says.
    """
    made = []

    def run_tasks(tasks, *, cache, on_start=lambda task: None, **_):
        waiting = tasks if isinstance(tasks, collections.deque) else collections.deque(tasks)
        while waiting:
            task = waiting.popleft()
            made.append(task)
            on_start(task)
            yield study.Ended(task, *study._run(training_run.fit, task.options, cache))

    monkeypatch.setattr(study, "run_tasks", run_tasks)
    return made


class Forked:
    """Starts processes as a context of multiprocessing does: at once, not in 10 s.

    They are forked from one that has imported all, and so are those that they start.
    """

    _CODE = (
        "import multiprocessing; from emotion_keras.studies import study\n"
        "study.PROCESSES = multiprocessing.get_context('fork')\n"
        "target(*arguments)"
    )

    def __init__(self):
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(
            [
                "emotion_keras.training.run",
                "emotion_keras.compare",
                "tuning.search",
                "skops.io",
                "grpc",
            ]
        )
        self.Pipe = self._context.Pipe

    def Process(self, *, target, args, name=None):
        known = {"target": target, "arguments": args}
        return self._context.Process(name=name, target=exec, args=(self._CODE, known))


@pytest.fixture(scope="session")
def forked():
    return Forked()


@pytest.fixture
def quick_processes(forked, monkeypatch):
    """Makes the processes of a study start at once."""
    monkeypatch.setattr(study, "PROCESSES", forked)


def _metrics(labels):
    names = ("accuracy", "macro_f1", "weighted_f1", "auc", "log_loss", "brier_score", "ece")
    of_label = {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 1}
    return {
        **dict.fromkeys(names, 0.5),
        "num_examples": len(labels),
        "per_label": dict.fromkeys(labels, of_label),
        "confusion_matrix": np.eye(len(labels), dtype=int).tolist(),
    }


@pytest.fixture(scope="session")
def make_record():
    """The record of a run that never was; arguments are what differs, or is beyond."""

    def make(labels=("joy", "fear"), **changes):
        costs = ("seconds", "examples_per_second")
        costs += tuple(f"milliseconds_for_{number}" for number in ("1_text", "256_texts"))
        whole = {
            "run_id": "cnn-seed0-00000000",
            "study": "fit",
            "trial": None,
            "model": "cnn",
            "seed": 0,
            "inputs": {"encoder": "scratch", "sequence_length": 16},
            "hyperparameters": {},
            "training": {},
            "corpus": {
                "name": "days",
                "sha256": "0" * 64,
                "licence": "CC0",
                "labels": list(labels),
                "reading": {"data": "days.csv"},
                "preparation": {"clean": True, "normalize_punctuation": True},
                "protocol": {"split_seed": 0},
            },
            "metrics": {split: _metrics(labels) for split in ("val", "test")},
            "best_epoch": 1,
            "num_parameters": 7,
            "cost": {**dict.fromkeys(costs, 1.0), "peak_memory_bytes": 1},
            "environment": {"backend": "torch"},
        }
        return whole | changes

    return make


@pytest.fixture(scope="session")
def gated_run(corpus_path, tmp_path_factory):
    """Folder of a finished run of the gated Transformer at toy size; for reading alone."""
    options = {**TOY, "data": str(corpus_path), "runs_dir": str(tmp_path_factory.mktemp("runs"))}
    return training_run.fit(**options, notify=lambda message: None)


@pytest.fixture
def terminal(monkeypatch):
    """Makes standard output a terminal, which is what it is for commands."""
    monkeypatch.setattr(_Output, "isatty", lambda self: True, raising=False)
    monkeypatch.setattr("rich._console", None)  # It keeps the width that it has seen first.


@pytest.fixture
def command(toy):
    """The arguments of the command for a toy run, with changes: `None` leaves an option out."""

    def make(**options):
        given = {k: v for k, v in {**toy, **options}.items() if v is not None}
        return [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]

    return make


@pytest.fixture(scope="session")
def minilm():
    return TextInput.learn([], encoder="minilm", encoder_dropout=0.0)


@pytest.fixture(scope="session")
def minilm_embedded(minilm):
    return minilm.embed()


TEN_WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    "[MASK]",
    "we",
    "laughed",
    "hid",
    "shouted",
    "cafe",
]


SMALL_ENCODER = {
    "num_heads": 2,
    "hidden_dim": 8,
    "intermediate_dim": 16,
    "max_sequence_length": 32,
    "dtype": "float32",
}


@pytest.fixture(scope="session")
def toy_bert(tmp_path_factory):
    """Folder of a preset: a BERT of ten words with its tokenizer."""
    folder = tmp_path_factory.mktemp("presets") / "toy_bert"
    keras.utils.set_random_seed(1)
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=len(TEN_WORDS),
        num_layers=2,
        **SMALL_ENCODER,
    )
    # As they start, its weights are so small that all texts have the same pooled output.
    for variable in backbone.trainable_variables:
        if "kernel" in variable.path or "embeddings" in variable.path:
            variable.assign(10 * variable)
    backbone.save_to_preset(str(folder))
    keras_hub.models.BertTokenizer(TEN_WORDS, lowercase=True).save_to_preset(str(folder))
    return folder


@pytest.fixture(scope="session")
def toy_distilbert(tmp_path_factory):
    """Folder of a preset that is no BERT: a DistilBERT of ten words with its tokenizer."""
    folder = tmp_path_factory.mktemp("presets") / "toy_distilbert"
    keras.utils.set_random_seed(2)
    keras_hub.models.DistilBertBackbone(
        vocabulary_size=len(TEN_WORDS),
        num_layers=1,
        **SMALL_ENCODER,
    ).save_to_preset(str(folder))
    keras_hub.models.DistilBertTokenizer(TEN_WORDS, lowercase=True).save_to_preset(str(folder))
    return folder


@pytest.fixture(scope="session")
def toy_roberta(tmp_path_factory):
    """Folder of a preset that reads byte pairs: a RoBERTa of a few tokens with its tokenizer."""
    folder = tmp_path_factory.mktemp("presets") / "toy_roberta"
    keras.utils.set_random_seed(3)
    # A blank before a word is part of it, and is written so.
    merges = ["w e", "h i", "hi d", "l a", "la u", "\u0120 hid", "\u0120 lau"]
    tokens = ["<s>", "<pad>", "</s>", "<mask>", *"abcdefghilmnotuw,.!\u0120"]
    tokens += [merge.replace(" ", "") for merge in merges]
    keras_hub.models.RobertaBackbone(
        vocabulary_size=len(tokens),
        num_layers=1,
        **SMALL_ENCODER,
    ).save_to_preset(str(folder))
    vocabulary = {token: i for i, token in enumerate(tokens)}
    keras_hub.models.RobertaTokenizer(vocabulary, merges).save_to_preset(str(folder))
    return folder
