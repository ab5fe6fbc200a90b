"""Whether the words that an explanation points at are those that a prediction rests on.

After DeYoung et al. 2020 (ERASER): the probability of the predicted label should fall when these
words are deleted (comprehensiveness), and should not when they alone are kept (sufficiency). Any
deletion lowers it, so that what counts is the difference to as many random words.
"""

import itertools
import zlib
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

from emotion_keras import record
from emotion_keras.evaluation.significance import LEVEL, holm, mean_interval

# What words are ranked by, the most important first.
ORDERS = ("gate", "contribution", "random")
SHARES = (0.1, 0.2, 0.5)
MEASURES = ("comprehensiveness", "sufficiency")

# Of a larger test split a sample: 18 changed texts for each of them are to be predicted.
MOST_TEXTS = 200

# The share that a sentence is about.
_IN_WORDS = 0.2
_SEED = 0


def measure_faithfulness(
    explained: list[list[dict[str, Any]]],
    marks: set[str],
    predict: Callable[[list[Any]], np.ndarray],
    part: Callable[[int, list[str], list[int]], Hashable] | None = None,
) -> list[dict[str, Any]]:
    """How far the label's probability falls without the words that an explanation points at.

    A text is taken as its words joined by blanks, whole or not, so that nothing else differs; of
    another modality its stretches or patches stand for words. In place of words of equal rank
    random ones are taken: an order that tells no words apart is as good as random, not as good as
    the beginnings of texts.

    Args:
        explained: List, by text, of lists of dictionaries of `word`, `gate` and `contribution`.
        marks: Set of those words that are no words, such as `[CLS]`.
        predict: Function from a list of texts to probabilities, `(num_texts, num_classes)`. It is
            called once, with each text once.
        part: Function of a text's position in `explained`, its words without `marks`, and which of
            them are kept, to the text of these alone; joined by blanks unless given.

    Returns:
        List of dictionaries of `order`, `share_of_words` and `measure`; `num_texts`; `mean_drop` of
        the probability with its 95 % interval over texts, `mean_drop_low` and `mean_drop_high`; and
        `beyond_random`, `beyond_random_low` and `beyond_random_high`, its paired difference to the
        order `random`, of which they are `None`. Ends of intervals of a single text are `None`.
        Empty where no text has two words.
    """
    texts = [[row for row in words if row["word"] not in marks] for words in explained]
    sample = _sample(texts)
    if not sample:
        return []

    def reduce(i, kept):
        words = [row["word"] for row in texts[i]]
        return part(i, words, kept) if part else " ".join(words[k] for k in kept)

    settings = list(itertools.product(ORDERS, SHARES, MEASURES))
    whole = [reduce(i, list(range(len(texts[i])))) for i in sample]
    changed = {
        setting: [reduce(i, _kept(texts[i], *setting)) for i in sample] for setting in settings
    }
    # What is left of short texts is often the same.
    unique = dict.fromkeys(itertools.chain(whole, *changed.values()))
    numbers = {text: number for number, text in enumerate(unique)}
    probabilities = np.asarray(predict(list(unique)), np.float64)
    before = probabilities[[numbers[text] for text in whole]]
    labels = before.argmax(axis=1)
    drops = {
        setting: before.max(axis=1) - probabilities[[numbers[text] for text in of_setting], labels]
        for setting, of_setting in changed.items()
    }
    rows = []
    for order, share, measure in settings:
        own, of_random = drops[order, share, measure], drops["random", share, measure]
        beyond_random = (None, None, None) if order == "random" else mean_interval(own - of_random)
        rows.append(
            {
                "order": order,
                "share_of_words": share,
                "measure": measure,
                "num_texts": len(sample),
                **_named("mean_drop", mean_interval(own)),
                **_named("beyond_random", beyond_random),
            }
        )
    return rows


def verdicts(rows: list[dict[str, Any]]) -> list[str]:
    """Whether orders are better or worse than random, where that is more than chance.

    Args:
        rows: What `measure_faithfulness` returned; what is not there may be NaN, too.

    Returns:
        List of `better`, `worse` or `not resolved`, and of empty strings for rows of the order
        `random` itself. The p-values are corrected for the number of rows.
    """
    numbers = [i for i, row in enumerate(rows) if not _is_missing(row["beyond_random_low"])]
    corrected = dict(zip(numbers, holm(_p_value(rows[i]) for i in numbers), strict=True))
    return [
        "" if row["order"] == "random" else _verdict(row, corrected.get(i, 1.0))
        for i, row in enumerate(rows)
    ]


def _p_value(row):
    """Of being as good as random, from Student's interval, which is what records hold."""
    mean, low, high = (row[f"beyond_random{end}"] for end in ("", "_low", "_high"))
    freedom = row["num_texts"] - 1
    error = (high - low) / 2 / special.stdtrit(freedom, 0.975)
    return float(2 * special.stdtr(freedom, -abs(mean) / error)) if error else float(mean == 0)


def _verdict(row, p_holm):
    if p_holm > LEVEL:
        return "not resolved"
    # What is left of the probability with the right words alone falls less.
    falls_more = row["beyond_random"] > 0
    return "better" if falls_more == (row["measure"] == "comprehensiveness") else "worse"


def in_words(rows: list[dict[str, Any]], units: str = "words") -> list[str]:
    """What deleting a fifth of the words shows, a sentence for the gate and one for contributions.

    Args:
        rows: What `measure_faithfulness` returned, or `read_faithfulness`.
        units: What is deleted, in the plural.

    Returns:
        List of strings, empty where there are no such rows.
    """
    found = {
        row["order"]: row | {"verdict": verdict}
        for row, verdict in zip(rows, verdicts(rows), strict=True)
        if (row["share_of_words"], row["measure"]) == (_IN_WORDS, "comprehensiveness")
    }
    if not found.keys() >= set(ORDERS):
        return []
    return [
        f"Without the {100 * _IN_WORDS:.0f} % of {units} that {chosen} the label's probability is "
        f"{_lower(found[order])}, without as many random {units} {_lower(found['random'])} "
        f"({_difference(found[order])}). {_CONCLUSIONS[found[order]['verdict']]}"
        for order, chosen in _CHOSEN.items()
    ]


def read_faithfulness(directory: str | Path) -> list[dict[str, Any]]:
    """The rows in a run's folder, empty where none were written; see `measure_faithfulness`."""
    path = Path(directory) / record.FAITHFULNESS
    if not path.exists():
        return []
    with record.loading(path, record.how_to_repeat(directory)):
        return [
            {
                name: text if name in ("order", "measure") else float(text) if text else None
                for name, text in row.items()
            }
            for row in record.read_rows(path)
        ]


_CHOSEN = {
    "gate": "the gate opens most",
    "contribution": "add most to the label's score",
}
_CONCLUSIONS = {
    "better": "So they matter more than others.",
    "worse": "So they matter less than others.",
    "not resolved": "That they matter more than others is not resolved.",
}


def _lower(row):
    drop = 100 * row["mean_drop"]
    return f"{abs(drop):.1f} points {'lower' if drop >= 0 else 'higher'}"


def _difference(row):
    text = f"difference {100 * row['beyond_random']:+.1f}"
    low, high = (row[f"beyond_random_{end}"] for end in ("low", "high"))
    return text if _is_missing(low) else f"{text}, {100 * low:+.1f} to {100 * high:+.1f}"


def _is_missing(value):
    return value is None or np.isnan(value)


def _named(name, interval):
    return dict(zip((name, f"{name}_low", f"{name}_high"), interval, strict=True))


def _sample(texts):
    """Positions of those with words to choose from, at most so many, the same ones each time."""
    several = [i for i, words in enumerate(texts) if len(words) > 1]
    chosen = np.random.default_rng(_SEED).permutation(len(several))[:MOST_TEXTS]
    return [several[i] for i in sorted(chosen)]


def _join(words):
    return " ".join(row["word"] for row in words)


def _kept(words, order, share, measure):
    """Positions of all words but the most important, or of these alone."""
    most = set(_rank(words, order)[: max(1, round(share * len(words)))].tolist())
    is_kept = measure == "sufficiency"
    return [i for i in range(len(words)) if (i in most) == is_kept]


def _rank(words, order):
    """Positions of words, the most important first; chances follow from the text."""
    chances = np.random.default_rng([_SEED, zlib.crc32(_join(words).encode())]).random(len(words))
    scores = chances if order == "random" else np.array([row[order] for row in words])
    return np.lexsort((chances, scores))[::-1]
