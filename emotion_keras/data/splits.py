"""Says which example is for training, which for validation and which for the test."""

import hashlib
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse import csgraph

from emotion_keras.data.corpus import Corpus
from emotion_keras.data.flaws import EPOCH_ON_TEST, RANDOM_SPLIT, bonds, describe_flaws
from emotion_keras.data.options import Protocol
from emotion_keras.errors import UserError

TEST, VAL, TRAIN = 0, 1, 2


@dataclass(frozen=True, eq=False)
class Split:
    """The positions of a corpus's examples, by what they are for.

    Args:
        train: Positions of the examples to learn from, int64, ascending.
        val: Positions of those to choose by.
        test: Positions of those to report on.
        protocol: How the split was made, for the record.
    """

    train: np.ndarray
    val: np.ndarray
    test: np.ndarray
    protocol: dict


def split(corpus: Corpus, options: Protocol | None = None, **given: Any) -> Split:
    """Splits a corpus, stratified by label, with no subject and no cell (a text) in two splits.

    The split depends on the seed and on the set of examples, not on their order. Sizes and shares
    of the labels are met as nearly as whole subjects allow. Where a corpus has an official split
    and no folds are asked for, that is taken as it is.

    Args:
        corpus: A `Corpus`.
        options: `Protocol`.
        **given: Its fields, in place of the object.

    Returns:
        A `Split`.

    Raises:
        UserError: If a size makes no sense, or a label has too few examples to be in all splits.

    Example:

    >>> from emotion_keras.data import load_corpus
    >>> parts = split(load_corpus("situations"), split_seed=1)
    >>> len(parts.train), len(parts.val), len(parts.test)
    (735, 105, 210)
    """
    options = options or Protocol(**given)
    _check(options)
    test_size, val_size = options.test_size, options.val_size
    folds, fold = options.folds, options.fold
    is_known = _has_known_folds(corpus, folds)
    if folds is not None and folds > len(corpus):
        raise UserError(
            f"A fold holds a {corpus.modality.name} or more, and {corpus.source} has "
            f"{len(corpus):,} {corpus.modality.plural}. "
            f"Received: folds={folds}"
        )
    truth = corpus.truth > 0
    if not corpus.are_labelled.all():
        raise UserError(
            f"{int((~corpus.are_labelled).sum())} examples have no label of "
            f"{', '.join(corpus.labels)}. Call `prepare` first, which drops and counts them."
        )
    flaws = options.flaws or []
    blocks, keys, cell_keys = _blocks(corpus, options.split_seed, flaws)
    counts = np.zeros((len(keys), len(corpus.labels)), np.int32)
    np.add.at(counts, blocks, truth)
    sizes = np.bincount(blocks, minlength=len(keys))
    if is_official := "split" in corpus.examples and folds is None:
        of_example, smallest = _official(corpus, blocks, counts, sizes, keys, val_size)
    elif folds is None:
        smallest = min(test_size, val_size, 1 - test_size - val_size)
        part = _allot(counts, sizes, keys, [test_size, val_size, 1 - test_size - val_size])
        of_example = part[blocks]
    else:
        smallest = min(1 / folds, val_size, 1 - 1 / folds - val_size)
        if is_known:
            fold_of = _known_folds(corpus, blocks)
        else:
            fold_of = _allot(counts, sizes, keys, [1 / folds] * folds)
        in_fold = fold_of == fold
        part = np.full(len(counts), TEST)
        rest = np.flatnonzero(~in_fold)
        share = val_size * folds / (folds - 1)
        # Another order, lest the validation split of all folds is drawn from the same few subjects.
        order = _reordered(keys[rest], fold)
        chosen = _allot(counts[rest], sizes[rest], order, [share, 1 - share])
        part[rest] = np.array([VAL, TRAIN])[chosen]
        of_example = part[blocks]
    _check_labels(corpus, truth, of_example, smallest)
    train = np.flatnonzero(of_example == TRAIN)
    if options.train_fraction < 1:
        keys = _reordered(cell_keys, 0)
        kinds = pd.factorize(corpus.examples["label"])[0]
        reduce = _fraction_of_sets if corpus.kind.several else _fraction
        train = reduce(train, kinds, keys, options.train_fraction)
    val, test = np.flatnonzero(of_example == VAL), np.flatnonzero(of_example == TEST)
    if EPOCH_ON_TEST in flaws:
        val = test
    protocol = {
        **options.to_dict(),
        "test_size": test_size if folds is None and not is_official else None,
        "by_subject": corpus.has_groups and RANDOM_SPLIT not in flaws,
        **({"official": True} if is_official else {}),
        **({"folds_of": corpus.name} if is_known else {}),
        "num_train": len(train),
        "num_val": len(val),
        "num_test": len(test),
    }
    parts = Split(train, val, test, protocol)
    if flaws:
        protocol |= describe_flaws(corpus, parts)
    else:
        del protocol["flaws"]  # A record names them where there are some.
    return parts


def part_by_subject(
    corpus: Corpus, positions: np.ndarray, num_parts: int, split_seed: int
) -> np.ndarray:
    """Parts some of a corpus's examples as `split` does: no subject and no cell is in two parts.

    Args:
        corpus: A `Corpus`.
        positions: Int array, positions of examples.
        num_parts: Integer.
        split_seed: Integer.

    Returns:
        Int array `(len(positions),)`, the part of each, from 0 on.
    """
    blocks, keys, _ = _blocks(corpus, split_seed, flaws=[])
    chosen, block_of = np.unique(blocks[positions], return_inverse=True)
    counts = np.zeros((len(chosen), len(corpus.labels)), np.int32)
    np.add.at(counts, block_of, corpus.truth[positions] > 0)
    sizes = np.bincount(block_of)
    return _allot(counts, sizes, keys[chosen], [1 / num_parts] * num_parts)[block_of]


def _official(corpus, blocks, counts, sizes, keys, val_size):
    """The official part of each example; where there is no val, a share of train becomes that.

    Returns:
        The parts, and the smallest share of all examples that is in one.
    """
    parts = {"test": TEST, "val": VAL, "train": TRAIN}
    of_example = corpus.examples["split"].map(parts).to_numpy()
    if VAL not in of_example:
        is_train = np.zeros(len(counts), bool)
        is_train[blocks[of_example == TRAIN]] = True
        rest = np.flatnonzero(is_train)
        share = min(val_size * len(corpus) / max((of_example == TRAIN).sum(), 1), 0.5)
        part = np.full(len(counts), TRAIN)
        chosen = _allot(counts[rest], sizes[rest], keys[rest], [share, 1 - share])
        part[rest] = np.array([VAL, TRAIN])[chosen]
        of_example = np.where(of_example == TRAIN, part[blocks], of_example)
    return of_example, np.bincount(of_example, minlength=3).min() / len(corpus)


def _check(options):
    """Makes sure that options of the protocol go together."""
    folds, fold, val_size = options.folds, options.fold, options.val_size
    if (folds is None) != (fold is None):
        raise UserError(
            "folds and fold belong together: `--folds 5 --fold 0` is the first of five. "
            f"Received: folds={folds}, fold={fold}"
        )
    if folds is None:
        if options.test_size + val_size >= 1:
            raise UserError(
                "test_size and val_size leave nothing to train on: together they must be below 1. "
                f"Received: test_size={options.test_size}, val_size={val_size}"
            )
        return
    if not 0 <= fold < folds:
        raise UserError(
            f"fold is counted from 0, so with folds={folds} it is 0 to {folds - 1}. "
            f"Received: fold={fold}"
        )
    if 1 / folds + val_size >= 1:
        raise UserError(
            "A test fold and val_size leave nothing to train on: 1 / folds + val_size must be "
            f"below 1. Received: folds={folds}, val_size={val_size}"
        )


def _check_labels(corpus, truth, of_example, smallest):
    plural = corpus.modality.plural
    missing = [
        f"{label} ({int(is_held.sum())} {plural})"
        for label, is_held in zip(corpus.labels, truth.T, strict=True)
        if len(np.unique(of_example[is_held])) < 3
    ]
    if missing:
        more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
        needed = math.ceil(min(1 / smallest, 1e9) - 1e-9)
        kind = f"{plural} of different subjects" if corpus.has_groups else f"different {plural}"
        raise UserError(
            f"Too few {plural} to be in training, validation and test: {', '.join(missing[:10])}"
            f"{more}. With these sizes a label needs about {needed} {kind}. "
            f"Add {plural}, leave the label out with `--labels`, or change the sizes."
        )


def _blocks(corpus, split_seed, flaws):
    """Joins what must not be parted, and gives each block of examples a random key.

    Returns:
        The block of each example, a key of each block, and a key of each example. Keys depend on
        the seed and on the cells alone.
    """
    of_subject, of_cell = bonds(corpus, flaws)
    cells, folded = pd.factorize(np.asarray(of_cell, dtype=object))
    subjects, names = pd.factorize(np.asarray(of_subject, dtype=object))
    # Cells and subjects are the two sides of a graph, an example is an edge of it.
    num_nodes = len(names) + len(folded)
    edges = sparse.coo_array(
        (np.ones(len(corpus), np.int8), (subjects, len(names) + cells)),
        shape=(num_nodes, num_nodes),
    )
    _, component = csgraph.connected_components(edges, directed=False)
    blocks = pd.factorize(component[subjects])[0]
    seed = hashlib.blake2b(str(split_seed).encode(), digest_size=8).hexdigest()
    hashes = pd.util.hash_array(np.asarray(folded, dtype=object), hash_key=seed, categorize=False)
    keys = np.full(blocks.max(initial=-1) + 1, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(keys, blocks, hashes[cells])
    return blocks, keys, hashes[cells]


def _has_known_folds(corpus, folds):
    """Whether a corpus has folds of its own, as many as are asked for."""
    return "fold" in corpus.examples and corpus.examples["fold"].nunique() == folds


def _known_folds(corpus, blocks):
    fold_of = np.zeros(blocks.max(initial=-1) + 1, int)
    fold_of[blocks] = corpus.examples["fold"]
    return fold_of


def _reordered(keys, number):
    """Other keys from keys: an odd factor is a permutation of the 64-bit numbers."""
    return keys * np.uint64((0x9E3779B97F4A7C15 * (2 * number + 1)) % 2**64)


def _allot(counts, sizes, keys, shares):
    """Allots blocks to parts of given shares, so that all parts have alike shares of all labels.

    Args:
        counts: How often each label is in a block, `(num_blocks, num_labels)`.
        sizes: Number of examples of each block, `(num_blocks,)`.
        keys: Random order of the blocks, `(num_blocks,)`.
        shares: Shares of the parts, which sum to 1.

    Returns:
        The part of each block, `(num_blocks,)`.
    """
    shares = np.asarray(shares)
    # The size as a whole counts like one more label.
    counts = np.column_stack([counts, sizes])
    totals = counts.sum(axis=0)
    weights = 1 / np.maximum(totals, 1)
    need = np.outer(shares, totals)
    part = np.full(len(counts), -1)

    def one_by_one(blocks):
        """Gives each block, large ones first, to the emptiest part that it fits in.

        Where it fits in none, the part that lacks most takes it.
        """
        # Sizes are compared by their binary order, so that the seed has a say in who comes first.
        order = np.lexsort((keys[blocks], -np.floor(np.log2(counts[blocks, -1]))))
        for block in blocks[order]:
            weighted = counts[block] * weights
            lack = need @ weighted
            fits = lack >= counts[block] @ weighted - 1e-9
            # Emptiest by its share, or the large blocks would all go to training.
            lack = np.where(fits, lack / shares, -np.inf) if fits.any() else lack
            part[block] = chosen = int(np.argmax(np.round(lack, 9)))
            need[chosen] -= counts[block]

    # Blocks with the same counts are interchangeable, so that each part gets its share of them at
    # once. Examples without groups are of as many kinds as there are labels, and respondents of
    # ISEAR nearly all of one. Blocks of a rare kind, which may be large, come before, and the
    # rounding of the shares is made up for at the end.
    kind = np.zeros(len(counts), np.int64)
    for column in counts.T:
        kind = pd.factorize(kind * (int(column.max(initial=0)) + 1) + column)[0]
    frequency = np.bincount(kind)
    is_rare = frequency * shares.min() < 1
    one_by_one(np.flatnonzero(is_rare[kind]))
    order = np.lexsort((keys, kind))
    groups = np.split(order, np.cumsum(frequency)[:-1])
    common = [group for group, rare in zip(groups, is_rare, strict=True) if not rare]
    for blocks in sorted(common, key=lambda blocks: tuple(counts[blocks[0], ::-1]), reverse=True):
        has = counts[blocks[0]]
        lack = np.maximum(need @ (has * weights), 0)
        share = lack / lack.sum() if lack.any() else shares
        whole = np.floor(np.round(share * len(blocks), 6)).astype(int)
        part[blocks[: whole.sum()]] = np.repeat(np.arange(len(shares)), whole)
        need -= np.outer(whole, has)
    one_by_one(np.flatnonzero(part < 0))
    return part


def _fraction(train, labels, keys, fraction):
    """The first part of each label in the order of the keys; a larger fraction adds to it."""
    order = train[np.lexsort((train, keys[train]))]
    kept = []
    for label in np.unique(labels[train]):
        of_label = order[labels[order] == label]
        kept.append(of_label[: max(1, round(fraction * len(of_label)))])
    return np.sort(np.concatenate(kept))


def _fraction_of_sets(train, sets, keys, fraction):
    """The same by set of labels, of which many are rare: of a single example chance decides."""
    order = train[np.lexsort((train, keys[train]))]
    kept = []
    for one in np.unique(sets[train]):
        of_set = order[sets[order] == one]
        # Places from 0 to 1, evenly apart, from a random start. The key itself, the least of the
        # set's, would begin too early.
        start = _reordered(keys[of_set[:1]], 1)[0] / 2**64
        kept.append(of_set[(np.arange(len(of_set)) + start) / len(of_set) < fraction])
    return np.sort(np.concatenate(kept))
