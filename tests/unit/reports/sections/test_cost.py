from reports.records import read_records
from reports.sections.cost import environment_table, studies_table


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
