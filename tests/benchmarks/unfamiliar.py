"""Tells texts unlike the training data: a run on ISEAR, other texts -> AUROC by signal.

The texts that a run should know are those of its test split. The others are posts of BRIGHTER in
three languages, and licences, descriptions and source code of the Python packages installed here.
"""

import argparse
import importlib.metadata
import re
from pathlib import Path

import history
import numpy as np
import pandas as pd

# Texts of a kind at most, and which of the nearest neighbours is looked at.
NUM_TEXTS, NEIGHBOUR = 1000, 10
POSTS = {"English posts": "eng_*.csv", "German posts": "deu_*.csv", "Spanish posts": "esp_*.csv"}
# The signal that `predict` flags by.
OURS = "rare words"
# The least AUROC that is wanted of it, but for posts in the language of the training data.
WANTED = 0.9


def posts(folder):
    return {
        kind: pd.concat([pd.read_csv(path) for path in sorted(folder.glob(pattern))])["text"]
        for kind, pattern in POSTS.items()
    }


def texts_of_packages():
    """Paragraphs of licences and descriptions, and stretches of source code."""
    found = {"licences": [], "descriptions": [], "source code": []}
    for package in importlib.metadata.distributions():
        found["descriptions"] += paragraphs(package.metadata.get_payload() or "")
        files = [file for file in package.files or () if file.locate().is_file()]
        for file in files:
            if re.search("LICEN[SC]E", file.name):
                found["licences"] += paragraphs(read(file))
        for file in [file for file in files if file.suffix == ".py"][:20]:
            lines = [line for line in read(file).splitlines() if line.strip()][:100]
            found["source code"] += ["\n".join(lines[i : i + 5]) for i in range(0, len(lines), 5)]
    return {kind: list(dict.fromkeys(texts)) for kind, texts in found.items()}


def read(file):
    return file.locate().read_text("utf-8", "replace")


def paragraphs(text):
    """The paragraphs of a text that are about as long as an answer of ISEAR."""
    parts = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text))
    return [part for part in parts if 5 <= len(part.split()) <= 60]


def sample(texts):
    chosen = np.random.default_rng(0).permutation(len(texts))[:NUM_TEXTS]
    return [list(texts)[i] for i in chosen]


class Signals:
    """What may tell that a text is unlike those of a training split: the higher, the more unlike.

    Args:
        predictor: `Predictor` of a run of a network of texts.
        texts: Texts of its training split.
        class_ids: Integer array, their labels.
        val: Texts of its validation split.
    """

    def __init__(self, predictor, texts, class_ids, val):
        import keras

        from emotion_keras.inference.familiarity import Familiarity

        self.reader = predictor.model.input
        network = predictor.model.network
        head = network.get_layer("classifier")
        self.pooled = keras.Model(network.input, head.input)
        self.kernel, self.bias = map(np.asarray, head.get_weights())
        vectors = self.vectors(texts)
        self.units, self.mean = unit(vectors), vectors.mean(axis=0)
        self.means = np.stack([vectors[class_ids == i].mean(axis=0) for i in range(len(self.bias))])
        self.whole = np.linalg.pinv(np.cov((vectors - self.mean).T))
        self.within = np.linalg.pinv(np.cov((vectors - self.means[class_ids]).T))
        self.familiarity = Familiarity.learn(predictor.model.modality, texts, val)
        self.tokens = np.unique(self.reader.encode(texts).values)

    def vectors(self, texts):
        from emotion_keras.inference.prediction import predict

        return predict(
            self.pooled,
            self.reader.encode(texts),
            feature=self.reader.feature,
            sequence_length=self.reader.sequence_length,
        )

    def __call__(self, texts):
        from scipy.special import logsumexp

        vectors, sequences = self.vectors(texts), self.reader.encode(texts)
        logits = vectors @ self.kernel + self.bias
        energy = -logsumexp(logits, axis=1)
        logs = logits + energy[:, None]
        near = np.sort(1 - unit(vectors) @ self.units.T, axis=1)
        of_label = np.min([squared(vectors - mean, self.within) for mean in self.means], axis=0)
        of_all = squared(vectors - self.mean, self.whole)
        is_new = ~np.isin(sequences.values, self.tokens)
        return {
            "1 - highest probability": 1 - np.exp(logs.max(axis=1)),
            "entropy": -(np.exp(logs) * logs).sum(axis=1),
            "energy": energy,
            "small norm of the pooled vector": -np.linalg.norm(vectors, axis=1),
            "Mahalanobis distance": of_label,
            "relative Mahalanobis distance": of_label - of_all,
            "cosine distance, nearest": near[:, 0],
            f"cosine distance, {NEIGHBOUR}th nearest": near[:, NEIGHBOUR - 1],
            "unseen word pieces": np.add.reduceat(is_new, sequences.offsets[:-1], dtype=float)
            / sequences.lengths,
            OURS: np.array([self.familiarity.strangeness(text) for text in texts]),
        }


def unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def squared(differences, inverse):
    return ((differences @ inverse) * differences).sum(axis=1)


def measure(run, brighter):
    """Data frames by signal and kind of text: AUROC, and the share of texts beyond the limit."""
    from sklearn.metrics import roc_auc_score

    from emotion_keras import record
    from emotion_keras.data import read_dataset
    from emotion_keras.inference.predictor import Predictor
    from emotion_keras.training.settings import Settings

    predictor = Predictor.load(run)
    data = Settings.from_record(record.read_run(run)).data
    dataset = read_dataset(data, {}, notify=lambda message: None)
    val = dataset.cells("val")
    signals = Signals(predictor, dataset.cells("train"), dataset.truth("train").argmax(axis=1), val)
    modality = predictor.model.modality
    known, limits = signals(dataset.cells("test")), signals(val)
    limits = {name: np.quantile(values, 0.99) for name, values in limits.items()}
    aurocs, flagged = {}, {"its test texts": {n: np.mean(v > limits[n]) for n, v in known.items()}}
    for kind, texts in (posts(brighter) | texts_of_packages()).items():
        cells = modality.prepare(sample(texts), predictor.preparation)
        found = signals([cell for cell in cells if not modality.flaw(cell)])
        flagged[kind] = {name: np.mean(values > limits[name]) for name, values in found.items()}
        aurocs[kind] = {
            name: roc_auc_score(
                np.repeat([0, 1], [len(known[name]), len(values)]),
                np.concatenate([known[name], values]),
            )
            for name, values in found.items()
        }
    return pd.DataFrame(aurocs), pd.DataFrame(flagged)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a run of a network on ISEAR")
    parser.add_argument("--brighter", type=Path, required=True, help="folder of BRIGHTER's CSVs")
    history.add_option(parser)
    arguments = parser.parse_args()
    aurocs, flagged = measure(arguments.run, arguments.brighter)
    print(f"AUROC (of {OURS} at least {WANTED}, but for English posts):")
    print(aurocs.round(3).to_string())
    print("\nShare of texts beyond the 99th percentile of the validation split:")
    print(flagged.round(3).to_string())
    if arguments.record:
        figures = {"auroc": aurocs.T.round(3).to_dict(), "flagged": flagged.loc[OURS].round(3)}
        history.record(figures | {"flagged": figures["flagged"].to_dict()})


if __name__ == "__main__":
    main()
