"""A run does not repeat, and a study does not continue, on other data than its own."""

import json

import pytest

from emotion_keras import fit as fit_module
from emotion_keras.compare import main as compare_main
from emotion_keras.errors import UserError
from emotion_keras.inputs.text_encoders import find_encoder
from emotion_keras.studies.study import Study, Task
from emotion_keras.training import run as training_run
from tuning.trials import Trials


@pytest.fixture
def data(corpus_path, tmp_path):
    path = tmp_path / "days.csv"
    path.write_text(corpus_path.read_text())
    return path


@pytest.fixture
def run(data, tmp_path, quick_measures):
    return training_run.fit(
        model="majority", data=str(data), runs_dir=str(tmp_path / "runs"), notify=lambda _: None
    )


def change(path):
    path.write_text(path.read_text().replace("day 7,", "day 7!,"))


@pytest.mark.parametrize(
    "arguments, code",
    [
        pytest.param([], 2, id="the same run"),
        pytest.param(["--seed", "1"], 2, id="another seed"),
        pytest.param(["--model", "tfidf_svm"], 2, id="another model on its data"),
        pytest.param(["--seed", "1", "--data", "{data}"], 0, id="the data are named again"),
        pytest.param(["--seed", "1", "--config", "{config}"], 0, id="a file of options names them"),
    ],
)
def test_a_run_is_not_repeated_on_data_that_changed(run, data, tmp_path, capsys, arguments, code):
    change(data)
    (tmp_path / "options.json").write_text(json.dumps({"data": str(data)}))
    places = {"data": data, "config": tmp_path / "options.json"}
    arguments = [argument.format(**places) for argument in arguments]
    arguments = ["--from-run", str(run), f"--runs-dir={tmp_path / 'others'}", *arguments]
    assert fit_module.main(arguments) == code
    assert ("not what the run was trained on" in capsys.readouterr().err) == (code == 2)


def test_a_run_is_repeated_on_the_same_data_by_another_name(run, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    data.rename("moved.csv")
    again = fit_module.main(["--from-run", str(run), "--data", "moved.csv", "--runs-dir=runs"])
    assert again == 0
    assert len(list((tmp_path / "runs" / "fit").glob("majority-*"))) == 1


def test_a_study_is_not_gone_on_with_on_data_that_changed(data, tmp_path, runs_here, capsys):
    command = ["--data", str(data), "--models=majority", "--runs-dir", str(tmp_path / "runs")]
    assert compare_main([*command, "--seeds=1"]) == 0
    change(data)
    assert compare_main([*command, "--seeds=2"]) == 2
    assert "were made with other data, whose SHA-256 was" in capsys.readouterr().err
    assert compare_main([*command, "--seeds=1", "--study=others"]) == 0


def task(**asked):
    return Task("cnn", "seed 0", {}, {"data": "a", "encoder": "vectors.txt", **asked})


@pytest.mark.parametrize(
    "asked, refused",
    [
        ({"encoder_sha256": "1"}, False),
        ({"encoder_sha256": "2"}, True),
        ({"encoder_sha256": "2", "encoder": "others.txt"}, False),
        ({"encoder_sha256": "1", "data": "b"}, True),
        ({"encoder_sha256": "1", "epochs": 3}, False),
    ],
)
def test_a_study_keeps_to_the_files_of_its_encoders(tmp_path, asked, refused):
    study = Study(tmp_path)
    study.add(task(encoder_sha256="1"), tmp_path / "run")
    if refused:
        with pytest.raises(UserError, match="were made with other"):
            study.check_data([task(**asked)])
    else:
        study.check_data([task(**asked)])


def test_a_search_says_what_has_changed(tmp_path):
    Trials(tmp_path, {"seed": 0, "runs": [{"data": "a", "epochs": 1}]}).begin({})
    with pytest.raises(UserError, match="holds another search: data were others"):
        Trials(tmp_path, {"seed": 0, "runs": [{"data": "b", "epochs": 1}]})


@pytest.mark.parametrize("is_folder", [False, True])
def test_an_encoder_with_a_path_is_known_by_its_content(tmp_path, is_folder):
    path = tmp_path / "encoder" if is_folder else tmp_path / "vectors.txt"
    file = path / "config.json" if is_folder else path
    file.parent.mkdir(exist_ok=True)
    file.write_text("we 0 1\n")
    first = find_encoder(str(path)).sha256()
    file.write_text("we 1 0\n")
    assert find_encoder(str(path)).sha256() != first
    file.write_text("we 0 1\n")
    assert find_encoder(str(path)).sha256() == first


@pytest.mark.parametrize("name", ["minilm", "glove", "bert_tiny_en_uncased"])
def test_an_encoder_with_a_name_has_no_checksum(name):
    assert find_encoder(name).sha256() is None


def test_a_run_with_other_vectors_of_the_same_name_is_another_run(fit, toy, tmp_path):
    vectors = tmp_path / "vectors.txt"
    vectors.write_text("we 0 1\nlaughed 1 0\n")
    options = {"model": "cnn", "encoder": str(vectors), "epochs": 1, "num_layers": None}
    options = {name: value for name, value in options.items() if value is not None}
    for name in ("num_layers", "num_heads", "intermediate_dim"):
        toy.pop(name)
    first = fit(**options)
    assert fit(**options) == first
    vectors.write_text("we 1 1\nlaughed 1 0\n")
    assert fit(**options) != first
    code = fit_module.main(["--from-run", str(first), f"--runs-dir={tmp_path / 'others'}"])
    assert code == 2
