import json

from reports.findings import compared_runs, gated_models, points
from reports.records import read_records


def write(path, **values):
    path.write_text(json.dumps({"schema_version": 1, **values}))


def test_settings_are_not_averaged(tmp_path, make_run):
    for seed in range(3):
        make_run(tmp_path / "comparison", "cnn@scratch", seed)
    for seed in range(2):
        name = f"other-{seed}"
        make_run(tmp_path / "comparison", "cnn@scratch", seed, learning_rate=1, name=name)
    make_run(tmp_path / "comparison", "lstm@scratch")
    (part,) = read_records(tmp_path).parts
    compared, left_out = compared_runs(part)
    assert [run.seed for run in compared["cnn@scratch"]] == [0, 1, 2]
    assert {run.name for run in left_out} == {"other-0", "other-1"}
    # Where the comparison says which it is about, they are taken.
    write(
        tmp_path / "comparison" / "comparison.json",
        run_ids=["other-0", "other-1"],
        reference="cnn@scratch",
        contenders=[],
    )
    compared, left_out = compared_runs(read_records(tmp_path).parts[0])
    assert [run.name for run in compared["cnn@scratch"]] == ["other-0", "other-1"]
    assert len(left_out) == 3


def test_runs_of_trials_are_not_compared(tmp_path, make_run):
    make_run(tmp_path / "comparison", "cnn@scratch", 0)
    make_run(tmp_path / "comparison", "cnn@scratch", 1, trial="noise 0.2")
    compared, _ = compared_runs(read_records(tmp_path).parts[0])
    assert [run.seed for run in compared["cnn@scratch"]] == [0]


def test_points_are_what_the_analysis_names_and_is_there(tmp_path, make_run):
    paths = [make_run(tmp_path / "ratios", "cnn@scratch", seed) for seed in range(2)]
    point = {"contender": "cnn@scratch", "value": 0.5, "run_ids": [paths[1].name, "gone"]}
    gone = {"contender": "cnn@scratch", "value": 1.0, "run_ids": ["gone"]}
    write(tmp_path / "ratios" / "sensitivity.json", analysis="data_ratio", points=[point, gone])
    (part,) = read_records(tmp_path).parts
    found = points(part, "data_ratio")
    assert list(found) == [("cnn@scratch", 0.5)]
    assert [run.seed for run in found["cnn@scratch", 0.5]] == [1]
    assert points(part, "noise") == {}


def test_the_same_analysis_of_two_models_is_one(tmp_path, make_run):
    for name in ("cnn", "lstm"):
        path = make_run(tmp_path / name, f"{name}@scratch")
        point = {"contender": f"{name}@scratch", "value": 1.0, "run_ids": [path.name]}
        write(tmp_path / name / "sensitivity.json", analysis="data_ratio", points=[point])
    found = points(read_records(tmp_path).parts[0], "data_ratio")
    assert list(found) == [("cnn@scratch", 1.0), ("lstm@scratch", 1.0)]


def test_the_same_without_a_gate_has_its_encoder_and_hyperparameters(tmp_path, make_run):
    blocks = {"num_layers": 2, "num_heads": 4}
    for name, hyperparameters in (
        ("sigmoid@scratch", {**blocks, "gate": "features", "gate_after": "last"}),
        ("sigmoid@minilm", {**blocks, "gate": "scalar", "pooling": "average"}),
        ("sigmoid@words", {**blocks, "gate": "features"}),
        ("plain@scratch", {**blocks, "num_layers": 3, "pooling": "average"}),
        ("plain@minilm", blocks),
        ("lstm@scratch", {"units": 8}),
        ("lstm@words", {"units": 8}),
        ("tfidf_svm", {"C": 1.0}),
    ):
        make_run(tmp_path / "fit", name, hyperparameters=hyperparameters)
    assert gated_models(read_records(tmp_path).parts[0].runs) == {
        "sigmoid@scratch": "plain@scratch",
        "sigmoid@minilm": "plain@minilm",
        "sigmoid@words": None,
    }
