"""What whole runs and pretrained encoders need in tests: a toy corpus, toy sizes, toy encoders."""

import collections
import multiprocessing
import random
import signal
import time

import keras
import keras_hub
import numpy as np
import pytest

from emotion_keras import fit as fit_module
from emotion_keras import study
from emotion_keras.inputs.text import TextInput

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


def pytest_collection_modifyitems(items):
    """Tests once what the backend has no part in; with torch, whose processes start fastest."""
    if keras.backend.backend() != "torch":
        skip = pytest.mark.skip(reason="the same on every backend, and tested with torch")
        for item in items:
            if item.get_closest_marker("one_backend"):
                item.add_marker(skip)


@pytest.fixture(autouse=True)
def float32():
    """Leaves the global precision as it was."""
    yield
    keras.config.set_dtype_policy("float32")


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
def toy(corpus_path, tmp_path):
    """Options of a run of a second or two."""
    return {**TOY, "data": str(corpus_path), "runs_dir": str(tmp_path / "runs")}


@pytest.fixture
def fit(toy):
    """Trains at toy size; returns the run's folder."""
    return lambda **options: fit_module.fit(**{**toy, **options}, notify=lambda message: None)


@pytest.fixture
def runs_here(monkeypatch):
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
            yield study.Ended(task, *study._run(fit_module.fit, task.options, cache))

    monkeypatch.setattr(study, "run_tasks", run_tasks)
    return made


@pytest.fixture(scope="session")
def forked():
    """Context of processes that are forked from one that has imported all: at once, not in 10 s."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["emotion_keras.fit", "emotion_keras.compare", "tuning.search"])
    return context


@pytest.fixture
def quick_processes(forked, monkeypatch):
    """Makes the processes of a study start at once."""
    monkeypatch.setattr(study, "PROCESSES", forked)


@pytest.fixture
def kill_ten_times(forked):
    """Runs one command to its end, and another ten times, killed at random moments.

    The processes that they start are forked, too, and must end by themselves when they are gone.
    """

    def start(module, arguments):
        code = (
            "import multiprocessing, os, sys; from emotion_keras import study\n"
            "study.PROCESSES = multiprocessing.get_context('fork')\n"
            "sys.stdout = open(os.devnull, 'w')\n"
            f"from {module} import main\n"
            f"sys.exit(main({arguments!r}))"
        )
        process = forked.Process(target=exec, args=(code, {}))
        process.start()
        return process

    def kill(module, whole, killed):
        begin = time.monotonic()
        process = start(module, whole)
        process.join()
        seconds = time.monotonic() - begin
        assert process.exitcode == 0
        chance, codes = random.Random(0), []
        for _ in range(10):
            process = start(module, killed)
            # Half of the time: what was done before is not made again.
            process.join(chance.uniform(0, seconds / 2))
            process.kill()
            process.join()
            codes.append(process.exitcode)
        assert set(codes) <= {0, -signal.SIGKILL} and codes.count(-signal.SIGKILL) > 1

    return kill


@pytest.fixture(scope="session")
def gated_run(corpus_path, tmp_path_factory):
    """Folder of a finished run of the gated Transformer at toy size; for reading alone."""
    options = {**TOY, "data": str(corpus_path), "runs_dir": str(tmp_path_factory.mktemp("runs"))}
    return fit_module.fit(**options, notify=lambda message: None)


@pytest.fixture
def command(toy):
    """The arguments of the command for a toy run, with changes: `None` leaves an option out."""

    def make(**options):
        given = {k: v for k, v in {**toy, **options}.items() if v is not None}
        return [f"--{name.replace('_', '-')}={value}" for name, value in given.items()]

    return make


@pytest.fixture(scope="session")
def minilm():
    return TextInput([], encoder="minilm", encoder_dropout=0.0)


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
