"""Whether the words that an explanation points at are those that a prediction rests on.

After DeYoung et al. 2020 (ERASER): the probability of the predicted label should fall when these
words are deleted (comprehensiveness), and should not when they alone are kept (sufficiency). Any
deletion lowers it, so that what counts is the difference to as many random words.
"""

import itertools
import zlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

from emotion_keras import record
from emotion_keras.evaluation.significance import LEVEL, holm, mean_interval

# What words are ranked by, the most important first; `inference.ways` computes all but the last.
ORDERS = ("contribution", "gate", "occlusion", "integrated_gradients", "random")
SHARES = (0.1, 0.2, 0.5)
MEASURES = ("comprehensiveness", "sufficiency")

# Of a larger test split a sample: up to six changed texts for each order and text are predicted.
MOST_TEXTS = 200

# What every record of it holds; older ones have no `milliseconds`.
_COLUMNS = {
    "order",
    "share_of_words",
    "measure",
    "num_texts",
    *(f"{name}{end}" for name in ("mean_drop", "beyond_random") for end in ("", "_low", "_high")),
}
# The share that a sentence is about.
_IN_WORDS = 0.2
_SEED = 0


def choose_texts(numbers_of_words: Sequence[int]) -> list[int]:
    """Positions of texts with words to choose from, at most so many, the same ones each time.

    Args:
        numbers_of_words: Integers, by text.
    """
    several = [i for i, number in enumerate(numbers_of_words) if number > 1]
    chosen = np.random.default_rng(_SEED).permutation(len(several))[:MOST_TEXTS]
    return [several[i] for i in sorted(chosen)]


def measure_faithfulness(
    texts: list[list[dict[str, Any]]],
    predict: Callable[[list[Any]], np.ndarray],
    part: Callable[[int, list[str], list[int]], Hashable] | None = None,
    milliseconds: Mapping[str, float] | None = None,
) -> list[dict[str, Any]]:
    """How far the label's probability falls without the words that an explanation points at.

    A text is taken as its words and punctuation marks joined by blanks, whole or not, so that
    nothing else differs; of another modality its stretches or patches stand for words. Words alone
    are ranked: where some are deleted, marks stay, and where some are kept, marks go. In place of
    words of equal rank random ones are taken: an order that tells no words apart is as good as
    random, not as good as the beginnings of texts.

    Args:
        texts: List, by text, of lists of dictionaries of `word` and of a number for each order but
            `random`. What has `None` in place of a number is a mark. Each text has two words.
        predict: Function from a list of texts to probabilities, `(num_texts, num_classes)`. It is
            called once, with each text once.
        part: Function of a text's position in `texts`, its words and marks, and which of them are
            kept, to the text of these alone; joined by blanks unless given.
        milliseconds: Dictionary by order of what it takes to explain a text.

    Returns:
        List of dictionaries of `order`, `share_of_words` and `measure`; `num_texts`; `mean_drop` of
        the probability with its 95 % interval over texts, `mean_drop_low` and `mean_drop_high`;
        `beyond_random`, `beyond_random_low` and `beyond_random_high`, its paired difference to the
        order `random`, of which they are `None`; and `milliseconds`, or `None`. Ends of intervals
        of a single text are `None`. Empty without texts.
    """
    if not texts:
        return []

    def reduce(i, kept):
        words = [row["word"] for row in texts[i]]
        return part(i, words, kept) if part else " ".join(words[k] for k in kept)

    orders = [order for order in ORDERS if order in texts[0][0] or order == "random"]
    settings = list(itertools.product(orders, SHARES, MEASURES))
    whole = [reduce(i, list(range(len(words)))) for i, words in enumerate(texts)]
    changed = {
        setting: [reduce(i, _kept(words, *setting)) for i, words in enumerate(texts)]
        for setting in settings
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
                "num_texts": len(texts),
                **_named("mean_drop", mean_interval(own)),
                **_named("beyond_random", beyond_random),
                "milliseconds": (milliseconds or {}).get(order),
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


def in_words(rows: list[dict[str, Any]], units: str = "words") -> dict[str, str]:
    """What deleting a fifth of the words shows, in a sentence or two for each order.

    Args:
        rows: What `measure_faithfulness` returned, or `read_faithfulness`.
        units: What is deleted, in the plural.

    Returns:
        Dictionary of strings by order, without `random`; empty where there are no such rows.
    """
    found = {
        row["order"]: row | {"verdict": verdict}
        for row, verdict in zip(rows, verdicts(rows), strict=True)
        if (row["share_of_words"], row["measure"]) == (_IN_WORDS, "comprehensiveness")
    }
    if "random" not in found:
        return {}
    return {
        order: f"Without the {100 * _IN_WORDS:.0f} % of {units} that {chosen} the label's "
        f"probability is {_lower(found[order])}, without as many random {units} "
        f"{_lower(found['random'])} ({_difference(found[order])}). "
        f"{_CONCLUSIONS[found[order]['verdict']]}"
        for order, chosen in _CHOSEN.items()
        if order in found
    }


def read_faithfulness(directory: str | Path) -> list[dict[str, Any]]:
    """The rows in a run's folder, empty where none were written; see `measure_faithfulness`."""
    path = Path(directory) / record.FAITHFULNESS
    if not path.exists():
        return []
    with record.loading(path, record.how_to_repeat(directory)):
        rows = record.read_rows(path)
        if rows and (missing := _COLUMNS - rows[0].keys()):
            raise ValueError(f"it lacks the columns {', '.join(sorted(missing))}")
        return [
            {
                name: text if name in ("order", "measure") else float(text) if text else None
                for name, text in row.items()
            }
            for row in rows
        ]


_CHOSEN = {
    "contribution": "add most to the label's score",
    "gate": "the gate opens most",
    "occlusion": "lower the probability most when they alone are left out",
    "integrated_gradients": "have the largest integrated gradients",
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


def _kept(words, order, share, measure):
    """Positions of all but the most important words, or of these alone."""
    ranked = rank(words, order)
    most = set(ranked[: max(1, round(share * len(ranked)))])
    if measure == "sufficiency":
        return sorted(most)
    return [i for i in range(len(words)) if i not in most]


def rank(words: Sequence[Mapping[str, Any]], order: str) -> list[int]:
    """Positions of words, the most important first, without marks; see `measure_faithfulness`.

    Args:
        words: Dictionaries of `word` and of a number for each order but `random`, of a text.
        order: One of these, or `random`. Chances follow from the text.
    """
    positions = np.array([i for i, row in enumerate(words) if None not in row.values()])
    text = " ".join(row["word"] for row in words)
    chances = np.random.default_rng([_SEED, zlib.crc32(text.encode())]).random(len(positions))
    scores = chances if order == "random" else [words[i][order] for i in positions]
    return positions[np.lexsort((chances, scores))[::-1]].tolist()
