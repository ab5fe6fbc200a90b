"""A command that is shown can be pasted into a shell, whatever the folders are called."""

import json
import re
import shlex
import shutil

import pytest

from emotion_keras import export, fit, record
from emotion_keras.errors import UserError
from emotion_keras.inference.load import load_model
from tuning import search
from tuning.trials import Trials

FOLDERS = [
    pytest.param("plain", id="a plain name"),
    pytest.param("my runs", id="a blank"),
    pytest.param("Ann's", id="a quote"),
    pytest.param('5" $HOME `ls` ;&', id="what a shell reads"),
    pytest.param("größe", id="no ASCII"),
]


def pasted(shown):
    """What a shell makes of the command in a message."""
    return shlex.split(re.search(r"python -m emotion_keras.*", shown)[0])


@pytest.mark.parametrize("name", FOLDERS)
def test_fit_shows_how_to_repeat_a_run(gated_run, tmp_path, name):
    folder = shutil.copytree(gated_run, tmp_path / name / "fit" / "run")
    words = pasted(fit.next_command(folder))
    assert words[words.index("--from-run") + 1] == str(folder)


@pytest.mark.parametrize("name", FOLDERS)
def test_a_run_without_its_model_says_how_to_train_it(gated_run, tmp_path, name):
    folder = shutil.copytree(gated_run, tmp_path / name)
    (folder / record.MODEL).unlink()
    with pytest.raises(UserError) as said:
        load_model(folder)
    words = pasted(str(said.value))
    assert words[words.index("--from-run") + 1] == str(folder)


@pytest.mark.parametrize("name", FOLDERS)
def test_an_export_says_how_to_label_with_it(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    found = {"accuracy_after_quantization": None, "quantize": "none", "format": "onnx"}
    record.write_versioned(folder / record.EXPORT, found)
    assert pasted(export.summarize(folder))[3:] == [str(folder), "your text"]


@pytest.mark.parametrize("name", FOLDERS)
def test_a_search_says_how_to_use_what_it_found(tmp_path, monkeypatch, capsys, name):
    trials = Trials(tmp_path / name, {"contender": "tfidf_svm"})
    (tmp_path / name).mkdir()
    trials.begin({"C": 1.0})
    trials.end({"C": 1.0}, 0.5, ["run"], None)
    monkeypatch.setattr(search, "search", lambda **options: (trials, []))
    assert search.main([]) == 0
    best = pasted(capsys.readouterr().out)[-1]
    with open(best, encoding="utf-8") as file:
        assert json.load(file)["options"] == {"C": 1.0}
