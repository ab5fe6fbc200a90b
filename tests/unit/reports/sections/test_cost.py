import json

import pytest

from emotion_keras.evaluation.cost import summarize_cost
from reports.records import read_records
from reports.sections.cost import cost_table, environment_table, studies_table

LOADED = [(5163, 17.3), (5149, 14.9), (10351, 19.8), (10376, 21.1), (5184, 18.7)]


@pytest.fixture
def timed(tmp_path, make_run):
    """Runs by model whose latencies and what is known of the machine are given."""

    def make(times):
        for name, of_model in times.items():
            for seed, ((many, one), alone) in enumerate(of_model):
                directory = make_run(tmp_path / "comparison", name, seed)
                path = directory / "run.json"
                record = json.loads(path.read_text())
                record["cost"] |= {
                    "milliseconds_for_256_texts": many,
                    "milliseconds_for_1_text": one,
                }
                del record["cost"]["measured_alone"]
                record["cost"] |= {} if alone == "unknown" else {"measured_alone": alone}
                path.write_text(json.dumps(record))
        compared = {name: [] for name in times}
        for run in read_records(tmp_path).parts[0].runs:
            compared[run.contender].append(run)
        return compared

    return make


@pytest.mark.parametrize("alone", ["unknown", None, False])
def test_a_time_under_load_is_not_shown_as_a_models(timed, alone):
    table = cost_table(timed({"cnn@scratch": [(times, alone) for times in LOADED]}))
    assert "not measured alone" in table.caption
    assert not [name for name in table.shown if name.startswith("ms")]
    assert table.frame.filter(like="milliseconds").isna().all(axis=None)
    assert table.shown["Minutes a run"].tolist() == ["1.0"]


def test_the_latency_is_the_least_of_runs_that_were_alone(timed):
    times = [((2600.0, 16.0), True), ((2550.0, 17.0), True), ((2000.0, 9.0), False)]
    compared = timed({"cnn@scratch": times, "lstm@scratch": [((10.0, 1.0), False)]})
    table = cost_table(compared)
    assert table.shown["ms for 256 texts"].tolist() == ["2,550", "not measured alone"]
    assert table.shown["ms for 1 text"].tolist() == ["16.0", "not measured alone"]
    assert "not measured alone" not in table.caption
    records = [run.record for run in compared["cnn@scratch"]]
    assert summarize_cost(records)["milliseconds_for_256_texts"] == 2550


def test_cost_is_in_hours(tmp_path, make_run):
    make_run(tmp_path / "fit", "cnn@scratch", 0)
    make_run(tmp_path / "fit", "cnn@scratch", 1)
    part = read_records(tmp_path).parts[0]
    (row,) = studies_table(part.studies).shown.to_dict("records")
    assert row["Hours of training"] == f"{121 / 3600:.2f}"


def test_environments_are_counted(runs_dir):
    part = read_records(runs_dir / "comparison").parts[0]
    rows = environment_table(part.runs).frame.to_dict("records")
    assert [(row["backend"], row["runs"]) for row in rows] == [
        ("tensorflow", 18),
        ("scikit-learn", 3),
    ]
