"""Which runs may be combined, what is said of others, and what a combination's record holds."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from emotion_keras import record
from emotion_keras.combine import main
from emotion_keras.errors import UserError
from emotion_keras.evaluation.comparison import contender
from emotion_keras.studies.combination import combine
from emotion_keras.training.settings import Settings
from reports.display.models import look_of, name_of


@pytest.fixture(scope="module")
def runs(tmp_path_factory, make_run):
    folder = tmp_path_factory.mktemp("runs") / "comparison"
    return [
        make_run(folder, "cnn@scratch", 0, 0.8),
        make_run(folder, "cnn@scratch", 1, 0.7),
        make_run(folder, "tfidf_svm", 0, 0.6),
    ]


@pytest.fixture
def made(tmp_path):
    """Combines runs; returns the record."""

    def make(*runs, **options):
        directory = combine(
            runs, runs_dir=tmp_path / "made", notify=lambda message: None, **options
        )
        return record.read_run(directory)

    return make


def test_its_record_is_one_of_a_run(runs, made):
    run = made(*runs)
    assert run["model"] == "combination" and run["seed"] == 0
    assert [one["run_id"] for one in run["members"]] == sorted(path.name for path in runs)
    assert sum(one["weight"] for one in run["members"]) == pytest.approx(1)
    assert run["num_parameters"] == 3 * 1234
    # 60, 61 and 60 seconds at 100 examples a second, one after the other.
    assert run["cost"] == {
        "seconds": 181.0,
        "examples_per_second": pytest.approx(100),
        "milliseconds_for_1_text": 7.5,
        "milliseconds_for_256_texts": 120.0,
        "measured_alone": True,
        "peak_memory_bytes": 1_500_000_000,
    }
    assert run["environment"]["backend"] == "tensorflow"
    assert run["command"][:3] == ["python", "-m", "emotion_keras.combine"]
    assert made(runs[2], runs[0])["run_id"] == made(runs[0], runs[2])["run_id"]
    assert made(runs[0], runs[2], weights="equal")["run_id"] != made(runs[0], runs[2])["run_id"]


def test_it_is_called_after_its_members(runs, made, make_run, tmp_path):
    assert contender(made(*runs)) == "combination@2 cnn@scratch, tfidf_svm"
    assert contender(made(*runs, weights="equal")) == "equal_combination@2 cnn@scratch, tfidf_svm"
    # Of other seeds it is another run of the same.
    assert contender(made(runs[0], runs[2])) == contender(made(runs[1], runs[2]))
    names = ("cnn@scratch", "lstm@scratch", "transformer@scratch", "tfidf_svm", "majority")
    many = made(*(make_run(tmp_path / "many", name) for name in names))
    assert contender(many).startswith("combination@5 runs of 5 models [")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("combination@5 cnn@scratch", "5 × CNN (from scratch)"),
        ("combination@2 bert@minilm, tfidf_svm", "2 × BERT (MiniLM) with TF-IDF + SVM"),
        ("equal_combination@cnn@glove, majority", "CNN (GloVe) with Majority (equal weights)"),
        ("combination@60 runs of 12 models [3fa9]", "60 runs of 12 models together"),
        (
            "combination@cnn@resemblyzer+scratch, majority",
            "CNN (Resemblyzer + from scratch) with Majority",
        ),
    ],
)
def test_readers_read_what_is_combined(given, shown):
    assert name_of(given) == shown
    assert look_of(given) == look_of("combination@tfidf_svm, cnn@scratch")
    assert look_of(given) != look_of("cnn@scratch")


def changed(run, tmp_path, **values):
    """A copy of a run whose corpus is another."""
    copy = shutil.copytree(run, tmp_path / "changed" / run.name)
    found = json.loads((copy / record.RUN).read_text())
    found["corpus"] |= values
    (copy / record.RUN).write_text(json.dumps(found))
    return copy


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"sha256": "f" * 64}, "the corpus .*SHA-256 ffffffffffff"),
        ({"preparation": {"clean": False, "normalize_punctuation": True}}, "the preparation "),
        ({"protocol": {"split_seed": 1}}, "the split .*--split-seed=1"),
        ({"protocol": {"split_seed": 0, "train_fraction": 0.5}}, "--train-fraction=0.5"),
        ({"reading": {"modality": "speech"}}, r"the modality \(text; speech\)"),
    ],
)
def test_runs_on_other_data_are_refused(runs, made, tmp_path, values, said):
    # The majority takes every modality.
    other = changed(runs[2], tmp_path, **values)
    found = json.loads((other / record.RUN).read_text())
    (other / record.RUN).write_text(json.dumps(found | {"model": "majority"}))
    with pytest.raises(UserError, match=f"cannot be combined.*{said}") as raised:
        made(runs[0], other)
    assert str(runs[0]) in str(raised.value) and str(other) in str(raised.value)


def test_runs_on_other_labels_are_refused(runs, made, make_run, tmp_path):
    other = make_run(tmp_path / "other", "tfidf_svm", labels=["joy", "fear"])
    with pytest.raises(UserError, match=r"the labels \(joy, fear, anger; joy, fear\)"):
        made(runs[0], other)


@pytest.mark.parametrize("column", ["id", "label"])
def test_runs_on_other_examples_are_refused(runs, made, tmp_path, column):
    other = shutil.copytree(runs[2], tmp_path / "other")
    path = other / record.PREDICTIONS
    table = pd.read_csv(path, dtype=str)
    first = table.index[table["split"] == "test"][0]
    table.loc[first, column] = "999" if column == "id" else "fear"
    table.to_csv(path, index=False)
    with pytest.raises(UserError, match="differ in the examples of the split test"):
        made(runs[0], other)


def test_the_order_of_examples_in_a_file_makes_no_difference(runs, made, tmp_path):
    other = shutil.copytree(runs[2], tmp_path / "other")
    path = other / record.PREDICTIONS
    table = pd.read_csv(path, dtype=str)
    table.sample(frac=1, random_state=0).to_csv(path, index=False)
    expected, found = made(runs[0], runs[2], study="one"), made(runs[0], other, study="two")
    assert found["metrics"] == expected["metrics"]
    weights = [[one["weight"] for one in run["members"]] for run in (expected, found)]
    np.testing.assert_allclose(*weights, atol=1e-6)


def test_runs_that_do_not_know_the_test_split_are_combined_without_it(runs, made, tmp_path):
    copies = [shutil.copytree(run, tmp_path / run.name) for run in runs[:2]]
    for copy in copies:
        path = copy / record.RUN
        found = json.loads(path.read_text())
        del found["metrics"]["test"]
        path.write_text(json.dumps(found))
        table = pd.read_csv(copy / record.PREDICTIONS, dtype=str)
        table[table["split"] == "val"].to_csv(copy / record.PREDICTIONS, index=False)
    assert list(made(*copies)["metrics"]) == ["val"]
    with pytest.raises(UserError, match=r"tested on \(val; val, test\)"):
        made(copies[0], runs[1])


def test_fewer_than_two_are_refused(runs, made):
    for given in ([], runs[:1]):
        with pytest.raises(UserError, match="two runs or more"):
            made(*given)


def test_the_same_run_twice_is_refused(runs, made, tmp_path):
    copy = shutil.copytree(runs[0], tmp_path / "copy")
    with pytest.raises(UserError, match="are the same run"):
        made(runs[0], runs[1], copy)


def test_a_combination_is_no_member(runs, made, tmp_path):
    name = made(runs[0], runs[2])["run_id"]
    with pytest.raises(UserError, match=f"is a combination.*{runs[0].name}"):
        made(runs[1], tmp_path / "made" / "combination" / name)


def test_an_unfinished_run_is_refused(runs, made, tmp_path):
    with pytest.raises(UserError, match="no finished run"):
        made(runs[0], tmp_path)


def test_a_run_without_predictions_is_refused(runs, made, tmp_path):
    copy = shutil.copytree(runs[2], tmp_path / "copy")
    (copy / record.PREDICTIONS).unlink()
    with pytest.raises(UserError, match=r"There is no file.*predictions\.csv"):
        made(runs[0], copy)


def test_the_command_ends_with_2_and_a_message(runs, capsys, tmp_path):
    assert main([str(runs[0])]) == 2
    assert "two runs or more" in capsys.readouterr().err
    assert main([*map(str, runs), "--weights=best", "--runs-dir", str(tmp_path)]) == 2
    assert "validation, equal" in capsys.readouterr().err


def test_settings_of_a_combination_say_what_makes_it(runs, made):
    with pytest.raises(UserError, match="no training makes.*emotion_keras.combine"):
        Settings.from_record(made(runs[0], runs[2]))


def test_members_in_its_folder_are_no_runs_beside_it(runs, made, tmp_path):
    run = made(runs[0], runs[2])
    directory = tmp_path / "made" / "combination" / run["run_id"]
    inside = directory / record.MEMBERS / runs[0].name
    shutil.copytree(runs[0], inside)
    assert record.find_runs(tmp_path / "made") == [directory]
    # A study may be called so.
    beside = shutil.copytree(runs[0], tmp_path / "made" / record.MEMBERS / runs[0].name)
    assert record.find_runs(tmp_path / "made") == [directory, beside]


def test_a_record_that_lacks_its_members_is_damaged(runs, made, tmp_path):
    run = made(runs[0], runs[2])
    path = tmp_path / "made" / "combination" / run["run_id"] / record.RUN
    path.write_text(json.dumps({**run, "members": [{"run_id": "one"}]}))
    with pytest.raises(UserError, match=r"members\[0\]\.model is missing"):
        record.read_run(path.parent)
