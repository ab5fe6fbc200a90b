import numpy as np
import pandas as pd
import pytest
from scipy import stats

from emotion_keras.evaluation.comparison import correct_by_text
from emotion_keras.evaluation.significance import Difference, holm
from reports.claims import Evidence, decide_claims
from reports.claims.verdicts import (
    HOLDS,
    NOT_RUN,
    REFUTED,
    UNDECIDED,
    all_of,
    resolve,
    verdict_of_differences,
    verdict_of_interval,
)
from reports.paper import BERT, OURS, OURS_FROM_SCRATCH
from reports.records import Run, read_records

pytestmark = [pytest.mark.usefixtures("garbage")]

LABELS = ["joy", "fear"]


def found(difference, half=0.02):
    p_value = 2 * stats.norm.sf(stats.norm.ppf(0.975) * abs(difference) / half)
    return Difference(difference, difference - half, difference + half, p_value)


def runs_of(contender, rights, auc=0.9, macro_f1=None, ece=0.04, seeds=None):
    """Runs on 100 texts each, right about as many as `rights` says; the same texts first."""
    model, _, encoder = contender.partition("@")
    runs = []
    for seed, right in enumerate(rights):
        correct = np.arange(100) < right
        predictions = pd.DataFrame(
            {
                "id": [str(number) for number in range(100)],
                "split": "test",
                "label": "joy",
                "predicted": np.where(correct, "joy", "fear"),
                "probability:joy": correct.astype(float),
                "probability:fear": 1 - correct.astype(float),
            }
        )
        test = {
            **dict.fromkeys(("log_loss", "brier_score"), 0.5),
            "per_label": {label: {"f1": 0.5} for label in LABELS},
            "accuracy": right / 100,
            "macro_f1": right / 100 if macro_f1 is None else macro_f1,
            "auc": auc,
            "ece": ece if isinstance(ece, float) else ece[seed],
        }
        record = {
            "run_id": f"{contender}-{seed}",
            "model": model,
            "seed": seed if seeds is None else seeds[seed],
            "inputs": {"encoder": encoder},
            "corpus": {"labels": LABELS, "reading": {}},
            "metrics": {"test": test},
        }
        runs.append(Run(None, record, predictions))
    return runs


def decide(name, **evidence):
    nothing = {
        "compared": {},
        "rates": {},
        "noises": pd.DataFrame(),
        "ratios": {},
        "gates": {},
        "gated": {OURS: "transformer@minilm", OURS_FROM_SCRATCH: "transformer@scratch"},
    }
    decided = decide_claims(Evidence(**{**nothing, **evidence}))
    return next(claim for claim in decided if claim.name == name)


def test_without_runs_nothing_was_run():
    evidence = Evidence({}, {}, pd.DataFrame(), {}, {}, {})
    decided = decide_claims(evidence)
    assert len(decided) == len({claim.name for claim in decided}) == 10
    assert decided[0].name == "result"
    assert {claim.verdict for claim in decided} == {NOT_RUN}
    assert all(claim.test and claim.measured for claim in decided)


@pytest.mark.parametrize(
    "differences, verdict",
    [
        ([0.03], HOLDS),
        ([0.01], UNDECIDED),
        ([-0.01], UNDECIDED),
        ([-0.03], REFUTED),
        ([None], NOT_RUN),
        ([], NOT_RUN),
        # Of two each is resolved after the correction for both, or not: p is 0.04.
        ([0.021], HOLDS),
        ([0.021, 0.021], UNDECIDED),
        ([0.021, 0.04], HOLDS),
        ([0.021, -0.021], UNDECIDED),
        ([-0.021, 0.04], REFUTED),
        ([-0.03, 0.04], REFUTED),
        ([0.04, None], NOT_RUN),
        # One pair refutes an order, whatever the missing ones will say.
        ([-0.04, None], REFUTED),
    ],
)
def test_differences_hold_together_and_are_refuted_by_one(differences, verdict):
    there = [None if value is None else found(value) for value in differences]
    resolved = resolve(dict(enumerate(there)))
    assert [one is None for one in resolved.values()] == [one is None for one in there]
    assert verdict_of_differences(resolved.values()) == verdict


@pytest.mark.parametrize(
    "low, high, verdict",
    [
        (0.01, 0.05, HOLDS),
        (0.01, 0.06, UNDECIDED),
        (0.051, 0.06, REFUTED),
        (None, None, UNDECIDED),
        (np.nan, np.nan, UNDECIDED),
    ],
)
def test_an_interval_is_judged_whole(low, high, verdict):
    assert verdict_of_interval(low, high, 0.05) == verdict


def test_the_worst_part_decides():
    assert all_of([HOLDS, HOLDS]) == HOLDS
    assert all_of([HOLDS, UNDECIDED]) == UNDECIDED
    assert all_of([NOT_RUN, UNDECIDED]) == NOT_RUN
    assert all_of([NOT_RUN, REFUTED]) == REFUTED
    assert all_of([]) == NOT_RUN


@pytest.mark.parametrize(
    "right, auc, verdict",
    [
        # Ours 89.1, 88.3 and 93.0; of 100 texts, 84 right are within chance of 89.1.
        ([84, 85], 0.93, HOLDS),
        ([95, 96], 0.95, HOLDS),
        ([70, 71], 0.93, REFUTED),
        ([70], 0.93, NOT_RUN),
    ],
)
def test_the_first_claim_is_the_papers_result(right, auc, verdict):
    claim = decide("result", compared={OURS: runs_of(OURS, right, auc=auc, macro_f1=0.89)})
    assert claim.verdict == verdict
    assert "89.1 % accuracy, 88.3 % F1 and 93.0 % AUC" in claim.sentence
    if verdict == NOT_RUN:
        return
    mean = np.mean(right)
    spread = np.mean([np.arange(100) < number for number in right], axis=0)
    variances = spread.var(ddof=1) / 100, np.var(right, ddof=1) / 1e4 / 2
    freedom = sum(variances) ** 2 / (variances[0] ** 2 / 99 + variances[1] ** 2)
    half = 100 * stats.t.ppf(0.975, freedom) * np.sqrt(sum(variances))
    number = f"Accuracy {mean:.1f} ({mean - half:.1f} to {mean + half:.1f}), the paper 89.1: "
    assert number + ("reached" if verdict == HOLDS else "missed") in claim.measured[0]


def test_a_number_is_reached_beside_others_that_are_missed():
    claim = decide("result", compared={OURS: runs_of(OURS, [70, 71], auc=0.94)})
    assert claim.verdict == REFUTED
    assert "the paper 89.1: missed" in claim.measured[0]
    assert "the paper 93.0: reached" in claim.measured[0]


@pytest.mark.parametrize(
    "ours, scratch, verdict",
    [
        ([90, 91], [90, 91], HOLDS),
        ([90, 91], [70, 71], UNDECIDED),
        ([90, 91], [40, 41], UNDECIDED),
        ([70, 71], [40, 41], UNDECIDED),
        ([40, 41], [40, 41], REFUTED),
        ([90, 91], None, HOLDS),
        (None, [40, 41], NOT_RUN),
    ],
)
def test_its_lead_over_bert_is_decided_by_all_its_forms(ours, scratch, verdict):
    rights = {OURS: ours, OURS_FROM_SCRATCH: scratch, BERT: [69, 70]}
    compared = {name: runs_of(name, right) for name, right in rights.items() if right}
    claim = decide("leads-bert", compared=compared)
    assert claim.verdict == verdict
    shown = claim.table.shown.set_index("Pair")
    for title, right in (("Pretrained encoder", ours), ("From scratch", scratch)):
        if right:
            difference = f"{np.mean(right) - 69.5:+.1f}".replace("-", "−")
            assert shown.loc["Ours above BERT", title].startswith(f"{difference} (")


def test_a_single_run_decides_nothing():
    compared = {
        OURS: runs_of(OURS, [90]),
        BERT: runs_of(BERT, [69, 70]),
    }
    assert decide("leads-bert", compared=compared).verdict == NOT_RUN


def test_two_runs_resolve_little():
    # 80 against 60 with a standard error of 10 points for each model: by Student's t of about two
    # degrees of freedom 14 * 4 points would have to be between them.
    compared = {
        OURS: runs_of(OURS, [90, 70]),
        BERT: runs_of(BERT, [70, 50]),
    }
    assert decide("leads-bert", compared=compared).verdict == UNDECIDED


def compared_of(rights):
    return {name: runs_of(name, [right, right]) for name, right in rights.items()}


FIVE = {OURS: 95, BERT: 80, "transformer@scratch": 48, "lstm@scratch": 52, "cnn@scratch": 56}
VECTORS = {"transformer@embeddings": 65, "lstm@embeddings": 50, "cnn@embeddings": 35}


@pytest.mark.parametrize("name, num_pairs", [("order", 10), ("order-of-four", 6)])
def test_an_order_is_refuted_by_a_pair_that_are_no_neighbours(name, num_pairs):
    claim = decide(name, compared=compared_of(FIVE))
    assert claim.verdict == REFUTED
    assert claim.measured == [
        "From scratch: refuted, since CNN (from scratch) is above Transformer (from scratch)."
    ]
    assert len(claim.table.frame) == num_pairs


@pytest.mark.parametrize("name", ["order", "order-of-four"])
def test_an_order_is_decided_under_every_reading_side_by_side(name):
    claim = decide(name, compared=compared_of(FIVE | VECTORS))
    assert claim.verdict == UNDECIDED
    assert claim.measured == [
        "From scratch: refuted, since CNN (from scratch) is above Transformer (from scratch).",
        "Pretrained vectors: holds.",
    ]
    shown = claim.table.shown.set_index("Pair")
    assert list(shown) == ["From scratch", "Pretrained vectors"]
    assert shown.loc["Verdict"].tolist() == ["refuted", "holds"]
    assert shown.loc["CNN:"].tolist() == ["CNN (from scratch)", "CNN (pretrained vectors)"]
    pair = shown.loc["Transformer above CNN"]
    assert [cell.partition(" ")[0] for cell in pair] == ["−8.0", "+30.0"]
    row = shown.index.get_loc("Transformer above CNN")
    assert {(row, "From scratch"), (row, "Pretrained vectors")} <= claim.table.bold
    # The numbers are those of the differences, corrected for the pairs of the reading.
    of_reading = claim.table.frame[claim.table.frame["reading"] == "from scratch"]
    assert of_reading["p_holm"].tolist() == pytest.approx(holm(of_reading["p_value"]))
    # Where all readings say so, the claim does.
    other = {"transformer@scratch": 65, "lstm@scratch": 50, "cnn@scratch": 35}
    assert decide(name, compared=compared_of(FIVE | VECTORS | other)).verdict == HOLDS


def test_a_row_that_was_not_run_over_vectors_stands_as_it_is_from_scratch():
    only = {"transformer@embeddings": 65}
    claim = decide("order-of-four", compared=compared_of(FIVE | only))
    shown = claim.table.shown.set_index("Pair")
    assert shown.loc["Transformer:"].tolist() == [
        "Transformer (from scratch)",
        "Transformer (pretrained vectors)",
    ]
    assert shown.loc["LSTM:"].tolist() == ["LSTM (from scratch)"] * 2
    # The same pair, with the same difference under both.
    assert shown.loc["LSTM above CNN"].str.partition(" ")[0].nunique() == 1


def rates_of(by_rate, contender=OURS, **options):
    return {
        (contender, rate): runs_of(contender, rights, **options) for rate, rights in by_rate.items()
    }


@pytest.mark.parametrize(
    "by_rate, verdict",
    [
        ({1e-5: [60, 61], 1e-4: [90, 91], 1e-3: [50, 51]}, HOLDS),
        ({1e-5: [89, 90], 1e-4: [90, 91], 1e-3: [50, 51]}, UNDECIDED),
        ({1e-5: [90, 91], 1e-4: [60, 61]}, REFUTED),
        ({1e-5: [60, 61], 1e-3: [90, 91]}, NOT_RUN),
        ({1e-4: [60, 61]}, NOT_RUN),
    ],
)
def test_the_best_rate_leads_every_other(by_rate, verdict):
    assert decide("best-rate", rates=rates_of(by_rate)).verdict == verdict


def test_the_best_rate_is_best_in_auc_too():
    rates = rates_of({1e-4: [90, 91]}, auc=0.8) | rates_of({1e-3: [50, 51]}, auc=0.9)
    claim = decide("best-rate", rates=rates)
    assert claim.verdict == UNDECIDED
    assert "AUC at 1e-3" in claim.measured[0]


def test_the_form_that_stands_for_the_papers_decides_and_others_are_told():
    rates = rates_of({1e-4: [60, 61], 1e-3: [90, 91]}, OURS_FROM_SCRATCH)
    assert decide("best-rate", rates=rates).verdict == REFUTED
    rates |= rates_of({1e-4: [90, 91], 1e-3: [60, 61]})
    claim = decide("best-rate", rates=rates)
    assert claim.verdict == HOLDS
    assert claim.measured[1].startswith("Gated Transformer (from scratch) (refuted)")


@pytest.mark.parametrize("auc, verdict", [(0.20, HOLDS), (0.60, UNDECIDED), (0.895, REFUTED)])
def test_high_rates_hurt_auc_beyond_the_others(auc, verdict):
    # Accuracy and F1 lose 28, 30 and 32 points; AUC 70, 30 or half a point.
    best = rates_of({1e-4: [90, 90, 90]}, auc=0.9)
    high = rates_of({1e-3: [62, 60, 58]}, auc=auc)
    claim = decide("high-rates", rates=best | high)
    assert claim.verdict == verdict
    assert f"AUC {100 * (0.9 - auc):.1f}" in claim.measured[0]


def test_high_rates_that_help_auc_refute_that_they_hurt():
    rates = rates_of({1e-4: [90, 90]}, auc=0.8) | rates_of({1e-3: [95, 95]}, auc=0.9)
    assert decide("high-rates", rates=rates).verdict == REFUTED


def test_an_order_names_what_was_not_run():
    claim = decide("order-of-four", compared={BERT: runs_of(BERT, [70, 70])})
    assert claim.verdict == NOT_RUN and claim.table is None
    assert claim.measured == [
        "From scratch: not run. Two runs each are needed, and are not there of "
        "Transformer (from scratch), LSTM (from scratch), CNN (from scratch)."
    ]


@pytest.mark.parametrize("name", ["stable-noise", "stable-ratios", "calibrated"])
def test_claims_that_our_limits_decide_say_so(name):
    assert decide(name).by_our_limit
    assert "limit" in decide(name).test
    assert not decide("leads-bert").by_our_limit


def noises_of(losses, contender=OURS, kind="typos", level=0.1, clean=0.8):
    rows = []
    for seed, lost in enumerate(losses):
        of_run = {"contender": contender, "run": f"{contender}{seed}", "seed": seed, "kind": kind}
        rows.append({**of_run, "level": 0.0, "accuracy": clean})
        rows.append({**of_run, "level": level, "accuracy": clean - lost})
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    "losses, verdict",
    [
        ([0.01, 0.02, 0.015], HOLDS),
        ([0.01, 0.09, 0.05], UNDECIDED),
        ([0.1, 0.11, 0.12], REFUTED),
        ([0.01], UNDECIDED),
    ],
)
def test_stable_is_what_loses_little_under_noise(losses, verdict):
    assert decide("stable-noise", noises=noises_of(losses)).verdict == verdict


def test_one_kind_of_noise_is_enough_to_be_unstable():
    noises = pd.concat(
        [noises_of([0.01, 0.011]), noises_of([0.2, 0.21, 0.22], kind="delete_words")]
    )
    claim = decide("stable-noise", noises=noises)
    assert claim.verdict == REFUTED
    assert (
        "1 of 2 kinds" in claim.measured[0] and "delete words costs most, 21.0" in claim.measured[0]
    )


def test_noise_at_other_levels_alone_decides_nothing():
    assert decide("stable-noise", noises=noises_of([0.01, 0.02], level=0.4)).verdict == NOT_RUN


@pytest.mark.parametrize(
    "rights, verdict", [([90, 90], HOLDS), ([85, 86], UNDECIDED), ([60, 61], REFUTED)]
)
def test_less_data_is_the_largest_share_up_to_a_half(rights, verdict):
    ratios = {
        (OURS, 1.0): runs_of(OURS, [91, 91]),
        (OURS, 0.8): runs_of(OURS, [10, 10]),
        (OURS, 0.4): runs_of(OURS, rights),
        (OURS, 0.1): runs_of(OURS, [10, 10]),
    }
    claim = decide("stable-ratios", ratios=ratios)
    assert claim.verdict == verdict
    assert "with 40 % of the training texts" in claim.measured[0]


@pytest.mark.parametrize(
    "ece, verdict",
    [([0.01, 0.011], HOLDS), ([0.03, 0.07], UNDECIDED), ([0.1, 0.101], REFUTED)],
)
def test_calibrated_is_a_small_error_with_its_interval(ece, verdict):
    # Right and sure everywhere, so that other texts would change nothing.
    compared = {OURS: runs_of(OURS, [100, 100], ece=ece)}
    assert decide("calibrated", compared=compared).verdict == verdict


def test_a_small_error_on_few_texts_is_not_resolved():
    # Sure and right about 70 of 100 texts: over texts the error moves by 9 points either way.
    compared = {OURS: runs_of(OURS, [70, 70], ece=[0.01, 0.011])}
    assert decide("calibrated", compared=compared).verdict == UNDECIDED


@pytest.mark.parametrize(
    "gated, plain, verdict",
    [(90, 60, HOLDS), (70, 69, UNDECIDED), (60, 90, REFUTED)],
)
def test_the_gate_is_what_differs_between_two_models(gated, plain, verdict):
    compared = {
        "gated_transformer@scratch": runs_of("gated_transformer@scratch", [gated, gated]),
        "transformer@scratch": runs_of("transformer@scratch", [plain, plain]),
    }
    assert decide("gate", compared=compared).verdict == verdict


def test_a_model_with_a_gate_is_a_form_of_the_papers_whatever_its_name():
    runs = runs_of("sigmoid@scratch", [90, 91])
    plain = runs_of("plain@scratch", [60, 61])
    evidence = {
        "compared": {"sigmoid@scratch": runs, "plain@scratch": plain},
        "gated": {"sigmoid@scratch": "plain@scratch"},
    }
    claim = decide("gate", **evidence)
    assert claim.verdict == HOLDS and claim.measured[0].startswith(
        "sigmoid (from scratch) against plain (from scratch): +30.0"
    )
    assert decide("calibrated", **evidence).measured[0].startswith("sigmoid (from scratch): ")
    # A name says nothing of a gate.
    named = {"compared": {"gated_transformer@words": runs_of("gated_transformer@words", [90, 91])}}
    assert decide("calibrated", **named).verdict == NOT_RUN


def test_the_gate_must_help_under_noise_where_that_was_tested():
    gated, plain = "gated_transformer@scratch", "transformer@scratch"
    compared = {gated: runs_of(gated, [90, 90]), plain: runs_of(plain, [60, 60])}
    for losses, verdict in (([0.01, 0.02], HOLDS), ([0.2, 0.21], REFUTED)):
        noises = pd.concat([noises_of(losses, gated), noises_of([0.1, 0.11], plain)])
        claim = decide("gate", compared=compared, noises=noises)
        assert claim.verdict == verdict
        assert "under noise" in claim.measured[-1]


def test_forms_of_the_gate_are_evidence_where_no_comparison_is():
    gates = {
        (OURS, "features"): runs_of(OURS, [90, 90]),
        (OURS, "none"): runs_of(OURS, [60, 60]),
    }
    assert decide("gate", gates=gates).verdict == HOLDS


def test_correctness_is_a_row_a_text_and_a_column_a_seed(tmp_path, make_run):
    for seed in (0, 3):
        make_run(tmp_path / "fit", "cnn@scratch", seed)
    runs = read_records(tmp_path).parts[0].runs
    correct = correct_by_text([run.predictions.assign(seed=run.seed) for run in runs])
    assert correct.shape == (90, 2) and list(correct.columns) == [0, 3]
    for run in runs:
        assert correct[run.seed].mean() == pytest.approx(run.test["accuracy"])
        rows = run.predictions.set_index("id").loc[correct.index]
        assert np.array_equal(correct[run.seed], rows["label"] == rows["predicted"])
