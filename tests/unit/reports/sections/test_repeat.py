import json
import shlex

import pytest

from reports.records import read_records
from reports.sections.repeat import commands


def words_of(command):
    return shlex.split(command.replace("\\\n", " "))


def test_commands_repeat_what_was_asked(runs_dir):
    part = read_records(runs_dir).parts[0]
    found = {one["study"]: one for one in commands(part)}
    assert list(found) == ["comparison", "data_ratio", "gate", "learning_rate", "noise", "search"]
    rates = words_of(found["learning_rate"]["command"])
    assert rates[:5] == [
        "KERAS_BACKEND=tensorflow",
        "python",
        "-m",
        "tuning.sensitivity",
        "learning_rate",
    ]
    assert "--rates=1e-05,0.0001,0.001" in rates and "--seeds=3" in rates
    assert "--data=isear.csv" in rates and "--split-seed=0" in rates and "--clean=true" in rates
    assert "--study=learning_rate" in rates
    assert not any("None" in word for word in rates)
    # Models that were tried at other values are not tried at all by one command.
    noises = [words_of(one["command"]) for one in commands(part) if one["study"] == "noise"]
    assert [words[5:8] for words in noises] == [
        ["--models=cnn@scratch", "--seeds=1", "--label-levels="],
        ["--models=gated_transformer@minilm", "--seeds=3", "--label-levels=0.2"],
    ]
    assert "--forms=none,features,scalar" in words_of(found["gate"]["command"])
    search = words_of(found["search"]["command"])
    assert "--max-trials=7" in search and "--oracle=random" in search
    assert json.loads(found["search"]["settings"])["batch_size"] == [16, 32, 64]


def test_a_comparison_is_repeated_with_the_settings_that_it_was_given(tmp_path, make_run):
    paths = [make_run(tmp_path / "comparison", "cnn@scratch", seed) for seed in range(2)]
    asked = {"seed": 0, "model": "cnn", "encoder": "scratch", "precision": "auto", "epochs": 3}
    runs = [{"run_id": path.name, "asked": asked} for path in paths]
    for name, values in (
        ("study.json", {"runs": runs}),
        (
            "comparison.json",
            {
                "run_ids": [path.name for path in paths],
                "asked_reference": "cnn@scratch",
                "reference": "cnn@scratch",
                "contenders": [],
            },
        ),
    ):
        path = tmp_path / "comparison" / name
        path.write_text(json.dumps({"schema_version": 1, **values}))
    (found,) = commands(read_records(tmp_path).parts[0])
    words = words_of(found["command"])
    assert {"--models=cnn@scratch", "--seeds=2", "--reference=cnn@scratch"} <= set(words)
    assert {"--precision=auto", "--settings=settings.json"} <= set(words)
    assert json.loads(found["settings"]) == {"cnn@scratch": {"epochs": 3}}


@pytest.mark.parametrize(
    "name, given, said",
    [
        ("cnn@scratch", [], ["--precision=float32"]),
        ("cnn@scratch", ["--precision=mixed_bfloat16"], ["--precision=mixed_bfloat16"]),
        ("tfidf_svm", [], []),
    ],
)
def test_the_precision_that_a_machine_chose_is_said(tmp_path, make_run, change, name, given, said):
    directory = make_run(tmp_path / "fit", name)
    change(directory, command=["python", "-m", "emotion_keras.fit", *given])
    (found,) = commands(read_records(tmp_path).parts[0])
    words = words_of(found["command"])
    assert [word for word in words if word.startswith("--precision")] == said


def test_names_are_quoted_for_the_shell(tmp_path, make_run, change):
    directory = make_run(tmp_path / "fit; rm -rf x", "cnn@scratch")
    (found,) = commands(read_records(tmp_path).parts[0])
    words = words_of(found["command"])
    assert words[-2:] == [f"--study={directory.parent.name}", f"--runs-dir={tmp_path}"]
