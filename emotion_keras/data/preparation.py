"""The preparation of a corpus: cleaning, choice of examples and labels, balance, and an audit."""

from dataclasses import dataclass, replace
from typing import Any
from unicodedata import normalize

import numpy as np
import pandas as pd

from emotion_keras.data import isear
from emotion_keras.data.corpus import Corpus, number_cells
from emotion_keras.data.official_splits import SPLITS, count_leaks
from emotion_keras.data.options import Preparation
from emotion_keras.errors import UserError, did_you_mean
from emotion_keras.inputs import Input, TextInput
from emotion_keras.record.options import split_names
from emotion_keras.targets import Target
from emotion_keras.targets.multi import NONE

BALANCE = ("none", "undersample", "oversample", "class_weight")

_PERCENTILES = (5, 25, 50, 75, 95, 99)


@dataclass(frozen=True, eq=False)
class Audit:
    """What `prepare` did to a corpus: print it, or store `to_dict()`.

    Args:
        content: Plain numbers and names, ready for JSON: `corpus`, `reading` (see `Corpus`),
            `options`, `num_in`, `num_out`, `labels` (in and out of each), `steps` (for each what it
            changed and what it removed, by reason and label), `repeats` and `two_labels`
            (found, kept or not), percentiles of the cells' sizes under the name of their unit,
            such as `words`; where there is an official split, `leaks`, how many examples of a split
            are in another as well; and where the modality has some, `properties`; see
            `Input.describe`.
        modality: Class of the `Input` that knows what the cells are.
    """

    content: dict
    modality: type[Input] = TextInput

    def to_dict(self) -> dict[str, Any]:
        """Returns the audit as a dictionary that JSON can hold."""
        return self.content

    def __str__(self):
        content = self.content
        table = pd.DataFrame({"in": {k: v["in"] for k, v in content["labels"].items()}})
        for step in content["steps"]:
            for reason, by_label in step["removed"].items():
                table[reason] = -pd.Series(by_label, dtype=int)
        table["out"] = {k: v["out"] for k, v in content["labels"].items()}
        table = table.fillna(0).astype(int)
        # Not by its name, which may be a label's.
        table = pd.concat([table, _all_row(content, table).to_frame("all").T])
        # Of cleaning, what the modality has steps for.
        without = {*TextInput.steps} - {*self.modality.steps}
        chosen = {k: v for k, v in content["options"].items() if k not in without}
        options = ", ".join(f"{name}={value}" for name, value in chosen.items())
        singular, plural = self.modality.singular, self.modality.plural
        unit = self.modality.size_unit
        sizes = ", ".join(f"{name} {value}" for name, value in content[unit].items())
        lines = [f"Corpus {content['corpus']} ({options})", table.to_string()]
        for step in content["steps"]:
            changes = [f"{step[key]:,} {key}" for key in ("changed", "cut") if step.get(key)]
            if changes:
                lines.append(f"{plural.capitalize()} in step {step['step']}: {', '.join(changes)}")
        titles = {
            "repeats": f"Repeated {plural}",
            "two_labels": f"{plural.capitalize()} with two labels",
        }
        for key, title in titles.items():
            found = content[key]
            lines.append(f"{title}: {found['texts']:,}, found in {found['examples']:,} examples")
        if "leaks" in content:
            leaks = ", ".join(f"{name} {number:,}" for name, number in content["leaks"].items())
            lines.append(f"{plural.capitalize()} of one official split in another: {leaks}")
        article = "an" if singular[0] in "aeiou" else "a"
        lines.append(f"{unit.capitalize()} {article} {singular}: {sizes}")
        for kind, counts in content.get("properties", {}).items():
            listed = ", ".join(f"{value} {count:,}" for value, count in counts.items())
            lines.append(f"{kind.capitalize()}: {listed}")
        return "\n".join(lines)


def _all_row(content, table):
    """How many examples there are in all, whatever their labels."""
    row = table.sum()
    for step in content["steps"]:
        if "num_removed" not in step:  # One label an example.
            return row
        for reason, count in step["num_removed"].items():
            row[reason] = -count
    row["in"], row["out"] = content["num_in"], content["num_out"]
    return row


def prepare(
    corpus: Corpus, options: Preparation | None = None, **given: Any
) -> tuple[Corpus, Audit]:
    """Makes a corpus fit to learn from, and says what that took.

    Examples without label, or whose cell is empty (a text without a word), are removed in any case.

    Args:
        corpus: A `Corpus` as loaded.
        options: `Preparation`.
        **given: Its fields, in place of the object.

    Returns:
        The prepared `Corpus` and the `Audit`.

    Raises:
        UserError: If a label is unknown, fewer than two labels are left, or no example is.

    Example:

    >>> from emotion_keras.data import load_corpus
    >>> corpus, audit = prepare(load_corpus("situations"), labels=["joy", "fear"])
    >>> corpus.labels, len(corpus)
    (('joy', 'fear'), 300)
    """
    options = options or Preparation(**given)
    modality, label_cells = corpus.modality, corpus.examples["label"]
    kept_labels = _kept_labels(corpus, options.labels)
    if corpus.kind.several:  # An example of other labels alone is one of which none holds.
        of_kept = corpus.kind(kept_labels).in_order(label_cells.tolist())
        label_cells = pd.Series(of_kept, label_cells.index, dtype="str")
    removed = _Removed(modality, len(corpus))
    cells, changes = _clean(corpus, options, removed)
    flaws = [modality.flaw(cell) for cell in cells]
    for flaw in modality.flaws:
        removed.add([found == flaw for found in flaws], _reason(flaw, modality))
    removed.add(~corpus.are_labelled, "no label")

    usable = np.flatnonzero(removed.left)
    if "split" in corpus.examples:  # Of repeats the one in the test split stays.
        rank = corpus.examples["split"].map(SPLITS.index).to_numpy()
        usable = usable[np.argsort(rank[usable], kind="stable")]
    numbers, _ = number_cells(modality, [cells[row] for row in usable])
    label_numbers, _ = pd.factorize(label_cells)
    is_repeat, has_two_labels, found = _repeats(numbers, label_numbers[usable])
    if options.repeats == "drop":
        removed.add(usable[has_two_labels], "two labels")
        removed.add(usable[is_repeat], "repeat")
    if not corpus.kind.several:
        is_other = ~label_cells.isin(kept_labels).to_numpy()
        removed.add(corpus.are_labelled & is_other, "other label")

    left = removed.left
    if not left.any():
        raise UserError(
            f"{corpus.source}: no {modality.name} is left of {len(corpus):,}; the preparation "
            f"removed {removed.in_words()}. Check which columns hold {modality.plural} and labels "
            f"(`--{modality.column_option.replace('_', '-')}`, `--label-column`), and the options "
            "`--clean`, `--repeats` and `--labels`."
        )
    sizes = np.array([modality.size(cell) for cell in cells])
    content = {
        "corpus": corpus.name,
        "reading": corpus.reading,
        "options": {
            **options.to_dict(),
            "labels": None if options.labels is None else list(kept_labels),
        },
        "num_in": len(corpus),
        "num_out": int(left.sum()),
        **_by_label(corpus, removed, changes),
        **found,
        modality.size_unit: _percentiles(sizes[left]),
    }
    if "split" in corpus.examples:
        content["leaks"] = count_leaks(corpus.examples["split"].iloc[usable], numbers)
    if described := modality.describe([cells[row] for row in np.flatnonzero(left)]):
        content["properties"] = described
    columns = {modality.name: pd.Series(cells, dtype="str"), "label": label_cells}
    examples = corpus.examples.assign(**columns)
    examples = examples[left].reset_index(drop=True)
    return replace(corpus, examples=examples, labels=kept_labels), Audit(content, modality)


class _Removed:
    """Which examples are removed, by which step and for which reason.

    What has nothing to learn from, or no label, is removed whatever the options.

    Args:
        modality: Class of the `Input` that knows what the cells are.
        num_examples: Number of examples.
    """

    def __init__(self, modality, num_examples):
        self.reasons = {
            **dict.fromkeys(modality.steps, ()),
            "usable": (*(_reason(flaw, modality) for flaw in modality.flaws), "no label"),
            "repeats": ("two labels", "repeat"),
            "labels": ("other label",),
        }
        if "clean" in self.reasons:
            self.reasons["clean"] = ("no answer",)
        numbered = enumerate(sum(self.reasons.values(), ()), 1)
        self.codes = {reason: code for code, reason in numbered}
        self.code_of = np.zeros(num_examples, np.int8)

    @property
    def left(self):
        """Which examples are not removed, a boolean array."""
        return self.code_of == 0

    def add(self, rows, reason):
        """Notes the reason for these rows (a mask, or positions), unless they have one already."""
        rows = np.asarray(rows)
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        self.code_of[rows[self.code_of[rows] == 0]] = self.codes[reason]

    def in_words(self):
        """How many were removed for which reason."""
        counts = {reason: int((self.code_of == code).sum()) for reason, code in self.codes.items()}
        return ", ".join(f"{count:,} for «{reason}»" for reason, count in counts.items() if count)


def _reason(flaw, modality):
    return f"{flaw} {modality.name}"


def _clean(corpus, options, removed):
    """Takes the modality's steps that the options ask for, and ISEAR's own.

    Returns:
        The cells, and by step a dictionary of how many it `changed` and, of cleaning, `cut`.
    """
    modality, cells = corpus.modality, corpus.cells
    changes = {}
    for name, step in modality.steps_for(options.to_dict()).items():
        before = cells
        is_of_isear = name == "clean" and corpus.name == "isear"
        if is_of_isear:
            cells = [isear.repair(cell) for cell in cells]
        cells = [step(cell) for cell in cells]
        changes[name] = {"changed": _count_changed(before, cells)}
        if name == "clean":
            changes[name]["cut"] = sum(map(modality.is_cut, before))
        if is_of_isear:
            removed.add([isear.is_no_answer(cell) for cell in cells], "no answer")
    return cells, changes


def balance(
    label_ids: np.ndarray, method: str, seed: int
) -> tuple[np.ndarray, dict[int, float] | None]:
    """Evens out the labels of the training split, and of no other.

    Args:
        label_ids: Class ids of the training examples.
        method: `"none"`; `"undersample"` (as many of each label as of the rarest, without
            repetition); `"oversample"` (all, and as many repetitions as the most frequent label
            needs none of); `"class_weight"` (all, each label with a weight in the loss).
        seed: Which examples are left out or repeated.

    Returns:
        Positions in `label_ids`, ascending, and a dictionary of weights by class id, or `None`. The
        weights are those that scikit-learn calls balanced: their mean over the examples is 1.

    Raises:
        UserError: If there is no such method.

    Example:

    >>> balance(np.array([0, 0, 0, 1]), "class_weight", seed=0)
    (array([0, 1, 2, 3]), {0: 0.6666666666666666, 1: 2.0})
    """
    if method not in BALANCE:
        raise UserError(f"balance is one of {', '.join(BALANCE)}. Received: balance={method!r}")
    label_ids = np.asarray(label_ids)
    classes, counts = np.unique(label_ids, return_counts=True)
    everything = np.arange(len(label_ids))
    if method == "none":
        return everything, None
    if method == "class_weight":
        weights = len(label_ids) / (len(classes) * counts)
        return everything, dict(zip(classes.tolist(), weights.tolist(), strict=True))
    rng = np.random.default_rng(seed)
    chosen = []
    for label in classes:
        members = np.flatnonzero(label_ids == label)
        if method == "undersample":
            chosen.append(rng.choice(members, counts.min(), replace=False))
        else:
            # Whole rounds first, so that no example is repeated more often than another by two.
            rounds, more = divmod(int(counts.max()), len(members))
            chosen += [members] * rounds + [rng.choice(members, more, replace=False)]
    return np.sort(np.concatenate(chosen)), None


def audit_balance(truth: np.ndarray, target: Target, method: str, seed: int) -> dict[str, Any]:
    """What balancing the training split does to each label, for the record.

    Args:
        truth: Rows of `Target.encode` of the training split, `(num_examples, num_labels)`.
        target: `Target`.
        method: See `balance`.
        seed: See `balance`.

    Returns:
        Dictionary of `method` and `labels`, by name of `num_in`, `num_out` and `weight`: of a kind
        with several labels the weight of the examples of which the label holds.

    Raises:
        UserError: If there is no such method, or not for several labels.
    """
    if target.several:
        weights = label_weights(truth, method)
        of_label = np.ones(len(target.labels)) if weights is None else weights[1]
        num_in = num_out = np.asarray(truth > 0).sum(axis=0)
    else:
        label_ids = target.classes(truth)
        chosen, weights_by_id = balance(label_ids, method, seed)
        num_in = np.bincount(label_ids, minlength=len(target.labels))
        num_out = np.bincount(label_ids[chosen], minlength=len(target.labels))
        of_label = [(weights_by_id or {}).get(i, 1.0) for i in range(len(target.labels))]
    return {
        "method": method,
        "labels": {
            label: {
                "num_in": int(num_in[i]),
                "num_out": int(num_out[i]),
                "weight": float(of_label[i]),
            }
            for i, label in enumerate(target.labels)
        },
    }


def label_weights(truth: np.ndarray, method: str) -> np.ndarray | None:
    """What holding and not holding count in the loss, where several labels may hold.

    Args:
        truth: Float array `(num_examples, num_labels)` of the training split.
        method: `"none"` or `"class_weight"`; see `balance`.

    Returns:
        Float array `(2, num_labels)`, `None` where all count alike: row 0 is for examples of which
        a label does not hold, row 1 for the others. Both sides of a label count alike together,
        and the mean over examples is 1.

    Raises:
        UserError: On other methods, which take examples in and out: each has several labels.

    Example:

    >>> label_weights(np.array([[1], [0], [0], [0]]), "class_weight").round(2).tolist()
    [[0.67], [2.0]]
    """
    if method not in ("none", "class_weight"):
        raise UserError(
            "Leaving out or repeating examples cannot even out labels that occur together. With "
            "several labels an example, balance is one of none, class_weight. "
            f"Received: balance={method!r}"
        )
    if method == "none":
        return None
    held = (np.asarray(truth) >= 0.5).sum(axis=0)  # What a teacher says may lie between 0 and 1.
    sides = np.stack([len(truth) - held, held])
    return np.where(sides > 0, len(truth) / (2 * np.maximum(sides, 1)), 1.0)


def _kept_labels(corpus, labels):
    if labels is None:
        kept = corpus.labels
    else:
        names = split_names("labels", labels)
        names = [normalize("NFC", name).strip() for name in names if name.strip()]
        unknown = [name for name in names if name not in corpus.labels]
        if unknown:
            raise UserError(
                f"{', '.join(unknown)}: no such label in the corpus {corpus.name}."
                f"{''.join(did_you_mean(name, corpus.labels) for name in unknown)} Its labels: "
                f"{_listed(corpus.labels)}. Received: labels={labels!r}"
            )
        kept = tuple(label for label in corpus.labels if label in names)
    if len(kept) < 2:
        chosen = "" if labels is None else f" Received: labels={labels!r}"
        raise UserError(
            f"At least two labels are needed to tell apart, and {corpus.source} leaves "
            f"{len(kept)}. The corpus's labels: {_listed(corpus.labels) or 'none'}. Name more with "
            f"`--labels`, or the right column with `--label-column`.{chosen}"
        )
    return kept


def _listed(labels, most=30):
    more = f" and {len(labels) - most} more" if len(labels) > most else ""
    return ", ".join(labels[:most]) + more


def _count_changed(before, after):
    return sum(old != new for old, new in zip(before, after, strict=True))


def _repeats(numbers, label_ids):
    """Which rows repeat a cell, which have one with two labels, and how many cells these are."""
    counts = np.bincount(numbers)
    # A cell has two labels if its smallest and largest class id differ.
    lowest = np.full(len(counts), np.iinfo(np.int32).max)
    highest = np.full(len(counts), -1)
    np.minimum.at(lowest, numbers, label_ids)
    np.maximum.at(highest, numbers, label_ids)
    is_double = lowest != highest
    first = np.zeros(len(numbers), bool)
    first[np.unique(numbers, return_index=True)[1]] = True
    found = {
        "repeats": {"texts": int((counts > 1).sum()), "examples": int(counts[counts > 1].sum())},
        "two_labels": {"texts": int(is_double.sum()), "examples": int(counts[is_double].sum())},
    }
    return ~first, is_double[numbers], found


def _by_label(corpus, removed, changes):
    """Counts what was removed by label, and step by step; `changes` is added to the steps."""
    names, members = _members(corpus)
    counts = np.stack(
        [members[removed.code_of == code].sum(axis=0) for code in range(len(removed.codes) + 1)],
        axis=1,
    )
    if not counts[-1].any():  # All examples have a label.
        names, counts = names[:-1], counts[:-1]
    steps, remaining = [], len(corpus)
    for step, reasons in removed.reasons.items():
        by_reason, num_removed = {}, {}
        for reason in reasons:
            code = removed.codes[reason]
            if found := int((removed.code_of == code).sum()):
                num_removed[reason] = found
                by_reason[reason] = {
                    name: int(count)
                    for name, count in zip(names, counts[:, code], strict=True)
                    if count
                }
        num_in = remaining
        remaining -= sum(num_removed.values())
        steps.append(
            {
                "step": step,
                **changes.get(step, {}),
                "num_in": num_in,
                "num_out": remaining,
                "removed": by_reason,
                # Where several labels hold of an example, it is in several counts by label.
                **({"num_removed": num_removed} if corpus.kind.several else {}),
            }
        )
    return {
        "labels": {
            name: {"in": int(row.sum()), "out": int(row[0])}
            for name, row in zip(names, counts, strict=True)
        },
        "steps": steps,
    }


def _members(corpus):
    """What examples count to: names, and which of them each is of, `(num_examples, num_names)`.

    The names are the labels, of a kind with several `(none)`, and one for no label at all.
    """
    names, members = list(corpus.labels), [corpus.truth > 0]
    if corpus.kind.several:
        names.append(NONE)
        members.append(corpus.are_labelled & ~members[0].any(axis=1))
    without = "(no label)"
    while without in corpus.labels:
        without = f"({without})"
    return [*names, without], np.column_stack([*members, ~corpus.are_labelled])


def _percentiles(sizes):
    values = np.percentile(sizes, _PERCENTILES)
    return {
        "least": round(sizes.min().item(), 1),
        **{
            f"p{name}": round(float(value), 1)
            for name, value in zip(_PERCENTILES, values, strict=True)
        },
        "most": round(sizes.max().item(), 1),
        "mean": round(float(sizes.mean()), 1),
    }
