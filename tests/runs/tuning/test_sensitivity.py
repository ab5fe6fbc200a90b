"""Analyses of settings: which runs they make, that none is made twice, and what they say."""

import json
import statistics

import pytest

from emotion_keras import record
from emotion_keras.data import read_dataset
from emotion_keras.data.noise import perturb
from emotion_keras.data.options import DataOptions
from emotion_keras.evaluation.selection import SELECTION
from emotion_keras.evaluation.sensitivity import read_noise, summarize_noise
from emotion_keras.inference.load import load_model
from emotion_keras.inputs import INPUTS
from emotion_keras.models import MODELS
from emotion_keras.studies import study
from emotion_keras.targets.metrics import classification_metrics
from emotion_keras.training.run import fit
from tuning.analyses import ANALYSES, Gate, Noise
from tuning.analyses.gate import GATES, SELECTING
from tuning.sensitivity import SENSITIVITY, main

pytestmark = pytest.mark.usefixtures("runs_here")

SMALL = {
    "embedding_dim": 8,
    "vocabulary_size": 120,
    "sequence_length": 16,
    "num_layers": 2,
    "num_heads": 2,
    "intermediate_dim": 8,
    "batch_size": 32,
    "epochs": 1,
    "learning_rate": 0.01,
}


@pytest.fixture
def command(corpus_path, tmp_path):
    """The arguments of an analysis at toy size."""

    def make(analysis, settings=None, **options):
        path = tmp_path / "settings.json"
        path.write_text(json.dumps(settings or {"networks": SMALL}))
        options = {
            "data": corpus_path,
            "models": "gated_transformer@scratch",
            "seeds": 1,
            "settings": path,
            "runs_dir": tmp_path / "runs",
            **options,
        }
        return [analysis, *(f"--{k.replace('_', '-')}={v}" for k, v in options.items())]

    return make


@pytest.fixture
def analyze(command, tmp_path):
    """Runs an analysis; returns what it found, and the records of its runs by run_id."""

    def run(analysis, **options):
        assert main(command(analysis, **options)) == 0
        directory = tmp_path / "runs" / options.get("study", analysis)
        runs = {path.name: record.read_run(path) for path in record.find_runs(directory)}
        return record.read_versioned(directory / "sensitivity.json"), runs

    return run


def test_what_was_found_of_another_model_stays(analyze):
    noise = {"study": "noise", "kinds": "typos", "levels": "0.5", "label_levels": ""}
    first, _ = analyze("noise", models="tfidf_logistic", settings={"networks": {}}, **noise)
    both, _ = analyze("noise", **noise)
    assert first["points"] == both["points"][:1]
    assert [point["contender"] for point in both["points"]] == [
        "tfidf_logistic",
        "gated_transformer@scratch",
    ]
    assert list(both["noise"]) == ["tfidf_logistic", "gated_transformer@scratch"]
    assert both["noise"]["tfidf_logistic"] == first["noise"]["tfidf_logistic"]
    again, _ = analyze("noise", models="tfidf_logistic", settings={"networks": {}}, **noise)
    assert sorted(map(str, again["points"])) == sorted(map(str, both["points"]))


def test_learning_rates_are_runs_at_each_and_are_not_made_twice(
    analyze, command, corpus_path, capsys, tmp_path, monkeypatch
):
    found, runs = analyze("learning_rate", rates="0.01,1e-3", seeds=2)
    shown = capsys.readouterr().out
    assert "4 of 4 runs" in shown and "0.001" in shown
    assert found["analysis"] == "learning_rate"
    assert [point["value"] for point in found["points"]] == [0.01, 0.001]
    for point in found["points"]:
        assert point["contender"] == "gated_transformer@scratch"
        assert [runs[name]["seed"] for name in point["run_ids"]] == [0, 1]
        for name in point["run_ids"]:
            assert runs[name]["training"]["learning_rate"] == point["value"]
            assert runs[name]["trial"] == f"learning_rate {point['value']:g}"
        for split in ("val", "test"):
            for score in ("accuracy", "macro_f1", "auc"):
                values = [runs[name]["metrics"][split][score] for name in point["run_ids"]]
                assert point[split][score]["mean"] == pytest.approx(statistics.mean(values))
    plain = fit(
        data=str(corpus_path),
        encoder="scratch",
        seed=1,
        study="plain",
        runs_dir=str(tmp_path / "runs"),
        **SMALL | {"learning_rate": 1e-3},
    )
    assert record.read_run(plain)["metrics"] == runs[plain.name]["metrics"]
    monkeypatch.setattr(study, "run_tasks", lambda *args, **options: 1 / 0)
    assert main(command("learning_rate", rates="0.01,1e-3", seeds=2)) == 0
    out = capsys.readouterr().out
    assert "nothing is left to do" in out
    folder = tmp_path / "runs" / "learning_rate"
    assert out.endswith(
        f"Kept: {folder / SENSITIVITY}\nThe report: python -m reports.render {folder}\n"
    )


def test_data_ratios_are_parts_of_the_training_split_tested_on_the_same_texts(
    analyze, tmp_path, capsys
):
    found, runs = analyze("data_ratio", ratios="0.5,1")
    shown = capsys.readouterr().out
    assert shown.index("data_ratio 1, seed 0") < shown.index("data_ratio 0.5, seed 0")
    half, whole = (runs[point["run_ids"][0]] for point in found["points"])
    assert [point["value"] for point in found["points"]] == [0.5, 1.0]
    sizes = [run["corpus"]["protocol"]["num_train"] for run in (half, whole)]
    assert sizes == [42, 84]
    ids = []
    for run in (half, whole):
        rows = record.read_rows(
            tmp_path / "runs" / "data_ratio" / run["run_id"] / "predictions.csv"
        )
        ids.append([row["id"] for row in rows if row["split"] == "test"])
    assert ids[0] == ids[1]


def test_every_form_of_the_gate_is_trained_as_it_says(analyze):
    found, runs = analyze("gate")
    assert [point["value"] for point in found["points"]] == list(GATES)
    assert {point["contender"] for point in found["points"]} == {"gated_transformer@scratch"}
    by_form = {point["value"]: runs[point["run_ids"][0]] for point in found["points"]}
    assert len({run["run_id"] for run in by_form.values()}) == len(GATES)
    common = {name: SMALL[name] for name in ("num_layers", "num_heads", "intermediate_dim")}
    for form, run in by_form.items():
        trial = GATES[form]
        assert run["model"] == (trial.model or "gated_transformer")
        assert (common | trial.options).items() <= run["hyperparameters"].items()
    # Without the gate all else is as with it.
    for part in ("training", "inputs"):
        assert by_form["none"][part] == by_form["features"][part]


@pytest.mark.parametrize(
    ("num_layers", "left_out"),
    [(0, {"after_embeddings", "after_blocks"}), (1, {"after_blocks"}), (2, set())],
)
def test_forms_that_are_the_same_are_left_out(analyze, capsys, num_layers, left_out):
    forms = "features,after_embeddings,after_blocks"
    settings = {"networks": {**SMALL, "num_layers": num_layers}}
    found, _ = analyze("gate", forms=forms, settings=settings)
    assert {point["value"] for point in found["points"]} == set(forms.split(",")) - left_out
    assert ("Left out" in capsys.readouterr().out) == bool(left_out)


def test_gates_that_select_are_trained_at_each_share_and_measured(
    analyze, capsys, corpus_path, tmp_path
):
    forms = "features,hard_concrete,closing_scalar"
    options = {"forms": forms, "shares": "0.5,0.2", "ratios": "1,0.5", "noise_level": 0.1}
    found, runs = analyze("gate", **options)
    at = {point["value"]: point["run_ids"][0] for point in found["points"]}
    closing = ("hard_concrete", "closing_scalar")
    whole = ["features", *(f"{name} {share}" for name in closing for share in ("0.5", "0.2"))]
    assert list(at) == [*whole, *(f"{name}, 50 % of the data" for name in whole)]
    for name, run_id in at.items():
        run = runs[run_id]
        form, _, share = name.partition(",")[0].partition(" ")
        gate = run["hyperparameters"].get("gate")
        assert gate == {"closing_scalar": "scalar"}.get(form, form)
        if share:
            assert run["hyperparameters"]["keep"] == float(share)
        assert run["corpus"]["protocol"]["train_fraction"] == (0.5 if "%" in name else 1.0)
        directory = tmp_path / "runs" / "gate" / run_id
        assert bool(read_noise(directory)) == ("%" not in name)
        selects = gate == "hard_concrete" and "%" not in name
        assert (directory / SELECTION).exists() == selects
    directory = tmp_path / "runs" / "gate" / at["hard_concrete 0.5"]
    dataset = read_dataset(DataOptions.make(data=str(corpus_path)), {}, lambda message: 0)
    own, plain = load_model(directory), load_model(directory.with_name(at["features"]))
    truth = dataset.truth("test").argmax(axis=1)
    cells = dataset.cells("test")
    rows = record.read_rows(directory / SELECTION)
    explained = [model.explain(cells) for model in (own, plain)]
    for i, (row, cell) in enumerate(zip(rows, cells, strict=True)):
        words = [w for w in explained[0][i].words if w["contribution"] is not None]
        kept = [w["word"] for w in words if w["gate"] > 0]
        assert (int(row["words"]), int(row["kept"])) == (len(words), len(kept))
        ranked = sorted(
            (w for w in explained[1][i].words if w["contribution"] is not None),
            key=lambda w: -w["contribution"],
        )
        most = {w["word"] for w in ranked[: len(kept)]}
        for name, model in (("own", own), ("plain", plain)):
            for what, text in (("all", cell), ("kept", " ".join(kept))):
                is_right = model.probabilities([text]).argmax() == truth[i]
                assert int(row[f"{name}:{what}"]) == is_right
        if len({w["contribution"] for w in ranked}) == len(ranked):
            text = " ".join(w["word"] for w in words if w["word"] in most)
            if len(most) == len(kept) == len(text.split()):
                is_right = plain.probabilities([text]).argmax() == truth[i]
                assert int(row["plain:contribution"]) == is_right
    capsys.readouterr()
    analyze("gate", **options)
    shown = capsys.readouterr().out
    assert "nothing is left to do" in shown
    assert "gates to look at" not in shown and "models to test" not in shown


def test_every_gate_that_closes_can_be_named():
    trials = Gate(forms=",".join(SELECTING), shares="0.3").trials()
    assert [trial.value for trial in trials] == [f"{name} 0.3" for name in SELECTING]
    for trial in trials:
        model = MODELS["gated_transformer"].pick(trial.options)
        assert model.keep == 0.3 and trial.options.items() <= model.to_dict().items()


def test_noise_is_tested_without_training_anew(analyze, capsys, corpus_path, tmp_path, monkeypatch):
    models = "gated_transformer@scratch,tfidf_logistic"
    options = {"kinds": "typos,mask_words", "levels": "0,0.3,1", "models": models}
    found, runs = analyze("noise", label_levels="0,0.4", **options)
    assert len(runs) == 4
    at = {(point["contender"], point["value"]): point for point in found["points"]}
    assert set(at) == {(name, level) for name in models.split(",") for level in (0.0, 0.4)}
    dataset = read_dataset(DataOptions.make(data=str(corpus_path)), {}, lambda message: 0)
    for name in models.split(","):
        (noisy,), (plain,) = at[name, 0.4]["run_ids"], at[name, 0.0]["run_ids"]
        assert runs[noisy]["training"]["noise"] == "labels:0.4"
        assert runs[plain]["training"]["noise"] is None
        directory = tmp_path / "runs" / "noise" / plain
        rows = read_noise(directory)
        assert [(row["kind"], row["level"]) for row in rows] == [
            ("typos", 0.3),
            ("typos", 1.0),
            ("mask_words", 0.3),
            ("mask_words", 1.0),
        ]
        predict = load_model(directory).probabilities
        for row in rows:
            probabilities = predict(perturb(dataset.cells("test"), row["kind"], row["level"]))
            expected = classification_metrics(
                dataset.truth("test").argmax(axis=1), probabilities, dataset.corpus.labels
            )
            for score in ("accuracy", "auc", "log_loss"):
                assert row[score] == pytest.approx(expected[score], abs=1e-5)
        assert found["noise"][name] == summarize_noise([directory])
        assert not read_noise(directory.with_name(noisy))
    # Another kind alone is tested, and nothing at all the second time.
    monkeypatch.setattr(study, "run_tasks", lambda *args, **options: 1 / 0)
    options["kinds"] += ",lose_case"
    analyze("noise", label_levels="0.4", **options)
    assert len(read_noise(directory)) == 6
    capsys.readouterr()
    monkeypatch.setattr("emotion_keras.inference.load.load_model", lambda directory: 1 / 0)
    again, _ = analyze("noise", label_levels="0.4", **options)
    assert "models to test" not in capsys.readouterr().out
    assert [point["kind"] for point in again["noise"]["tfidf_logistic"]][-1] == "lose_case"


def test_noise_takes_the_runs_of_a_comparison(analyze, command, tmp_path):
    from emotion_keras.compare import compare

    data = {"data": command("noise")[1].partition("=")[2], "runs_dir": str(tmp_path / "runs")}
    compare(models="tfidf_logistic", seeds=1, notify=lambda message: None, **data)
    options = {"models": "tfidf_logistic", "kinds": "typos", "levels": "0.5", "label_levels": ""}
    settings = {"tfidf_logistic": {}}
    _, runs = analyze("noise", study="comparison", settings=settings, **options)
    (run,) = runs.values()
    assert len(read_noise(tmp_path / "runs" / "comparison" / run["run_id"])) == 1


def test_a_run_that_fails_is_told_and_the_others_are_shown(command, capsys, tmp_path, monkeypatch):
    def run(fit, options, cache):
        return (
            (None, "out of luck") if options["learning_rate"] == 0.01 else made(fit, options, cache)
        )

    made = study._run
    monkeypatch.setattr(study, "_run", run)
    assert main(command("learning_rate", rates="0.01,0.02")) == 1
    captured = capsys.readouterr()
    assert "learning_rate 0.01, seed 0: out of luck" in captured.err
    found = record.read_versioned(tmp_path / "runs" / "learning_rate" / "sensitivity.json")
    assert [point["value"] for point in found["points"]] == [0.02]


def test_a_published_run_cannot_be_tested_anew(command, capsys, tmp_path):
    options = {"models": "tfidf_logistic", "label_levels": "", "settings": None}
    arguments = [a for a in command("noise", kinds="typos", **options) if "settings" not in a]
    assert main(arguments) == 0
    (directory,) = record.find_runs(tmp_path / "runs")
    (directory / record.ESTIMATOR).unlink()
    assert main(arguments) == 0
    other = [a.replace("kinds=typos", "kinds=lose_case") for a in arguments]
    capsys.readouterr()
    assert main(other) == 2
    assert "there is no model.skops" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["learning_rate", {"rates": "0.1,fast"}], "rates are numbers with commas"),
        (["learning_rate", {"rates": "0.1,0.1"}], "rates names something twice"),
        (["learning_rate", {"rates": "0"}], "A learning rate is above 0"),
        (["learning_rate", {"models": "oracle"}], "Unknown model"),
        (["learning_rate", {"seeds": 0}], "seeds is 1 to 10,000"),
        (["learning_rate", {"workers": 0}], "workers is 1 or more"),
        (["data_ratio", {"ratios": "0.5,1.5"}], "ratios are shares above 0"),
        (["data_ratio", {"data": "missing.csv"}], "missing.csv"),
        (["data_ratio", {"folds": 3}], "folds"),
        (["noise", {"kinds": "static"}], "Unknown kind of noise. Accepted: typos"),
        (["noise", {"levels": "2"}], "from 0 to 1. Received: 2.0"),
        (["noise", {"label_levels": "-1"}], "from 0 to 1. Received: -1.0"),
        (["gate", {"forms": "wide"}], "Unknown form of the gate. Accepted: none, features"),
        (["gate", {"models": "gated_transformer,cnn"}], "Only gated_transformer has a gate"),
        (["gate", {"study": ""}], "A study's name is that of one folder"),
        (["depth", {}], "learning_rate"),
    ],
)
def test_wrong_use_is_told_before_anything_runs(command, capsys, tmp_path, arguments, message):
    analysis, options = arguments
    options = {**options, "settings": None}
    given = [a for a in command(analysis, **options) if "settings" not in a]
    assert main(given) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_a_model_without_the_setting_is_told(command, capsys, tmp_path):
    arguments = [a for a in command("learning_rate", models="tfidf_svm") if "settings" not in a]
    assert main(arguments) == 2
    assert "tfidf_svm, learning_rate 1e-05 cannot be trained" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_the_defaults_name_what_there_is():
    for modality in INPUTS.values():
        noises = Noise(levels="0,0.1").noises(modality)
        assert noises == [(kind, 0.1) for kind in modality.noises]
        # The level that decides the claim about noise, and no more than there is.
        levels = {level for _, level in Noise().noises(modality)}
        assert 0.1 in levels and max(levels) <= 1
    assert Gate().trials() == list(GATES.values())


def test_help_names_the_analyses(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ANALYSES)
    with pytest.raises(SystemExit):
        main(["gate", "--help"])
    assert "--forms" in capsys.readouterr().out
