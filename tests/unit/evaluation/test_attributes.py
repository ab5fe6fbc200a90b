"""Accuracy and calibration by group, against SciPy's tests and the target's metrics."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from emotion_keras.evaluation.attributes import in_words, score_groups
from emotion_keras.evaluation.coverage import Judged
from emotion_keras.targets import SingleLabel


def judged(seed=0, number=300, skill=0.6):
    rng = np.random.default_rng(seed)
    ids = np.array([str(i) for i in range(number)])
    return Judged(ids, rng.uniform(0.2, 1, number), rng.random(number) < skill)


def known(ids, **columns):
    return pd.DataFrame(columns, index=ids, dtype=str)


def by_value(found):
    return {group.value: group for group in found}


def test_two_groups_of_single_texts_are_compared_by_welchs_test():
    one = judged()
    sex = np.where(np.arange(300) < 120, "f", "m")
    found = by_value(score_groups([one], [0], known(one.ids, sex=sex)))
    sides = [one.right[sex == side].astype(float) for side in "fm"]
    expected = stats.ttest_ind(*sides, equal_var=False)
    compared = found["f"].accuracy_beyond
    assert compared.difference.difference == pytest.approx(sides[0].mean() - sides[1].mean())
    assert compared.difference.p_value == pytest.approx(expected.pvalue)
    ends = expected.confidence_interval(0.95)
    assert compared.difference[1:3] == pytest.approx((ends.low, ends.high))
    # The other group says the same of the other side, and counts in no correction.
    mirrored = found["m"].accuracy_beyond
    assert mirrored.difference.difference == -compared.difference.difference
    assert mirrored.difference.low == -compared.difference.high
    assert mirrored.p_holm == compared.p_holm
    over = one.confidence - one.right
    of_confidence = stats.ttest_ind(over[sex == "f"], over[sex == "m"], equal_var=False).pvalue
    both = multipletests([expected.pvalue, of_confidence], method="holm")[1]
    found_both = (compared.p_holm, found["f"].overconfidence_beyond.p_holm)
    assert found_both == pytest.approx(tuple(both))


def test_groups_within_subjects_are_compared_by_a_paired_test():
    one = judged()
    loud = np.where(np.arange(300) % 2, "loud", "low")
    whose = {name: str(int(name) // 20) for name in one.ids}
    found = by_value(score_groups([one], [0], known(one.ids, intensity=loud), whose))
    means = (
        pd.Series(one.right.astype(float)).groupby([np.arange(300) // 20, loud]).mean().unstack()
    )
    expected = stats.ttest_rel(means["loud"], means["low"])
    compared = found["loud"].accuracy_beyond.difference
    assert compared.p_value == pytest.approx(expected.pvalue)
    ends = expected.confidence_interval(0.95)
    assert compared[1:3] == pytest.approx((ends.low, ends.high))


def test_a_group_of_subjects_has_the_interval_of_their_means():
    one = judged()
    whose = {name: str(int(name) // 10) for name in one.ids}
    country = np.where(np.arange(300) < 150, "Chad", "Peru")
    found = by_value(score_groups([one], [0], known(one.ids, country=country), whose))
    means = one.right[:150].reshape(15, 10).mean(axis=1)
    low, high = stats.t.interval(0.95, 14, means.mean(), stats.sem(means))
    group = found["Chad"]
    assert (group.num_examples, group.num_subjects) == (150, 15)
    assert group.accuracy[:3] == pytest.approx((means.mean(), low, high))
    assert group.accuracy.spread is None


def test_calibration_of_a_group_is_that_of_the_target():
    rng = np.random.default_rng(1)
    target = SingleLabel(("joy", "fear", "anger"))
    probabilities = rng.dirichlet([1, 1, 1], 200)
    truth = target.encode(rng.choice(target.labels, 200).tolist())
    right = probabilities.argmax(axis=1) == target.classes(truth)
    one = Judged(np.arange(200).astype(str), probabilities.max(axis=1), right)
    sex = np.where(np.arange(200) < 80, "f", "m")
    found = by_value(score_groups([one], [0], known(one.ids, sex=sex)))
    for value in "fm":
        own = sex == value
        metrics = target.metrics(truth[own], probabilities[own])
        assert found[value].ece.mean == pytest.approx(metrics["ece"])
        assert found[value].accuracy.mean == pytest.approx(metrics["accuracy"])
        over = probabilities[own].max(axis=1).mean() - metrics["accuracy"]
        assert found[value].overconfidence.mean == pytest.approx(over)


def test_seeds_add_their_spread_and_folds_of_one_seed_are_put_together():
    runs = [judged(seed) for seed in range(3)]
    attributes = known(runs[0].ids, sex=np.where(np.arange(300) < 150, "f", "m"))
    whole = score_groups(runs, [0, 1, 2], attributes)
    by_seed = [run.right[:150].mean() for run in runs]
    group = by_value(whole)["f"]
    assert group.accuracy.mean == pytest.approx(np.mean(by_seed))
    assert group.accuracy.spread == pytest.approx(np.std(by_seed, ddof=1))
    of_texts = np.mean([run.right[:150] for run in runs], axis=0).var(ddof=1) / 150
    of_seeds = np.var(by_seed, ddof=1) / 3
    freedom = (of_texts + of_seeds) ** 2 / (of_texts**2 / 149 + of_seeds**2 / 2)
    half = stats.t.ppf(0.975, freedom) * np.sqrt(of_texts + of_seeds)
    assert group.accuracy.high - group.accuracy.mean == pytest.approx(half)
    folds = [Judged(*(part[start::2] for part in run)) for run in runs for start in (0, 1)]
    assert by_value(score_groups(folds, [0, 0, 1, 1, 2, 2], attributes))["f"] == group


def test_a_small_group_is_shown_and_not_compared_and_nor_is_a_small_rest():
    one = judged()
    country = np.array(["Chad"] * 49 + ["Mali"] * 100 + ["Peru"] * 100 + [""] * 51)
    sex = np.array(["f"] * 251 + ["m"] * 49)
    found = score_groups([one], [0], known(one.ids, country=country, sex=sex))
    compared = {group.value: group.accuracy_beyond is not None for group in found}
    assert compared == {"Chad": False, "Mali": True, "Peru": True, "f": False, "m": False}
    # Enough texts, of too few people.
    whose = {name: str(int(name) // 12) for name in one.ids}
    found = by_value(score_groups([one], [0], known(one.ids, country=country), whose))
    assert found["Mali"].accuracy_beyond is None and found["Mali"].num_subjects == 9


def test_a_group_of_one_subject_has_no_interval():
    one = judged()
    sex = np.array(["f"] * 20 + ["m"] * 280)
    whose = dict.fromkeys(one.ids[:20], "Ada")
    group = by_value(score_groups([one], [0], known(one.ids, sex=sex), whose))["f"]
    assert group.accuracy[1:3] == (None, None)


def test_numbers_are_in_their_order_and_others_by_falling_accuracy():
    one = Judged(np.array(list("abcdef")), np.full(6, 0.5), np.array([1, 1, 0, 1, 0, 0], bool))
    attributes = known(
        one.ids,
        age=["9 to 12", "13 to 20", "9 to 12", "13 to 20", "9 to 12", "7"],
        country=["Chad", "Peru", "Chad", "Peru", "Mali", "Mali"],
    )
    found = [group.value for group in score_groups([one], [0], attributes)]
    assert found == ["7", "9 to 12", "13 to 20", "Peru", "Chad", "Mali"]


def test_what_is_resolved_is_said_in_words():
    ids = np.arange(400).astype(str)
    rng = np.random.default_rng(0)
    right = np.concatenate([np.ones(100, bool), rng.random(300) < 0.4])
    one = Judged(ids, np.full(400, 0.5), right)
    country = np.repeat(["Chad", "Mali", "Peru", "Togo"], 100)
    attributes = known(
        ids, country=country, sex=rng.choice(["f", "m"], 400), hand=["left"] * 9 + ["right"] * 391
    )
    first, alike, small = in_words(score_groups([one], [0], attributes), "texts")
    assert first.startswith("Accuracy by country, against the other texts: Chad +")
    assert small == "Accuracy by hand: the groups are too small to be compared."
    assert alike == "Accuracy by sex: no difference is resolved."


def test_without_attributes_there_are_no_groups():
    one = judged()
    assert score_groups([one], [0], pd.DataFrame(index=one.ids)) == []
    assert score_groups([one], [0], pd.DataFrame()) == [] == in_words([], "texts")
