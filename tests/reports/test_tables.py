import csv
import io

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from emotion_keras.evaluation.predictions import probability_columns
from reports import tables
from reports.records import points, read_records
from reports.tables import Table

pytestmark = pytest.mark.one_backend


def student(values):
    """Mean and Student's 95 % interval by scipy's own function."""
    values = np.asarray(values)
    low, high = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
    return values.mean(), low, high


HOSTILE = [
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    " =1",
    r"\input{secret} 5$ & 10% #1 a_b ~ ^ {x}",
    "a|b\nc",
    "turned \u202earound\u200f",
]


@pytest.fixture
def hostile():
    frame = pd.DataFrame({"text": HOSTILE, "number": -np.arange(len(HOSTILE), dtype=float)})
    shown = pd.DataFrame({"a_b <i>": HOSTILE, "n": [f"−{n}" for n in range(len(HOSTILE))]})
    return Table("hostile", "50 % of <b>", frame, shown, {"n": "number"}, frozenset({(0, "n")}))


def test_csv_holds_no_formula_and_numbers_as_they_are(hostile):
    rows = list(csv.DictReader(io.StringIO(tables.to_csv(hostile.frame))))
    assert [row["text"].removeprefix("'") for row in rows] == HOSTILE
    risky = [row["text"] for row in rows if row["text"].lstrip(" ")[0] in "=+-@\t\r"]
    assert risky == []
    assert [float(row["number"]) for row in rows] == hostile.frame["number"].tolist()


def test_csv_headings_hold_no_formula():
    assert tables.to_csv(pd.DataFrame({"=cmd": [1]})).startswith("'=cmd")


def test_csv_is_in_full_precision():
    text = tables.to_csv(pd.DataFrame({"score": [1 / 3]}))
    assert float(text.splitlines()[1]) == 1 / 3


def test_markdown_is_a_table_that_no_text_breaks(hostile):
    text = tables.to_markdown(hostile)
    lines = text.splitlines()[2:]
    assert len(lines) == 2 + len(HOSTILE)
    assert all(line.replace(r"\|", "").count("|") == 3 for line in lines)
    assert "<script>" not in text and "<b>" not in text and "<i>" not in text
    assert lines[1] == "| --- | ---: |"
    assert lines[2].endswith("| **−0** |")


def test_latex_is_booktabs_without_commands_of_texts(hostile):
    text = tables.to_latex(hostile)
    for rule in (r"\toprule", r"\midrule", r"\bottomrule", r"\begin{tabular}{lr}"):
        assert rule in text
    assert r"\input" not in text and r"\textbackslash" in text
    assert r"5\$ \& 10\% \#1 a\_b" in text
    assert r"\caption{50 \% of $<$b$>$}" in text
    assert r"\textbf{$-$0}" in text
    assert "\u202e" not in text and "\u200f" not in text


def table_of(shown, numbers=()):
    frame = pd.DataFrame(shown)
    return tables.Table("made", "A caption.", frame, frame, {name: name for name in numbers})


def test_latex_lets_sentences_wrap_and_long_tables_go_on():
    # 10 characters and 2 between columns of 80; of the rest, 0.80, roots of 100 and 400: 1 to 2.
    shown = {"a": ["x" * 10], "b": ["word " * 20], "c": ["word " * 80]}
    assert r"p{0.27\linewidth}" in (text := tables.to_latex(table_of(shown)))
    assert r"p{0.53\linewidth}" in text and r"\begin{longtable}{l>" in text
    assert r"\begin{longtable}{r}" in tables.to_latex(table_of({"n": ["1"] * 46}, ["n"]))
    assert r"\begin{tabular}{r}" in tables.to_latex(table_of({"n": ["1"] * 45}, ["n"]))


def test_latex_can_be_compiled(hostile, compile_latex):
    wide = {f"column {n}": ["[1] * 2 < 3 > 2 | −1 ±2 → ×3", "*"] for n in range(9)}
    made = [hostile, table_of(wide), table_of({"a": ["word " * 99] * 50, "b": ["[x"] * 50})]
    assert "Overfull" not in compile_latex([tables.to_latex(table) for table in made])


def test_files_of_a_table_have_its_name(hostile, tmp_path):
    tables.write_table(hostile, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "hostile.csv",
        "hostile.md",
        "hostile.tex",
    ]


@pytest.mark.parametrize(
    "value, signed, text",
    [(0.7041, False, "70.4"), (-0.008, True, "−0.8"), (0.008, True, "+0.8"), (np.nan, False, "–")],
)
def test_fractions_are_shown_in_per_cent(value, signed, text):
    assert tables.percent(value, signed) == text


@pytest.mark.parametrize(
    "value, text",
    [(5e-5, "5e-5"), (2.5e-4, "2.5e-4"), (0.001, "1e-3"), (0.05, "0.05"), (1.0, "1"), (0.0, "0")],
)
def test_values_are_short(value, text):
    assert tables.value_in_words(value) == text


def test_the_papers_numbers_are_those_of_its_table_1():
    found = {name: values for name, *values in tables.PAPER.values()}
    assert found == {
        "CNN": [0.812, 0.798, 0.856],
        "LSTM": [0.835, 0.821, 0.872],
        "Transformer": [0.853, 0.845, 0.891],
        "BERT": [0.876, 0.869, 0.914],
        "Ours": [0.891, 0.883, 0.93],
    }


def test_summary_is_mean_and_students_interval():
    frame = pd.DataFrame(
        {
            "contender": ["a", "a", "a", "b"],
            "accuracy": [0.7, 0.72, 0.77, 0.5],
            "macro_f1": [0.6, 0.61, 0.62, 0.4],
            "auc": [0.9, np.nan, 0.9, 0.8],
        }
    )
    a, b = tables.summarize(frame, ["contender"]).to_dict("records")
    for metric in ("accuracy", "macro_f1"):
        found = [a[f"{metric}_{end}"] for end in ("mean", "low", "high")]
        assert found == pytest.approx(student(frame[metric][:3]))
    # One run without AUC, and a single run without interval.
    assert np.isnan(a["auc_mean"])
    assert b["accuracy_mean"] == 0.5 and np.isnan(b["accuracy_low"])
    assert a["runs"] == 3 and b["runs"] == 1


def compared_with(differences, reference="a"):
    rows = [{"name": reference}]
    for name, (difference, resolved) in differences.items():
        values = {"low": difference - 0.01, "high": difference + 0.01, "smallest": 0.01}
        rows.append(
            {
                "name": name,
                "difference": {
                    "difference": difference,
                    "p_holm": 0.01,
                    "resolved": resolved,
                    **values,
                },
            }
        )
    return {"reference": reference, "contenders": rows}


class FakeRun:
    def __init__(self, name, accuracy):
        self.name, self.seed = name, 0
        self.test = {"accuracy": accuracy, "macro_f1": accuracy, "auc": None}


@pytest.mark.parametrize(
    "resolved, reference, is_bold",
    [((True, True), "a", True), ((True, False), "a", False), ((True, True), "b", False)],
)
def test_the_best_is_bold_where_its_lead_is_resolved(resolved, reference, is_bold):
    compared = {
        name: [FakeRun(name, accuracy)] for name, accuracy in (("b", 0.6), ("a", 0.7), ("c", 0.5))
    }
    others = [name for name in "abc" if name != reference]
    differences = dict(zip(others, ((-0.1, resolved[0]), (-0.2, resolved[1])), strict=True))
    table = tables.comparison_table(compared, compared_with(differences, reference), "days")
    assert table.frame["contender"].tolist() == ["a", "b", "c"]
    assert table.bold == ({(0, "Accuracy")} if is_bold else set())
    assert ("No accuracy is bold" in table.caption) is not is_bold


def test_without_predictions_table_1_has_no_differences():
    table = tables.comparison_table({"a": [FakeRun("a", 0.7)]}, None, "days")
    assert table.frame["difference"].isna().all() and not table.bold
    assert table.shown["Accuracy"].tolist() == ["70.0"] and table.shown["AUC"].tolist() == ["–"]


@pytest.mark.parametrize(
    "contender, kind",
    [
        ("tfidf_svm", "anchor"),
        ("cnn@scratch", "from scratch"),
        ("cnn@embeddings", "pretrained vectors"),
        ("bert@minilm", "pretrained"),
    ],
)
def test_pretrained_and_from_scratch_are_told_apart(contender, kind):
    assert tables.kind_of(contender) == kind


def search(scores, option="rate"):
    return {
        "contender": "cnn@scratch",
        "trials": [
            {"trial": str(n), "options": {option: value}, "score": score, "reason": None}
            for n, (value, score) in enumerate(scores, start=1)
        ],
    }


def test_importance_is_epsilon_squared():
    scores = [(1, 0.5), (1, 0.52), (2, 0.6), (2, 0.64), (4, 0.55), (4, 0.51)]
    (row,) = tables.importance_table(search(scores)).frame.to_dict("records")
    by_value = {value: [s for v, s in scores if v == value] for value, _ in scores}
    every = [score for _, score in scores]
    total = sum((score - np.mean(every)) ** 2 for score in every)
    within = sum((s - np.mean(group)) ** 2 for group in by_value.values() for s in group)
    expected = (total - within - (3 - 1) * within / (6 - 3)) / total
    assert row["importance"] == pytest.approx(expected)
    assert (row["values"], row["trials"]) == (3, 6)
    # Sums of ranks 4, 11 and 6: H is 12 / 42 * (16 + 121 + 36) / 2 - 21 = 26 / 7, and of chi
    # squared with two degrees of freedom the tail is exp(-H / 2).
    assert row["p_holm"] == pytest.approx(np.exp(-13 / 7))


@pytest.mark.parametrize("apart, said", [(0.3, "Resolved: rate."), (0.0, "No option is resolved")])
def test_importance_says_whether_it_is_more_than_chance(apart, said):
    # A collapsed trial on either side has most of the variance, and not most of the ranks.
    scores = [(1, 0.5 + n / 100) for n in range(6)] + [(1, 0.03)]
    scores += [(2, 0.505 + apart + n / 100) for n in range(6)] + [(2, 0.035 + apart)]
    assert said in tables.importance_table(search(scores)).caption


@pytest.mark.parametrize(
    "scores",
    [
        [(1, 0.5), (2, 0.6)],
        [(1, 0.5), (1, 0.6)],
        [(1, 0.5), (1, 0.51), (2, 0.6), (2, 0.61)],
        [(1, 0.5), (1, 0.51), (1, 0.52), (2, 0.6), (3, 0.7), (4, 0.8), (5, 0.9)],
        [(1, 0.5), (1, 0.5), (1, 0.5), (2, 0.5), (2, 0.5), (2, 0.5)],
    ],
)
def test_few_trials_show_no_importance(scores):
    assert tables.importance_table(search(scores)) is None


def test_trials_without_a_score_come_last_with_their_reason():
    found = search([(1, 0.5), (2, 0.6)])
    for name, reason in (("3", "no memory"), ("4", None)):
        trial = {"trial": name, "options": {"rate": 9}, "score": None, "reason": reason}
        found["trials"].append(trial)
    table = tables.search_table(found)
    assert table.shown["Trial"].tolist() == ["2", "1", "3", "4"]
    assert table.shown["Why it has no score"].tolist() == ["", "", "no memory", "under way"]
    assert table.shown["Macro F1 (val)"].tolist() == ["60.0", "50.0", "–", "–"]


def test_noise_starts_from_the_texts_as_they_are(runs_dir):
    records = read_records(runs_dir)
    part = records.parts[0]
    frame = tables.runs_of_noise(records, points(part, "noise"))
    assert len(frame) == 3 * 2 * 3
    for run in points(part, "noise")["gated_transformer@minilm", 0.0]:
        own = frame[(frame["run"] == run.name) & (frame["level"] == 0)]
        assert own["kind"].tolist() == ["typos", "lose_case"]
        assert own["accuracy"].tolist() == [run.test["accuracy"]] * 2
    assert (
        frame["level"].tolist()
        == [0.0] * 3 + [0.1] * 3 + [0.4] * 3 + [0.0] * 3 + [0.1] * 3 + [0.4] * 3
    )


def test_labels_have_their_f1_with_interval(runs_dir):
    part = read_records(runs_dir / "comparison").parts[0]
    runs = [run for run in part.runs if run.contender == "cnn@scratch"]
    table, frame = tables.label_table({"cnn@scratch": runs})
    for label in ("joy", "fear", "anger"):
        mean, low, high = student([run.test["per_label"][label]["f1"] for run in runs])
        (row,) = frame[frame["label"] == label].to_dict("records")
        assert [row["f1_mean"], row["f1_low"], row["f1_high"]] == pytest.approx([mean, low, high])
        assert table.shown[label].tolist() == [f"{100 * mean:.1f} ±{100 * (high - mean):.1f}"]


def test_temperature_makes_the_validation_split_likeliest(runs_dir):
    part = read_records(runs_dir / "comparison").parts[0]
    runs = [run for run in part.runs if run.contender == "cnn@scratch"]
    table, curves = tables.calibration_table({"cnn@scratch": runs})
    (row,) = table.frame.to_dict("records")
    best = []
    for run in runs:
        rows = run.predictions[run.predictions["split"] == "val"]
        logits = np.log(rows[probability_columns(run.labels)].to_numpy())
        label_ids = rows["label"].map(run.labels.index).to_numpy()
        losses = {}
        for temperature in np.geomspace(0.1, 10, 400):
            scaled = np.exp(logits / temperature)
            scaled /= scaled.sum(1, keepdims=True)
            losses[temperature] = -np.log(scaled[np.arange(len(rows)), label_ids]).mean()
        best.append(min(losses, key=losses.get))
    assert row["temperature"] == pytest.approx(np.mean(best), rel=0.02)
    assert row["ece_mean"] == pytest.approx(np.mean([run.test["ece"] for run in runs]))
    before = curves[~curves["scaled"]]
    assert before["num_texts"].sum() == 3 * 90
    mean = np.average(before["accuracy"], weights=before["num_texts"])
    assert mean == pytest.approx(np.mean([run.test["accuracy"] for run in runs]))


def test_confusion_is_added_up_over_runs(runs_dir):
    part = read_records(runs_dir / "comparison").parts[0]
    runs = [run for run in part.runs if run.contender == "cnn@scratch"]
    frame = tables.confusion_frame(runs)
    expected = pd.concat(run.predictions[run.predictions["split"] == "test"] for run in runs)
    for label in frame.index:
        for predicted in frame.columns:
            count = ((expected["label"] == label) & (expected["predicted"] == predicted)).sum()
            assert frame.loc[label, predicted] == count
    shown = tables.confusion_table(runs, "cnn@scratch").shown
    joy = frame.loc["joy"]
    assert shown.loc[0, "joy"] == f"{joy['joy']} ({100 * joy['joy'] / joy.sum():.1f})"
