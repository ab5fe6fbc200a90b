import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from emotion_keras.errors import UserError
from emotion_keras.evaluation.comparison import compare_runs
from emotion_keras.evaluation.predictions import write_groups
from reports.display import fonts
from reports.render import main, render
from tests.fixtures.records import ISEAR

ROOT = Path(__file__).parents[3]
OURS = "gated_transformer@minilm"
NAME = "Gated Transformer (MiniLM)"

FIGURES = """
    comparison_accuracy learning_rate_auc noise_macro_f1 gate_minilm_auc data_ratio_accuracy
    wrong_labels_auc search_trials search_parallel training confusion label_tree
    label_f1 reliability confidence roc precision_recall coverage gate_words architecture
"""
TABLES = """
    table_1 differences learning_rate noise data_ratio gate search confusion label_f1 calibration
    errors confused_pairs faithfulness labels cost studies environment claims
    claim_leads_bert claim_order claim_order_of_four areas coverage thresholds
"""


# How the folders of the comparison's runs begin, by what the page calls their model.
STARTS = {
    NAME: "gated_transformer-minilm",
    "Transformer (MiniLM)": "transformer-minilm",
    "BERT (MiniLM)": "bert-minilm",
    "CNN (from scratch)": "cnn-scratch",
    "LSTM (from scratch)": "lstm-scratch",
    "Transformer (from scratch)": "transformer-scratch",
    "Gated Transformer (from scratch)": "gated_transformer-scratch",
    "TF-IDF + SVM": "tfidf_svm",
}
METRICS = {"accuracy": "Accuracy", "macro_f1": "Macro F1", "auc": "AUC"}


def records_of(runs_dir, study, start=""):
    """Records of a study by hand, sorted by seed."""
    paths = sorted((runs_dir / study).glob(f"{start}*/run.json"))
    return [json.loads(path.read_text()) for path in paths]


def accuracy_of(directories):
    """Mean accuracy of runs and half of its 95 % interval over texts and seeds, by hand."""
    frames = [pd.read_csv(path / "predictions.csv") for path in directories]
    tested = [frame[frame["split"] == "test"].sort_values("id") for frame in frames]
    right = np.array([frame["label"] == frame["predicted"] for frame in tested])
    spreads = {right.shape[1]: right.mean(axis=0), len(right): right.mean(axis=1)}
    variances = {n: values.var(ddof=1) / n for n, values in spreads.items() if n > 1}
    together = sum(variances.values())
    freedom = together**2 / sum(one**2 / (n - 1) for n, one in variances.items())
    return right.mean(), stats.t.ppf(0.975, freedom) * np.sqrt(together)


def check_scores(row, directories):
    """Compares a row of a table with the records and predictions in folders."""
    tests = [json.loads((path / "run.json").read_text())["metrics"]["test"] for path in directories]
    mean, half = accuracy_of(directories)
    assert row["Accuracy"] == f"{100 * mean:.1f} ±{100 * half:.1f}"
    spreads = []
    for key, title in METRICS.items():
        values = [100 * test[key] for test in tests]
        assert row[title].startswith(f"{np.mean(values):.1f} ±")
        spreads.append(f"{np.std(values, ddof=1):.1f}" if len(values) > 1 else "–")
    assert row["SD over seeds"] == ", ".join(spreads)


def test_all_is_well_and_nothing_is_left_out(rendered):
    out, code = rendered
    assert code == 0
    page = (out / "index.html").read_text(encoding="utf-8")
    assert len(page.encode()) < 5e6
    for figure in FIGURES.split():
        assert (out / "figures" / f"{figure}.png").stat().st_size > 500
        assert (out / "figures" / f"{figure}.svg").exists()
        assert f'href="figures/{figure}.png"' in page
    for table in TABLES.split():
        for ending in ("csv", "md", "tex"):
            assert (out / "tables" / f"{table}.{ending}").stat().st_size > 30
    assert (out / "MODEL_CARD.md").exists()


def test_the_page_stands_alone(rendered):
    text = (rendered[0] / "index.html").read_text(encoding="utf-8")
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', text)
    assert not re.findall(r"<(?:img|link|iframe)\b", text)
    assert "url(http" not in text and "@import" not in text


def test_baselines_lead_somewhere_and_names_are_there_once(page):
    names = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(names) == len(set(names))
    targets = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    for target in targets:
        assert not target.startswith("#") or target[1:] in names
    sections = [attrs["id"] for tag, attrs in page.tags if tag in ("section", "header")]
    assert [target[1:] for target in targets if target[1:] in sections][1 : 1 + len(sections)]
    assert set(sections) <= {target[1:] for target in targets}


def test_headings_are_in_order_and_figures_have_texts(page):
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))
    drawings = [attrs for tag, attrs in page.tags if tag == "svg"]
    assert len(drawings) == 31
    assert all(d["role"] == "img" and len(d["aria-label"]) > 40 for d in drawings)


def test_the_head_is_the_best_on_validation(page, runs_dir):
    directories = sorted((runs_dir / "comparison").glob("gated_transformer-minilm*"))
    mean, half = accuracy_of(directories)
    assert f"{NAME} labels {100 * mean:.1f} % of the test texts correctly, where" in page.text
    assert "where the paper reports 89.1 %; its accuracy, F1 and AUC are reached." in page.text
    assert re.search("Of the paper’s 10 claims: [0-9] refuted.*, [0-9] undecided, ", page.text)
    shown = " to ".join(f"{100 * end:.1f}" for end in (mean - half, mean + half))
    assert f"{100 * mean:.1f} {shown}" in page.text
    # The same number has the same interval in Table 1, and on the card.
    (row,) = [row for row in page.table("table_1") if row["Model"] == NAME]
    assert row["Accuracy"] == f"{100 * mean:.1f} ±{100 * half:.1f}"
    assert f"{100 * mean:.1f} % the mean of 3 ({shown} over texts and seeds)" in page.text


@pytest.mark.parametrize(
    "by_subject, groups, said",
    [
        (True, True, "texts of one respondent count together"),
        (True, False, "the records do not say which texts are of one respondent"),
        (False, False, None),
    ],
)
def test_the_head_says_whether_texts_of_one_respondent_count_together(
    tmp_path, make_run, change, quick, read_page, by_subject, groups, said
):
    for seed in range(2):
        directory = make_run(tmp_path / "runs" / "fit", "cnn@scratch", seed)
        corpus = json.loads((directory / "run.json").read_text())["corpus"]
        corpus["protocol"]["by_subject"] = by_subject
        change(directory, corpus=corpus)
    if groups:
        ids = [str(30 + number) for number in range(90)]
        write_groups(directory, ids, [number // 9 for number in range(90)])
    render(tmp_path / "runs", out=str(tmp_path / "report"), notify=lambda message: None)
    page = read_page(tmp_path / "report")
    assert said is None or said in page.text
    apart = "the records do not say" in page.text, "count together" in page.text
    assert apart == (by_subject and not groups, groups)
    mean, half = accuracy_of(sorted((tmp_path / "runs" / "fit").iterdir()))
    (row,) = page.table("table_1")
    assert (row["Accuracy"] == f"{100 * mean:.1f} ±{100 * half:.1f}") is not groups


def test_a_single_run_is_not_the_best(tmp_path, make_run, quick, read_page):
    for seed in range(2):
        make_run(tmp_path / "runs" / "fit", "cnn@scratch", seed, 0.5)
    make_run(tmp_path / "runs" / "fit", "lstm@scratch", 0, 0.99)
    render(tmp_path / "runs", out=str(tmp_path / "report"), notify=lambda message: None)
    page = read_page(tmp_path / "report")
    assert (
        "CNN (from scratch) labels" in page.text and "of those with more than one run" in page.text
    )
    assert page.table("table_1")[0]["Model"] == "LSTM (from scratch)"


def test_table_1_is_what_the_records_say(page, runs_dir):
    rows = page.table("table_1")
    means = []
    for row in rows:
        start = STARTS[row["Model"]]
        records = records_of(runs_dir, "comparison", start)
        assert row["Runs"] == str(len(records)) == "3"
        paths = sorted((runs_dir / "comparison").glob(f"{start}*"))
        check_scores(row, [path for path in paths if path.is_dir()])
        means.append(np.mean([record["metrics"]["test"]["accuracy"] for record in records]))
    assert means == sorted(means, reverse=True) and len(means) == 7
    papers = {row["Model"]: row["The paper"] for row in rows}
    assert papers[NAME] == "89.1, 88.3, 93.0" and papers["TF-IDF + SVM"] == "–"


def test_differences_are_those_of_the_evaluation(page, runs_dir, garbage):
    directories = [path.parent for path in (runs_dir / "comparison").glob("*/run.json")]
    compared = compare_runs(sorted(directories), OURS)
    expected = {
        row["name"]: row["difference"] for row in compared["contenders"] if "difference" in row
    }
    rows = page.table("differences")
    assert len(rows) == len(expected) == 6
    for row in rows:
        (found,) = [
            one for name, one in expected.items() if name.replace("@", "-") == STARTS[row["Model"]]
        ]
        assert row["Difference, points"] == f"{100 * found['difference']:+.1f}".replace("-", "−")
        low, high = (f"{100 * found[end]:+.1f}".replace("-", "−") for end in ("low", "high"))
        assert row["95 % interval"] == f"{low} to {high}"
        assert row["Resolved"] == ("yes" if found["resolved"] else "no")
        p = found["p_holm"]
        assert row["p (Holm)"] == ("< 0.001" if p < 0.001 else f"{p:.3f}")
        assert found["resolved"] is (p <= 0.05)


@pytest.mark.parametrize(
    "study, column",
    [("learning_rate", "Learning rate"), ("data_ratio", "Data ratio"), ("gate", "Gate or pooling")],
)
def test_analyses_are_what_the_records_say(page, runs_dir, study, column):
    points = json.loads((runs_dir / study / "sensitivity.json").read_text())["points"]
    rows = page.table(study)
    assert len(rows) == len(points)
    for row, point in zip(rows, points, strict=True):
        value = point["value"]
        assert (row[column] if study == "gate" else float(row[column])) == value
        check_scores(row, [runs_dir / study / name for name in point["run_ids"]])


def test_wrong_labels_are_shown_of_models_that_were_trained_with_them(page):
    rows = page.table("wrong_labels")
    assert [(row["Model"], float(row["Wrong labels"])) for row in rows] == [
        (NAME, 0.0),
        (NAME, 0.2),
    ]


def test_forms_of_the_gate_are_set_against_the_papers(page, runs_dir):
    points = json.loads((runs_dir / "gate" / "sensitivity.json").read_text())["points"]
    accuracy = {}
    for point in points:
        runs = [runs_dir / "gate" / name / "run.json" for name in point["run_ids"]]
        scores = [json.loads(path.read_text())["metrics"]["test"]["accuracy"] for path in runs]
        accuracy[point["value"]] = np.mean(scores)
    assert len(accuracy) > 2
    rows = page.table("gate")
    assert [row["Gate or pooling"] for row in rows] == list(accuracy)
    for row in rows:
        value = row["Gate or pooling"]
        difference, _, rest = row["Beyond features, points"].partition(" ")
        if value == "features":
            assert (difference, row["p (Holm)"]) == ("–", "–")
            continue
        expected = 100 * (accuracy[value] - accuracy["features"])
        low, high = rest.strip("()").replace("−", "-").split(" to ")
        assert float(difference.replace("−", "-")) == pytest.approx(expected, abs=0.051)
        assert float(low) < expected < float(high)
        assert row["p (Holm)"]


def test_noise_is_what_its_files_say(page, runs_dir):
    records = records_of(runs_dir, "noise", "gated_transformer-minilm-noise_0-")
    rows = page.table("noise")
    # Two kinds at two levels, and each at none.
    assert [float(row["Level"]) for row in rows if row["Model"] == NAME] == [0, 0.1, 0.4] * 2
    for row in rows:
        if row["Level"] == "0":
            accuracies = [record["metrics"]["test"]["accuracy"] for record in records]
        else:
            accuracies = [accuracy - float(row["Level"]) for accuracy in (0.8, 0.79, 0.78)]
            assert row["AUC"] == "80.0"
        assert row["Accuracy"] == f"{100 * np.mean(accuracies):.1f}"
        spread = f"{100 * np.std(accuracies, ddof=1):.1f}"
        assert row["SD over seeds"].split(", ")[0] == spread


def test_labels_and_confidence_are_what_the_records_say(page, runs_dir):
    records = records_of(runs_dir, "comparison", "gated_transformer-minilm")
    total = np.sum([record["metrics"]["test"]["confusion_matrix"] for record in records], axis=0)
    for row, counts in zip(page.table("confusion"), total, strict=True):
        for label, count in zip(ISEAR["labels"], counts, strict=True):
            assert row[label] == f"{count} ({100 * count / counts.sum():.1f})"
    (row,) = [row for row in page.table("label_f1") if row["Model"] == NAME]
    for label in ISEAR["labels"]:
        f1 = [r["metrics"]["test"]["per_label"][label]["f1"] for r in records]
        assert row[label].startswith(f"{100 * np.mean(f1):.1f} ±")
    (row,) = [row for row in page.table("calibration") if row["Model"] == NAME]
    ece = np.mean([record["metrics"]["test"]["ece"] for record in records])
    assert row["ECE, %"] == f"{100 * ece:.1f}"


def test_costs_are_what_the_records_say(page, runs_dir):
    rows = page.table("cost")
    assert len(rows) == 7
    for row in rows:
        assert row["Minutes a run"] == f"{61 / 60:.1f}" and row["ms for 1 text"] == "2.5"
        assert row["Peak memory, GB"] == "1.5" and row["Parameters"] == "1,234"
    seconds = [json.loads(p.read_text())["cost"]["seconds"] for p in runs_dir.rglob("run.json")]
    assert f"Training took {sum(seconds) / 3600:.1f} hours in all" in page.text
    assert "Energy is not measured" in page.text
    rows = page.table("studies")
    assert {row["Study"] for row in rows} == {path.name for path in runs_dir.iterdir()}
    for row in rows:
        assert row["Runs"] == str(len(records_of(runs_dir, row["Study"])))


def test_claims_have_verdicts_and_tests(page):
    chips = [attrs["class"] for tag, attrs in page.tags if "verdict" in attrs.get("class", "")]
    assert len(chips) >= 10
    for sentence in (
        "The gated Transformer reaches 89.1 %",
        "The gated Transformer leads BERT",
        "A learning rate of 1e-4 is best",
    ):
        assert sentence in page.text


def test_a_metric_is_a_figure_of_each_group(page):
    metrics = [attrs["data-metric"] for _, attrs in page.tags if "data-metric" in attrs]
    assert metrics == ["accuracy", "macro_f1", "auc"] * (len(metrics) // 3)
    assert len(metrics) == 3 * 6


def test_the_page_says_whether_predictions_rest_on_the_gates_words(page):
    assert (
        "Without the 20 % of words that the gate opens most the label's probability is 31.9 points "
        "lower, without as many random words 32.3 points lower (difference -0.4, -3.4 to +2.6). "
        "That they matter more than others is not resolved." in page.text
    )
    assert "(difference +5.2, +2.2 to +8.2). So they matter more than others." in page.text
    assert len(page.table("faithfulness")) == 2


def test_the_gates_view_is_of_a_model_whose_record_has_a_gate(
    tmp_path, make_run, quick, runs_dir, read_page
):
    kept = runs_dir / "comparison" / "gated_transformer-minilm-seed0"
    for name, hyperparameters in (
        ("sigmoid@scratch", {"gate": "features"}),
        ("gated_other@scratch", {"units": 8}),
    ):
        runs = tmp_path / name
        directory = make_run(runs / "fit", name, hyperparameters=hyperparameters)
        for file in ("gates.csv", "gate_words.csv", "faithfulness.csv"):
            shutil.copy(kept / file, directory)
        assert render(runs, out=str(tmp_path / "out"), notify=lambda _: None) == 0
        text = read_page(tmp_path / "out").text
        has_gate = "gate" in hyperparameters
        assert ("The gate of each word" in text) == has_gate
        assert ("Words that the gate opens and closes most" in text) == has_gate
        assert ("No model here has a gate" in text) != has_gate


def test_texts_are_escaped_and_keep_to_themselves(rendered, page):
    text = (rendered[0] / "index.html").read_text(encoding="utf-8")
    assert text.count("<script>") == 1
    assert "<b>bold</b>" not in text and "&lt;b&gt;bold&lt;/b&gt;" in text
    assert "<b>memory</b>" not in text
    for place in re.finditer("\u202e", text):
        before = text[: place.start()]
        inside = max(before.rfind("<bdi>"), before.rfind('dir="auto"'))
        assert inside > before.rfind("</bdi>") or inside > before.rfind("</p>")


@pytest.fixture
def hostile(tmp_path, make_run):
    labels = ["<script>alert('label')</script>", "=cmd|' /C calc'!A0", "\\input{x} $5 & \u202eb_c"]
    runs = tmp_path / "<b>runs</b>"
    for seed in range(2):
        name = f"<i>run</i> & {seed}"
        make_run(
            runs / "=study", "cnn@scratch", seed, labels=labels, corpus="<u>days</u>", name=name
        )
    return runs


def test_names_from_data_do_no_harm(hostile, tmp_path, quick, read_page):
    out = tmp_path / "report"
    assert render(hostile, out=str(out), notify=lambda message: None) == 0
    text = (out / "index.html").read_text(encoding="utf-8")
    assert text.count("<script>") == 1
    for tag in ("<i>run", "<u>days", "<b>runs"):
        assert tag not in text and tag.replace("<", "&lt;").replace(">", "&gt;") in text
    assert "<script>alert('label')</script>" in read_page(out).text
    for path in (out / "tables").glob("*.csv"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not re.search(r'(?:^|,)"?[=+@]', line), path
    for path in (out / "tables").glob("*.tex"):
        assert r"\input{x}" not in path.read_text(encoding="utf-8")
    for path in (out / "tables").glob("*.md"):
        assert "<script>" not in path.read_text(encoding="utf-8")
    assert "<u>days" not in (out / "MODEL_CARD.md").read_text(encoding="utf-8").split("---", 2)[2]


def test_an_empty_folder_is_a_page_that_says_what_to_run(tmp_path, read_page):
    runs = tmp_path / "runs"
    runs.mkdir()
    messages = []
    assert render(runs, out=str(tmp_path / "report"), notify=messages.append) == 2
    text = read_page(tmp_path / "report").text
    assert "no finished runs" in text and "python -m emotion_keras.compare" in text
    assert "no finished run" in messages[-1]


def test_what_is_broken_is_named_and_skipped(tmp_path, make_run, change, quick, read_page):
    make_run(tmp_path / "runs" / "fit", "cnn@scratch", 0)
    broken = make_run(tmp_path / "runs" / "fit", "cnn@scratch", 1)
    older = make_run(tmp_path / "runs" / "fit", "cnn@scratch", 2)
    (broken / "run.json").write_text("{")
    change(older, schema_version=0)
    messages = []
    assert render(tmp_path / "runs", out=str(tmp_path / "report"), notify=messages.append) == 1
    page = read_page(tmp_path / "report")
    assert str(broken / "run.json") in page.text and "schema_version=0" in page.text
    assert sum(line.startswith("Skipped") for line in messages) == 2
    assert page.table("table_1")[0]["Runs"] == "1"


def test_broken_files_beside_runs_are_named_and_left_out(tmp_path, make_run, quick, read_page):
    directory = make_run(tmp_path / "runs" / "noise", OURS, 0)
    point = {"contender": OURS, "value": 0.0, "run_ids": [directory.name]}
    (directory.parent / "sensitivity.json").write_text(
        json.dumps({"schema_version": 1, "analysis": "noise", "points": [point]})
    )
    names = (
        "history.csv",
        "noise.csv",
        "texts.csv",
        "gates.csv",
        "gate_words.csv",
        "faithfulness.csv",
    )
    for name in names:
        (directory / name).write_bytes(b"\xff\x00,;\n1")
    (directory / "architecture.json").write_text("[1]")
    (directory / "audit.json").write_text('{"words": 3, "steps": {"a": 1}}')
    messages = []
    assert render(tmp_path / "runs", out=str(tmp_path / "report"), notify=messages.append) == 1
    text = read_page(tmp_path / "report").text
    for name in (*names, "architecture.json"):
        assert sum(str(directory / name) in line for line in messages) == 1
        assert str(directory / name) in text
    assert len(read_page(tmp_path / "report").table("table_1")) == 1


def test_corpora_and_backends_are_kept_apart_and_said(tmp_path, make_run, quick, read_page):
    runs = tmp_path / "runs"
    for seed in range(2):
        make_run(runs / "comparison", "cnn@scratch", seed)
    make_run(runs / "comparison", "cnn@scratch", 7, 0.2, backend="torch")
    other = make_run(runs / "comparison", "lstm@scratch", 8, corpus="<weeks>")
    messages = []
    out = tmp_path / "report"
    assert render(runs, out=str(out), notify=messages.append) == 0
    page = read_page(out)
    (row,) = page.table("table_1")
    check_scores(row, [runs / "comparison" / f"cnn-scratch-seed{seed}" for seed in range(2)])
    assert "Kept apart" in page.text and "torch: 1 run" in page.text and "<weeks>" in page.text
    assert any(line.startswith("Kept apart") for line in messages)
    # Asked for, the others have a page of their own.
    assert render(runs, out=str(out), corpus="<weeks>", notify=messages.append) == 0
    (row,) = read_page(out).table("table_1")
    accuracy = json.loads((other / "run.json").read_text())["metrics"]["test"]["accuracy"]
    assert row["Model"] == "LSTM (from scratch)"
    assert row["Accuracy"].startswith(f"{100 * accuracy:.1f} ±")


def test_what_was_left_out_is_told(tmp_path, make_run, quick, read_page):
    study = tmp_path / "runs" / "comparison"
    for seed in range(2):
        make_run(study, "cnn@scratch", seed)
    make_run(study, "cnn@scratch", 5, 0.3, learning_rate=0.5, name="another")
    render(tmp_path / "runs", out=str(tmp_path / "report"), notify=lambda message: None)
    page = read_page(tmp_path / "report")
    assert page.table("table_1")[0]["Runs"] == "2"
    assert "1 run with other settings of CNN (from scratch)" in page.text
    (row,) = page.table("other_runs")
    assert (row["Study"], row["Learning rate"], row["Runs"]) == ("comparison", "0.5", "1")


@pytest.mark.parametrize("options", [{"corpus": "envy"}, {"backend": "mxnet"}])
def test_a_part_that_is_not_there_is_told(tmp_path, make_run, options):
    make_run(tmp_path / "runs" / "fit", "cnn@scratch")
    with pytest.raises(UserError, match="Found: .*Received: "):
        render(tmp_path / "runs", out=str(tmp_path / "report"), **options)


def test_what_is_missing_says_how_to_make_it(tmp_path, make_run, quick, read_page):
    make_run(tmp_path / "runs" / "fit", "tfidf_svm", predictions=False, **ISEAR)
    assert render(tmp_path / "runs", out=str(tmp_path / "report"), notify=lambda m: None) == 0
    text = read_page(tmp_path / "report").text
    for analysis in ("learning_rate", "noise", "data_ratio", "gate"):
        assert f"python -m tuning.sensitivity {analysis}" in text
    assert "python -m tuning.search" in text
    assert "None of the paper’s 10 claims has been tested yet" in text
    assert "no predictions, no interval" in text


def test_the_command_says_what_is_wrong(tmp_path, capsys):
    assert main([str(tmp_path / "nowhere"), "--out", str(tmp_path / "report")]) == 2
    assert "There is no such folder of runs" in capsys.readouterr().err
    assert main(["--colour=red"]) == 2
    assert "no such option" in capsys.readouterr().err


def test_the_command_loads_no_keras(tmp_path, make_run):
    make_run(tmp_path / "runs" / "fit", "tfidf_svm", predictions=False)
    code = (
        "import sys; from reports.render import main; "
        f"code = main([{str(tmp_path / 'runs')!r}, '--out', {str(tmp_path / 'report')!r}]); "
        "print([m for m in sys.modules if m.split('.')[0] in ('keras', 'keras_hub', "
        "'keras_tuner', 'tensorflow', 'jax', 'torch', 'tuning') or m == 'matplotlib.pyplot']); "
        "sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "given, study",
    [
        pytest.param("runs", "fit", id="a folder that holds a link"),
        pytest.param("runs/fit", "fit", id="the link itself"),
        pytest.param("published", "comparison", id="a link to a folder of studies"),
        pytest.param("one", "linked", id="a link to one run"),
    ],
)
def test_a_report_follows_links(tmp_path, make_run, quick, monkeypatch, given, study):
    for seed in range(2):
        make_run(tmp_path / "disk" / "isear" / "comparison", "cnn@scratch", seed)
    folder = tmp_path / "linked"
    (folder / "runs").mkdir(parents=True)
    (folder / "runs" / "fit").symlink_to("../../disk/isear/comparison")
    (folder / "published").symlink_to("../disk/isear")
    (folder / "one").symlink_to("../disk/isear/comparison/cnn-scratch-seed1")
    monkeypatch.chdir(folder)
    assert render(given, out="report", notify=lambda _: None) == 0
    shown = pd.read_csv("report/tables/studies.csv").values.tolist()
    assert [row[:2] for row in shown] == [[study, 1 if given == "one" else 2]]


def test_a_report_names_a_link_that_leads_nowhere(tmp_path, make_run, quick):
    make_run(tmp_path / "runs" / "fit", "cnn@scratch")
    (tmp_path / "runs" / "more").symlink_to("/mnt/not/mounted")
    messages = []
    assert render(tmp_path / "runs", out=str(tmp_path / "out"), notify=messages.append) == 1
    assert any("more: it is a link to /mnt/not/mounted, which is not there" in t for t in messages)


# The figures of a quick page are drawn without what keeps this warning from users.
@pytest.mark.filterwarnings("ignore:Glyph")
def test_a_report_names_the_characters_that_no_font_has_and_a_package(
    tmp_path, make_run, quick, monkeypatch
):
    monkeypatch.setattr(fonts.font_manager, "findSystemFonts", lambda: [])
    fonts._search.cache_clear()
    make_run(tmp_path / "runs" / "fit", "tfidf_svm", labels=["\u559c", "\U0001f916", "joy"])
    messages = []
    assert render(tmp_path / "runs", out=str(tmp_path / "out"), notify=messages.append) == 0
    fonts._search.cache_clear()
    (message,) = [line for line in messages if "empty boxes" in line]
    assert " \u559c \U0001f916: no font" in message
    assert "fonts-noto-cjk and fonts-symbola" in message
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert page.count(">\u559c</text>") > 1
