"""A search: what it tries, that it goes on, what it keeps of the test split, and what is best."""

import json
import random
import statistics

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from emotion_keras import fit as fit_module
from emotion_keras import record
from emotion_keras.compare import compare
from emotion_keras.compare import main as compare_main
from emotion_keras.models.baselines import BASELINES
from emotion_keras.studies import study
from emotion_keras.studies.contenders import full_name
from tuning import oracles
from tuning import search as search_module
from tuning.search import main
from tuning.spaces import SPACES, space_of
from tuning.trials import BEST, SEARCH, Trials

TINY = {
    "learning_rate": [0.01, 0.02],
    "num_layers": [0],
    "embedding_dim": [8],
    "vocabulary_size": [60],
    "sequence_length": [16],
    "batch_size": [32],
}


@pytest.fixture
def made(runs_here, monkeypatch):
    """Makes runs in this process; lists them."""
    monkeypatch.setattr(search_module, "run_tasks", study.run_tasks)
    return runs_here


@pytest.fixture
def command(corpus_path, tmp_path, made):
    """The arguments of a search at toy size."""

    def make(space=None, **options):
        path = tmp_path / "space.json"
        path.write_text(json.dumps(space or {"C": [0.01, 0.1, 1.0, 10.0]}))
        options = {
            "data": corpus_path,
            "model": "tfidf_svm",
            "oracle": "grid",
            "max_trials": 4,
            "space": path,
            "runs_dir": tmp_path / "runs",
            **options,
        }
        return [f"--{k.replace('_', '-')}={v}" for k, v in options.items() if v is not None]

    return make


@pytest.fixture
def trials(command, tmp_path):
    """Runs a search to its end; returns its trials."""

    def run(code=0, **options):
        assert main(command(**options)) == code
        directory = tmp_path / "runs" / options.get("study", "search")
        return record.read_versioned(directory / SEARCH)["trials"]

    return run


def settings(trials):
    return [(trial["trial"], trial["options"], trial["score"]) for trial in trials]


def test_every_trial_is_runs_that_never_read_the_test_split(trials, made, tmp_path):
    found = trials(seeds_per_trial=2)
    assert [trial["trial"] for trial in found] == ["defaults", "1", "2", "3", "4"]
    assert found[0]["options"] == {}
    assert [trial["options"]["C"] for trial in found[1:]] == [0.01, 0.1, 1.0, 10.0]
    assert len(made) == 10
    for trial in found:
        runs = []
        for name in trial["run_ids"]:
            directory = tmp_path / "runs" / "search" / name
            runs.append(record.read_run(directory))
            assert list(runs[-1]["metrics"]) == ["val"]
            rows = record.read_rows(directory / record.PREDICTIONS)
            assert {row["split"] for row in rows} == {"val"}
            assert runs[-1]["trial"] == trial["trial"]
        assert [run["seed"] for run in runs] == [0, 1]
        assert trial["options"].items() <= runs[0]["hyperparameters"].items()
        scores = [run["metrics"]["val"]["macro_f1"] for run in runs]
        assert trial["score"] == pytest.approx(statistics.mean(scores))
        assert trial["reason"] is None


def test_the_best_is_what_fit_and_compare_take(trials, corpus_path, tmp_path, capsys):
    found = trials()
    path = tmp_path / "runs" / "search" / BEST
    best = record.read_versioned(path)
    assert best["score"] == max(trial["score"] for trial in found)
    assert (best["contender"], best["study"]) == ("tfidf_svm", "search")
    # Whichever is best, what is taken is what the file says.
    best["options"] = {"C": 0.123}
    record.write_versioned(path, best)
    runs_dir = str(tmp_path / "others")
    arguments = [f"--from-trial={path}", f"--data={corpus_path}", f"--runs-dir={runs_dir}"]
    assert fit_module.main(arguments) == 0
    (directory,) = record.find_runs(runs_dir)
    run = record.read_run(directory)
    assert (run["model"], run["hyperparameters"]) == ("tfidf_svm", {"C": 0.123})
    assert list(run["metrics"]) == ["val", "test"]
    compare(
        data=str(corpus_path),
        models="tfidf_svm",
        seeds=1,
        settings=str(path),
        runs_dir=runs_dir,
        notify=lambda message: None,
    )
    (compared,) = record.find_runs(tmp_path / "others" / "comparison")
    assert record.read_run(compared)["hyperparameters"] == {"C": 0.123}
    capsys.readouterr()
    assert fit_module.main([*arguments, "--model=cnn"]) == 2
    assert "--from-trial says which model" in capsys.readouterr().err
    assert fit_module.main([f"--from-trial={tmp_path / 'none.json'}"]) == 2
    assert "no such file" in capsys.readouterr().err
    assert fit_module.main([f"--from-trial={tmp_path / 'runs' / 'search' / SEARCH}"]) == 2
    assert "is not the best.json of a search" in capsys.readouterr().err


def test_the_same_command_again_tries_nothing_and_a_larger_one_goes_on(trials, made, capsys):
    first = trials(max_trials=2)
    made.clear()
    assert trials(max_trials=2) == first
    assert "All 2 trials are finished" in capsys.readouterr().out
    assert not made
    more = trials(max_trials=4)
    assert more[:3] == first and len(more) == 5
    assert len(made) == 2
    assert settings(trials(study="whole")) == settings(more)


@pytest.mark.parametrize("oracle", ["random", "bayesian"])
def test_stopped_ten_times_it_ends_with_the_same_trials(
    trials, command, made, monkeypatch, tmp_path, oracle
):
    options = {"oracle": oracle, "space": {"C": [0.01 * 4**i for i in range(8)]}, "max_trials": 4}
    whole = trials(study="whole", **options)
    chance = random.Random(0)
    places = [(study, "_run"), (search_module.Study, "add"), (Trials, "begin"), (Trials, "end")]
    stops = 0
    while stops < 10:
        owner, name = chance.choice(places)
        function = getattr(owner, name)
        calls = countdown(chance.randrange(3))

        def stop(*arguments, function=function, calls=calls):
            if next(calls) == 0:
                raise KeyboardInterrupt
            return function(*arguments)

        with monkeypatch.context() as patch:
            patch.setattr(owner, name, stop)
            code = main(command(study="stopped", **options))
        stops += 1
        if code == 0:
            break
    found = trials(study="stopped", **options)
    assert settings(found) == settings(whole)
    for trial in found:
        for name in trial["run_ids"]:
            assert record.is_finished(tmp_path / "runs" / "stopped" / name)


@pytest.mark.parametrize("oracle", ["random", "bayesian", "grid"])
def test_no_setting_is_tried_twice(trials, monkeypatch, oracle):
    monkeypatch.setattr(oracles, "_REPETITION", 3)
    tried = [trial["options"]["C"] for trial in trials(oracle=oracle, max_trials=6)[1:]]
    assert len(set(tried)) == len(tried)
    # A Gaussian process leaves out what it expects nothing of.
    assert oracle == "bayesian" or sorted(tried) == [0.01, 0.1, 1.0, 10.0]


def countdown(start):
    """Counts down, and on."""
    while True:
        yield start
        start -= 1


def test_a_trial_that_fails_is_kept_with_its_reason_and_three_in_a_row_stop(
    trials, monkeypatch, capsys, made
):
    run = study._run

    def fail(fit, options, cache):
        return (None, "out of luck") if options.get("C") in failing else run(fit, options, cache)

    monkeypatch.setattr(study, "_run", fail)
    failing = {0.1}
    found = trials(study="one")
    assert [trial["reason"] for trial in found] == [None, None, "out of luck", None, None]
    assert found[2]["score"] is None
    assert "trial 2 failed: out of luck" in capsys.readouterr().out
    failing = {0.01, 0.1, 1.0}
    found = trials(study="three", code=1)
    assert [trial["trial"] for trial in found] == ["defaults", "1", "2", "3"]
    assert "3 trials in a row have failed" in capsys.readouterr().err


def test_tensorboard_is_shown_every_trial_with_its_whole_setting(trials, tmp_path):
    found = trials(space={"C": [0.1, 1.0]}, max_trials=2)
    for trial in found:
        events = EventAccumulator(str(tmp_path / "runs" / "search" / "hparams" / trial["trial"]))
        events.Reload()
        (score,) = events.Scalars("val_macro_f1")
        assert score.value == pytest.approx(trial["score"])
        (metadata,) = events.PluginTagToContent("hparams").values()
        shown = plugin_data_pb2.HParamsPluginData.FromString(metadata).session_start_info
        values = {name: value.number_value for name, value in shown.hparams.items()}
        # Of the defaults, what they are.
        assert values == (trial["options"] or {"C": 0.3})


def test_hyperband_makes_the_best_again_with_more_epochs(trials, monkeypatch):
    found = trials(model="gated_transformer@scratch", oracle="hyperband", space=TINY, max_trials=3)
    epochs = [trial["options"]["epochs"] for trial in found[1:]]
    assert all(1 <= number < 8 for number in epochs)
    for trial in found[1:]:
        assert set(trial["options"]) == {*TINY, "epochs"}


def test_numbers_of_a_space_are_of_one_kind(trials):
    found = trials(space={"C": [1, "1e-1"]}, max_trials=2)
    assert [trial["options"]["C"] for trial in found[1:]] == [1.0, 0.1]


@pytest.mark.parametrize("name", SPACES)
def test_fit_takes_every_value_of_every_space(name):
    model, _, kind = name.partition("@")
    encoder = {"small": "@scratch", "pretrained": "@minilm", "": ""}[kind]
    full = full_name(model + encoder)
    (modality,) = BASELINES[model].modalities if model in BASELINES else ("text",)
    assert space_of(full, modality) == SPACES[name]
    search_module._check(full, SPACES[name], modality)
    assert list(SPACES[name])[0] in ("learning_rate", "C")


@pytest.mark.parametrize("model", ["cnn", "lstm", "transformer", "gated_transformer"])
def test_a_space_of_speech_masks_sound_in_place_of_words(model):
    space = space_of(f"{model}@scratch", "speech")
    search_module._check(f"{model}@scratch", space, "speech")
    assert set(SPACES[f"{model}@small"]) - set(space) == {"token_dropout"}
    assert {"mask_bands", "mask_seconds", "frames_per_token"} < set(space)


def test_every_model_has_a_space():
    assert space_of("majority") is None
    for model in ("cnn", "lstm", "transformer", "bert", "gated_transformer"):
        assert space_of(full_name(f"{model}@minilm"))
    assert space_of("cnn@glove") == SPACES["cnn@small"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "oracle"}, "Unknown model"),
        ({"model": "majority", "space": None}, "majority has no setting to choose"),
        ({"oracle": "delphi"}, "oracle is one of random, grid, bayesian, hyperband"),
        ({"oracle": "hyperband"}, "hyperband chooses by epochs"),
        ({"max_trials": 0}, "max_trials is 1 or more"),
        ({"seeds_per_trial": 0}, "seeds_per_trial is 1 to 10,000"),
        ({"study": "a/b"}, "A study's name"),
        ({"space": {"C": 1.0}}, "holds no search space. Expected a list"),
        ({"space": {"C": []}}, "holds no search space"),
        ({"space": {"C": [-1.0]}}, "does not fit tfidf_svm. C is above 0"),
        ({"space": {"units": [4]}}, "does not fit tfidf_svm. Unknown option"),
        ({"data": "missing.csv"}, "missing.csv"),
        ({"folds": 3}, "no such option"),
    ],
)
def test_wrong_use_is_told_before_anything_runs(command, capsys, tmp_path, options, message):
    arguments = command(**options)
    if options.get("space", 1) is None:
        arguments = [argument for argument in arguments if "--space" not in argument]
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_a_space_that_cannot_be_read_is_told(command, capsys, tmp_path):
    arguments = command()
    (tmp_path / "space.json").write_text("{")
    assert main(arguments) == 2
    assert "cannot be read as a search space" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        ({"space": {"C": [0.5]}}, "space"),
        ({"oracle": "random"}, "oracle"),
        ({"seeds_per_trial": 2}, "runs"),
        ({"seed": 1}, "seed"),
        ({"test_size": 0.3}, "test_size"),
    ],
)
def test_another_search_of_the_same_name_is_refused(trials, command, capsys, options, changed):
    trials(max_trials=1)
    assert main(command(**options)) == 2
    error = capsys.readouterr().err
    assert f"holds another search: {changed} were others" in error and "--study" in error


def test_runs_are_made_in_a_process_of_their_own(command, forked, monkeypatch, tmp_path, capsys):
    arguments = command(max_trials=1)
    monkeypatch.undo()
    monkeypatch.setattr(study, "PROCESSES", forked)
    assert main(arguments) == 0
    assert len(record.find_runs(tmp_path / "runs")) == 2
    folder = tmp_path / "runs" / "search"
    assert capsys.readouterr().out.endswith(f"The report: python -m reports.render {folder}\n")
    assert "texts to train on" in (tmp_path / "runs/search/logs/worker-0.log").read_text()


def test_a_comparison_in_the_study_of_a_search_has_tests_of_its_own(command, tmp_path, corpus_path):
    assert main(command(max_trials=1)) == 0
    shared = [f"--data={corpus_path}", f"--runs-dir={tmp_path / 'runs'}", "--study=search"]
    assert compare_main(["--models=tfidf_svm,majority", "--seeds=1", *shared]) == 0
    found = json.loads((tmp_path / "runs" / "search" / "comparison.json").read_text())
    assert {one["name"] for one in found["contenders"]} == {"tfidf_svm", "majority"}
    for name in found["run_ids"]:
        assert "test" in record.read_run(tmp_path / "runs" / "search" / name)["metrics"]


def test_a_study_keeps_the_commands_that_made_it(command, tmp_path):
    arguments = command(max_trials=1)
    assert main(arguments) == main(arguments) == 0
    found = json.loads((tmp_path / "runs" / "search" / "study.json").read_text())
    (kept,) = found["commands"]
    assert kept["command"][:3] == ["python", "-m", "tuning.search"]
    assert {"--max-trials=1", "--space=space.json", "--oracle=grid"} <= set(kept["command"])
    assert kept["file"] == {"C": [0.01, 0.1, 1.0, 10.0]}
