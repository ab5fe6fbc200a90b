"""What is said of gates that close, from runs whose numbers are known."""

import types

import numpy as np
import pandas as pd
import pytest

from emotion_keras.evaluation.selection import COLUMNS, Selection
from emotion_keras.evaluation.significance import mean_interval
from reports.claims.selection import judge_gates
from reports.records import Run
from reports.sections import gate

pytestmark = [pytest.mark.usefixtures("garbage")]

NAME = "gated_transformer@scratch"
SEEDS = range(3)


def runs_of(right, gate=None, keep=1.0, ratio=1.0):
    """Runs on 400 texts each, right about as many per cent as `right` says."""
    runs = []
    for seed in SEEDS:
        correct = np.arange(400) % 100 < right + seed - 1
        predictions = pd.DataFrame(
            {
                "id": [str(number) for number in range(400)],
                "split": "test",
                "label": "joy",
                "predicted": np.where(correct, "joy", "fear"),
            }
        )
        record = {
            "run_id": f"{gate}-{keep}-{ratio}-{seed}",
            "schema_version": 2,
            "model": "gated_transformer",
            "seed": seed,
            "hyperparameters": {"gate": gate, "keep": keep} if gate else {},
            "corpus": {
                "labels": ["joy", "fear"],
                "protocol": {"train_fraction": ratio},
                "reading": {},
            },
            "metrics": {"test": {"accuracy": correct.mean()}},
        }
        runs.append(Run(None, record, predictions))
    return runs


def kept(share, **rights):
    """What gates keep of 10 words each, with how many of 100 texts are read rightly."""
    frames = []
    for seed in SEEDS:
        frame = pd.DataFrame({name: np.zeros(400) for name in COLUMNS})
        for chosen, right in rights.items():
            frame[f"own:{chosen}"] = frame[f"plain:{chosen}"] = (
                np.arange(400) * 7 % 100 < right + seed
            ).astype(float)
        frames.append(frame.assign(id=range(400), words=10.0, kept=10.0 * share))
    return Selection(frames, {})


def judge(found, selections=None, noisy=None):
    by_share = selections or {}
    return judge_gates(
        {(NAME, value): runs for value, runs in found.items()},
        lambda runs: by_share.get(runs[0].record["hyperparameters"]["keep"]),
        lambda run: (noisy or {}).get((run.gate, run.seed)),
    )


FOUND = {
    "none": runs_of(60),
    "features": runs_of(60, "features"),
    "hard_concrete 0.5": runs_of(61, "hard_concrete", 0.5),
    "hard_concrete 0.2": runs_of(60, "hard_concrete", 0.2),
    "hard_concrete 0.1": runs_of(30, "hard_concrete", 0.1),
}
KEPT = {
    0.5: kept(0.52, kept=58, random=45, contribution=50),
    0.2: kept(0.24, kept=55, random=30, contribution=40),
    0.1: kept(0.11, kept=30, random=20, contribution=20),
}


def test_the_smallest_share_without_a_loss_is_named():
    judged = judge(FOUND, KEPT)
    sentence = judged.sentences["selection"]
    assert sentence.startswith("The gate earns its place by what it selects")
    assert "keeps 24.0 % of the words (hard concrete, 20 %)" in sentence
    assert "differs by +25.0 points" in sentence
    assert "by +15.0 points (+11.6 to +18.4) from that on those of the largest" in sentence
    assert set(judged.sentences) == {"selection"}
    # That of 10 % is resolved to be worse.
    worst = judged.accuracy[4]
    assert worst.is_resolved and worst.difference.difference == pytest.approx(-0.3)


def test_words_that_contributions_would_have_found_earn_nothing():
    no_better = {share: kept(share, kept=50, random=30, contribution=50) for share in KEPT}
    sentence = judge(FOUND, no_better).sentences["selection"]
    assert sentence.startswith("No gate selects words that are resolved to be better than those")


def test_a_gate_that_costs_accuracy_is_said_to():
    found = {"none": FOUND["none"], "hard_concrete 0.1": FOUND["hard_concrete 0.1"]}
    sentence = judge(found, KEPT).sentences["selection"]
    assert "is less often right with every gate that closes" in sentence


@pytest.mark.parametrize(("less", "begins"), [(0.0, "No form of"), (0.05, "Gated Transformer")])
def test_noise_is_judged_by_what_is_lost_beyond_no_gate(less, begins):
    spread = (-0.002, 0.0, 0.002)
    noisy = {}
    for seed in SEEDS:
        noisy[None, seed] = 0.5
        noisy["features", seed] = 0.5 + less + spread[seed]
    found = {"none": FOUND["none"], "features": FOUND["features"]}
    judged = judge(found, noisy=noisy)
    lost = [run.test["accuracy"] - noisy["features", run.seed] for run in FOUND["features"]]
    plain = [run.test["accuracy"] - 0.5 for run in FOUND["none"]]
    expected = mean_interval(np.array(lost) - np.array(plain))
    one = judged.lost[1].difference
    assert (one.difference, one.low, one.high) == pytest.approx(expected)
    assert judged.sentences["noise"].startswith(begins)
    assert "under noise: at level 0.1" in judged.sentences["noise"]


def test_few_texts_are_judged_against_no_gate_on_as_few():
    found = {
        "none": runs_of(60),
        "hard_concrete 0.5": runs_of(60, "hard_concrete", 0.5),
        "none, 5 % of the data": runs_of(30, ratio=0.05),
        "hard_concrete 0.5, 5 % of the data": runs_of(50, "hard_concrete", 0.5, 0.05),
        "none, 10 % of the data": runs_of(50, ratio=0.1),
        "hard_concrete 0.5, 10 % of the data": runs_of(50, "hard_concrete", 0.5, 0.1),
    }
    sentence = judge(found).sentences["data"]
    assert sentence == (
        "Gated Transformer (from scratch) with hard concrete, 50 % helps with 5 and 10 % of the "
        "training split: Gated Transformer (from scratch) with hard concrete, 50 % gains most, "
        + sentence[sentence.index("+20.0 points") :]
    )
    assert sentence.endswith("with 5 %.")
    del found["hard_concrete 0.5, 5 % of the data"]
    assert judge(found).sentences["data"].startswith("No form of the gate helps with 10 %")


def test_noise_is_judged_at_the_level_that_runs_were_tested_at():
    levels = {"a": [0.1, 0.3], "b": [0.3], "c": None}

    def read_beside(run, name, columns):
        found = levels[run]
        return found and pd.DataFrame({"kind": "typos", "level": found, "accuracy": 0.5})

    findings = types.SimpleNamespace(records=types.SimpleNamespace(read_beside=read_beside))
    chosen = {runs: gate._noise_level(runs, findings) for runs in ("abc", "bc", "c")}
    assert chosen == {"abc": 0.1, "bc": 0.3, "c": 0.1}
