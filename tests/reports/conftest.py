"""Records as runs leave them, made without a model; and what is on a page."""

import gc
import io
import json
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from emotion_keras.evaluation.predictions import probability_columns
from reports.display import figure
from reports.render import render

LABELS = ["joy", "fear", "anger"]
SPLITS = {"val": 30, "test": 90}

BLOCKS = {"num_layers": 2, "num_heads": 4, "intermediate_dim": 256, "pooling": "average"}
HYPERPARAMETERS = {
    "gated_transformer": {**BLOCKS, "gate": "features", "gate_after": "last"},
    "transformer": BLOCKS,
    "cnn": {"num_filters": 64, "filter_widths": [3, 4, 5]},
    "lstm": {"units": 64},
}


def ece(label_ids, probabilities):
    """Expected calibration error with 15 bins, bin by bin."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == label_ids
    found = 0
    for number in range(15):
        inside = (confidence * 15).astype(int) == number
        if inside.any():
            found += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return float(found)


def measure(label_ids, probabilities, labels):
    """The metrics of a run on a split, by scikit-learn."""
    predicted = probabilities.argmax(1)
    ids = range(len(labels))
    one_hot = np.eye(len(labels))[label_ids]
    f1 = metrics.f1_score(label_ids, predicted, labels=ids, average=None, zero_division=0)
    return {
        "accuracy": float(metrics.accuracy_score(label_ids, predicted)),
        "macro_f1": float(f1.mean()),
        "weighted_f1": float(np.average(f1, weights=np.bincount(label_ids, minlength=len(f1)))),
        "auc": float(metrics.roc_auc_score(one_hot, probabilities)),
        "log_loss": float(metrics.log_loss(label_ids, probabilities, labels=ids)),
        "brier_score": float(((probabilities - one_hot) ** 2).sum(1).mean()),
        "ece": ece(label_ids, probabilities),
        "num_examples": len(label_ids),
        "per_label": {
            label: {
                "precision": 0.5,
                "recall": 0.5,
                "f1": float(f1[i]),
                "support": int((label_ids == i).sum()),
            }
            for i, label in enumerate(labels)
        },
        "confusion_matrix": metrics.confusion_matrix(label_ids, predicted, labels=ids).tolist(),
    }


def _make_run(
    study,
    contender,
    seed=0,
    skill=0.7,
    *,
    labels=LABELS,
    corpus="days",
    backend="tensorflow",
    learning_rate=1e-3,
    trial=None,
    name=None,
    predictions=True,
    hyperparameters=None,
):
    """Writes a run's folder below `study`; returns it.

    Its model is right about a text with the probability `skill`.
    """
    model, _, encoder = contender.partition("@")
    name = name or "-".join(filter(None, (model, encoder, trial, f"seed{seed}"))).replace(" ", "_")
    directory = study / name
    directory.mkdir(parents=True)
    rng = np.random.default_rng([seed, sum(map(ord, contender)), int(1000 * skill)])
    rows, found, number = [], {}, 0
    for split, size in SPLITS.items():
        label_ids = np.arange(size) % len(labels)
        wrong = (label_ids + rng.integers(1, len(labels), size)) % len(labels)
        predicted = np.where(rng.random(size) < skill, label_ids, wrong)
        logits = rng.normal(0, 0.5, (size, len(labels)))
        logits[np.arange(size), predicted] = logits.max(1) + rng.uniform(0.1, 2, size)
        probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        found[split] = measure(label_ids, probabilities, labels)
        for label_id, row in zip(label_ids, probabilities, strict=True):
            rows.append(
                {
                    "id": str(number),
                    "split": split,
                    "label": labels[label_id],
                    "predicted": labels[row.argmax()],
                    **dict(zip(probability_columns(labels), row, strict=True)),
                }
            )
            number += 1
    if predictions:
        pd.DataFrame(rows).to_csv(directory / "predictions.csv", index=False)
    epochs = pd.DataFrame({"epoch": [1, 2], "loss": [1.1, 0.9 + seed], "accuracy": [0.4, 0.6]})
    epochs = epochs.assign(val_loss=[1.2, 1.0], val_accuracy=[0.4, 0.5], val_macro_f1=[0.4, 0.5])
    epochs.to_csv(directory / "history.csv", index=False)
    record = {
        "schema_version": 2,
        "run_id": name,
        "study": study.name,
        "trial": trial,
        "model": model,
        "seed": seed,
        "inputs": {"encoder": encoder} if encoder else {},
        "hyperparameters": hyperparameters or HYPERPARAMETERS.get(model, {}),
        "training": {"learning_rate": learning_rate, "precision": "float32"} if encoder else {},
        "corpus": {
            "name": corpus,
            "sha256": (corpus.encode().hex() * 64)[:64],
            "licence": "CC0 (made for tests)",
            "labels": list(labels),
            "num_examples": 420,
            "reading": {"data": f"{corpus}.csv", "text_column": None},
            "preparation": {
                "clean": True,
                "normalize_punctuation": True,
                "labels": None,
                "repeats": "drop",
            },
            "protocol": {
                "split_seed": 0,
                "test_size": 0.2,
                "val_size": 0.1,
                "folds": None,
                "fold": None,
                "train_fraction": 1.0,
                "by_subject": False,
                "num_train": 300,
                "num_val": SPLITS["val"],
                "num_test": SPLITS["test"],
            },
        },
        "metrics": found,
        "best_epoch": 2,
        "num_parameters": 1234,
        "cost": {
            "seconds": 60.0 + seed,
            "examples_per_second": 100.0,
            "milliseconds_for_1_text": 2.5,
            "milliseconds_for_256_texts": 40.0,
            "peak_memory_bytes": 1_500_000_000,
        },
        "environment": {
            "backend": backend if encoder else "scikit-learn",
            "versions": {"keras": "3.15.1"},
            "device": "CPU",
            "precision": "float32",
            "commit": "0123456789abcdef",
        },
    }
    (directory / "run.json").write_text(json.dumps(record))
    return directory


@pytest.fixture(scope="session")
def make_run():
    """Writes a run's folder; see `_make_run`."""
    return _make_run


@pytest.fixture(scope="session")
def change():
    """Changes values of a run's record."""

    def change(directory, **values):
        path = directory / "run.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | values))

    return change


def write(path, **values):
    """Writes a file with the version of records."""
    path.write_text(json.dumps({"schema_version": 2, **values}))


SKILLS = {
    "gated_transformer@minilm": 0.9,
    "bert@minilm": 0.6,
    "transformer@minilm": 0.85,
    "transformer@scratch": 0.5,
    "gated_transformer@scratch": 0.55,
    "cnn@scratch": 0.6,
    "tfidf_svm": 0.65,
}
RATES = {1e-5: 0.5, 1e-4: 0.9, 1e-3: 0.4}
TEXTS = {
    "gift": "The party was a gift for us",
    "script": "<script>alert('text')</script> scared me",
    "formula": "=cmd|' /C calc'!A0",
    "latex": r"I paid 5$ & 10% \input{secret} for_a #1 ~ {x}",
    "turned": "turned \u202eround\u202c and \u200fround again",
    "missing": "NA",
}


def write_study(folder, analysis, points, **more):
    """Writes what an analysis leaves beside its runs, `points` of runs by contender and value."""
    write(
        folder / "sensitivity.json",
        analysis=analysis,
        points=[
            {"contender": name, "value": value, "run_ids": [path.name for path in paths]}
            for (name, value), paths in points.items()
        ],
        **more,
    )


@pytest.fixture
def scored():
    """A row a run of two models at two values, with scores."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "contender": np.repeat(["a@scratch", "b@minilm"], 6),
            "value": np.tile(np.repeat([1e-4, 1e-3], 3), 2),
            "seed": np.tile(range(3), 4),
            "accuracy": rng.uniform(0.5, 0.9, 12),
            "macro_f1": rng.uniform(0.5, 0.9, 12),
            "auc": rng.uniform(0.5, 0.9, 12),
        }
    )


@pytest.fixture(scope="session")
def runs_dir(tmp_path_factory):
    """A folder with a study of each kind."""
    runs = tmp_path_factory.mktemp("records") / "runs"
    made = {
        name: [_make_run(runs / "comparison", name, seed, skill) for seed in range(3)]
        for name, skill in SKILLS.items()
    }
    for directory in made["gated_transformer@minilm"]:
        write_beside(directory)
    ours = "gated_transformer@minilm"
    for analysis, values in (
        ("learning_rate", RATES),
        ("data_ratio", {0.4: 0.6, 1.0: 0.9}),
        ("gate", {"none": 0.6, "features": 0.65, "scalar": 0.5}),
    ):
        points = {
            (ours, value): [
                _make_run(runs / analysis, ours, seed, skill, trial=f"{analysis} {value}")
                for seed in range(3)
            ]
            for value, skill in values.items()
        }
        write_study(runs / analysis, analysis, points)
    tested = [_make_run(runs / "noise", ours, seed, 0.8, trial="noise 0") for seed in range(3)]
    wrong = [_make_run(runs / "noise", ours, seed, 0.7, trial="noise 0.2") for seed in range(3)]
    for seed, directory in enumerate(tested):
        rows = [
            {"kind": kind, "level": level, "accuracy": 0.8 - level - 0.01 * seed, "macro_f1": 0.7}
            for kind in ("typos", "lose_case")
            for level in (0.1, 0.4)
        ]
        scores = {"auc": 0.8, "log_loss": 1.0, "brier_score": 0.5, "ece": 0.1}
        pd.DataFrame(rows).assign(**scores).to_csv(directory / "noise.csv", index=False)
    other = [_make_run(runs / "noise", "cnn@scratch", 0, 0.7, trial="noise 0")]
    points = {("cnn@scratch", 0.0): other, (ours, 0.0): tested, (ours, 0.2): wrong}
    write_study(runs / "noise", "noise", points)
    write_search(runs / "search")
    return runs


def write_beside(directory):
    """Writes the files of texts, gates and layers in a gated run's folder."""
    ids = [str(SPLITS["val"] + number) for number in range(SPLITS["test"])]
    texts = list(TEXTS.values())
    texts = [texts[number % len(texts)] for number in range(len(ids))]
    pd.DataFrame({"id": ids, "text": texts}).to_csv(directory / "texts.csv", index=False)
    rows = [
        {
            "id": name,
            "position": position,
            "word": word,
            "gate": round(0.2 + 0.6 * (len(word) % 7) / 6, 3),
            "contribution": 0.25 - 0.1 * position,
        }
        for name, text in zip(ids, texts, strict=True)
        for position, word in enumerate(text.split())
    ]
    pd.DataFrame(rows).to_csv(directory / "gates.csv", index=False)
    words = {"gift": 0.9, "<b>bold</b>": 0.8, "null": 0.7, "=sum": 0.3, "$x$": 0.2, "the": 0.1}
    pd.DataFrame(
        {"word": list(words), "count": [5, 6, 7, 8, 9, 10], "gate": list(words.values())}
    ).to_csv(directory / "gate_words.csv", index=False)
    write_faithfulness(directory / "faithfulness.csv")
    (directory / "architecture.json").write_text(json.dumps({"layers": LAYERS}))


def write_faithfulness(path):
    """Writes rows in which the gate does no better than random, and contributions do."""
    rows = [
        {
            "order": order,
            "share_of_words": share,
            "measure": measure,
            "num_texts": 90,
            "mean_drop": 0.1234 + share + beyond,
            "mean_drop_low": 0.1034 + share + beyond,
            "mean_drop_high": 0.1434 + share + beyond,
            **{
                name: None if order == "random" else beyond + half
                for name, half in (
                    ("beyond_random", 0),
                    ("beyond_random_low", -0.03),
                    ("beyond_random_high", 0.03),
                )
            },
        }
        for order, gain in (("gate", -0.004), ("contribution", 0.0521), ("random", 0.0))
        for share in (0.1, 0.2, 0.5)
        for measure, beyond in (("comprehensiveness", gain), ("sufficiency", -gain))
    ]
    pd.DataFrame(rows).to_csv(path, index=False)


def _layer(name, kind, inputs, shape, parameters=0):
    return {
        "name": name,
        "type": kind,
        "inputs": inputs,
        "output_shape": shape,
        "parameters": parameters,
    }


LAYERS = [
    _layer("token_ids", "InputLayer", [], [None, None]),
    _layer("padding_mask", "InputLayer", [], [None, None]),
    _layer("embedding", "TokenAndPositionEmbedding", ["token_ids"], [None, None, 8], 100),
    _layer("block", "TransformerEncoder", ["embedding", "padding_mask"], [None, None, 8], 50),
    _layer("block_1", "TransformerEncoder", ["block", "padding_mask"], [None, None, 8], 50),
    _layer("gate", "GatingLayer", ["block_1"], [None, None, 8], 72),
    _layer("pool", "GlobalAveragePooling1D", ["gate", "padding_mask"], [None, 8]),
    _layer("classifier", "Dense", ["pool"], [None, 3], 27),
]


def write_search(folder):
    """Writes a search of seven trials, one of which failed."""
    _make_run(folder, "cnn@scratch", 0, trial="defaults")
    scores = {0.001: [0.50, 0.52], 0.002: [0.60, 0.64], 0.004: [0.55, 0.51]}
    trials = [{"trial": "defaults", "options": {}, "score": 0.5, "run_ids": [], "reason": None}]
    number = 0
    for rate, found in scores.items():
        for batch_size, score in zip((16, 32), found, strict=True):
            number += 1
            options = {"learning_rate": rate, "batch_size": batch_size}
            trial = {"trial": str(number), "options": options, "score": score, "run_ids": []}
            trials.append({**trial, "reason": None})
    failed = {"learning_rate": 0.004, "batch_size": 64}
    trials.append(
        {"trial": "7", "options": failed, "score": None, "run_ids": [], "reason": "<b>memory</b>"}
    )
    write(
        folder / "search.json",
        contender="cnn@scratch",
        space={"learning_rate": [0.001, 0.002, 0.004], "batch_size": [16, 32, 64]},
        oracle="random",
        seed=0,
        runs=[{"seed": 0}],
        trials=trials,
    )


class Page(HTMLParser):
    """What a page holds: tables by caption, baselines, headings, tags and text."""

    def __init__(self, text):
        super().__init__()
        self.tables, self.tags, self.words = {}, [], []
        self._caption = self._row = self._cell = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        if tag == "figcaption":
            self._caption = attrs.get("id", "")
        elif tag == "tr":
            self._row = []
        elif tag in ("td", "th"):
            self._cell = []

    def handle_data(self, data):
        self.words.append(data)
        if self._cell is not None:
            self._cell.append(data)

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self._row.append("".join(self._cell).strip())
            self._cell = None
        elif tag == "tr":
            self.tables.setdefault(self._caption.removeprefix("caption-"), []).append(self._row)

    def table(self, name):
        """A table of the page as a list of dictionaries."""
        head, *rows = self.tables[name]
        return [dict(zip(head, row, strict=True)) for row in rows]

    @property
    def text(self):
        return " ".join("".join(self.words).split())


@pytest.fixture(scope="session")
def rendered(runs_dir, tmp_path_factory):
    """Folder of the page of `runs_dir`, and the exit code."""
    out = tmp_path_factory.mktemp("rendered") / "report"
    with pytest.MonkeyPatch.context() as monkeypatch:
        _keep_garbage(monkeypatch)
        monkeypatch.setattr(figure, "DOTS_PER_INCH", 50)
        return out, render(runs_dir, out=str(out), notify=lambda message: None)


def _keep_garbage(monkeypatch):
    # The correction of p-values collects it each time, which is slow beside a framework.
    monkeypatch.setattr(gc, "collect", lambda: None)


@pytest.fixture
def garbage(monkeypatch):
    """Leaves garbage uncollected."""
    _keep_garbage(monkeypatch)


@pytest.fixture
def compile_latex(tmp_path):
    """Compiles tables as pages of one document; returns what pdfLaTeX says of it."""
    if shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex is installed")

    def compile_all(texts):
        packages = r"\usepackage{array, booktabs, graphicx, longtable}"
        body = "\n\\clearpage\n".join(texts)
        (tmp_path / "all.tex").write_text(
            f"\\documentclass{{article}}\n{packages}\n"
            f"\\begin{{document}}\n{body}\n\\end{{document}}\n",
            encoding="utf-8",
        )
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
        said = done.stdout.decode(errors="replace")
        assert done.returncode == 0, said[-2000:]
        return said

    return compile_all


@pytest.fixture(scope="session")
def read_page():
    """Reads the page in a folder."""
    return lambda out: Page((out / "index.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def page(rendered, read_page):
    return read_page(rendered[0])


@pytest.fixture
def quick(monkeypatch, garbage):
    """Writes figures as SVG alone: their PNG takes most of the time, and `rendered` has them."""

    def write_figure(drawn, path):
        text = io.StringIO()
        drawn.savefig(text, format="svg", metadata={"Date": None})
        return text.getvalue()

    monkeypatch.setattr(figure, "write_figure", figure.styled(write_figure))
