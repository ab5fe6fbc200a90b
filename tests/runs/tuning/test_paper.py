"""The whole plan: its studies are those of its parts, it is made once, and it goes on."""

import pytest
import rich

from emotion_keras import record
from emotion_keras.data.options import DataOptions
from emotion_keras.studies import study
from emotion_keras.studies.comparison import COMPARISON
from emotion_keras.training.settings import Settings
from tuning import paper as paper_module
from tuning import sensitivity
from tuning.paper import BUDGETS, Budget, main

SMALL = {
    "embedding_dim": 8,
    "vocabulary_size": 60,
    "sequence_length": 16,
    "num_layers": 1,
    "num_heads": 2,
    "intermediate_dim": 8,
    "batch_size": 32,
    "epochs": 1,
}
GATED = "gated_transformer@scratch"

TOY = Budget(
    prefix="quick-",
    models=f"tfidf_svm,{GATED}",
    analysed=GATED,
    seeds=1,
    settings={GATED: SMALL},
    arguments={
        "learning_rate": {"rates": "0.01,0.001"},
        "data_ratio": {"ratios": "0.5,1"},
        "noise": {"kinds": "typos", "levels": "0.5", "label_levels": "0.4"},
        "gate": {"forms": "none,features"},
    },
)


@pytest.fixture
def made(runs_here, monkeypatch):
    """Makes runs of the plan at toy size in this process; lists them."""
    monkeypatch.setitem(BUDGETS, "quick", {"text": TOY})
    return runs_here


@pytest.fixture
def arguments(corpus_path, tmp_path):
    return [f"--data={corpus_path}", f"--runs-dir={tmp_path / 'runs'}"]


def test_the_plan_is_made_once_and_goes_on_where_it_was_stopped(
    made, arguments, tmp_path, capsys, monkeypatch
):
    run = study._run

    def stop(*arguments):
        if len(made) == 3:
            raise KeyboardInterrupt
        return run(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(study, "_run", stop)
        assert main(arguments) == 2
    assert "The same command continues" in capsys.readouterr().err
    assert len(record.find_runs(tmp_path / "runs")) == 2
    made.clear()
    assert main(arguments) == 0
    # 2 of the comparison, 1 with wrong labels, and 2 of each of the others; 2 were there.
    assert len(made) == 7 and len(record.find_runs(tmp_path / "runs")) == 9
    names = ("comparison", "learning_rate", "data_ratio", "gate")
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {f"quick-{n}" for n in names}
    for name in names:
        directory = tmp_path / "runs" / f"quick-{name}"
        analysis = "noise" if name == "comparison" else name
        found = record.read_versioned(directory / sensitivity.SENSITIVITY)
        assert found["analysis"] == analysis and len(found["points"]) == 2
    assert record.read_versioned(tmp_path / "runs" / "quick-comparison" / COMPARISON)
    out = capsys.readouterr().out
    assert out.count("Plan, quick") == 6 and "Step 5 of 5: gate" in out
    assert out.endswith(f"The report: python -m reports.render {tmp_path / 'runs'}\n")
    made.clear()
    assert main(arguments) == 0
    assert not made


def test_a_run_that_fails_stops_nothing_and_is_told(made, arguments, monkeypatch, capsys):
    run = study._run

    def fail(fit, options, cache):
        is_chosen = options["model"] == "tfidf_svm"
        return (None, "out of luck") if is_chosen else run(fit, options, cache)

    monkeypatch.setattr(study, "_run", fail)
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert "Failed: tfidf_svm, seed 0: out of luck" in captured.err
    assert "Step 5 of 5: gate" in captured.out
    assert len(made) == 9


def test_full_is_what_the_commands_make_by_default_and_tells_its_cost(corpus_path, tmp_path):
    steps = paper_module.plan_paper(
        paper_module.PaperOptions(budget="full", workers=2, runs_dir=str(tmp_path)),
        DataOptions.make(data=str(corpus_path)),
        notify=lambda message: None,
    )
    assert [(step.name, step.directory.name, len(step.tasks)) for step in steps] == [
        ("comparison", "comparison", 12 * 5),
        # Without noise, and at three levels of it in labels.
        ("noise", "comparison", 2 * 4 * 5),
        ("learning_rate", "learning_rate", 2 * 5 * 5),
        ("data_ratio", "data_ratio", 2 * 7 * 5),
        # MiniLM has no blocks of ours after which a gate would make a difference.
        ("gate", "gate", (9 + 7) * 5),
    ]
    # The models that are tested with noise are those of the comparison, and count once.
    compared = [task.asked for task in steps[0].tasks]
    assert sum(task.asked in compared for task in steps[1].tasks) == 10
    seconds = [
        15 * 5 + 20 * 120 + 10 * 110 + 15 * 500,  # baselines, from scratch, embeddings, MiniLM
        15 * (120 + 500),
        25 * (120 + 500),
        5 * (0.05 + 0.1 + 0.2 + 0.4 + 0.6 + 0.8 + 1) * (120 + 500),
        45 * 120 + 35 * 500,
    ]
    console = rich.console.Console(width=100)
    with console.capture() as capture:
        console.print(paper_module.show_plan(steps, "full", 2, paper_module._EXAMPLES["text"]))
    assert f"{sum(seconds) / 2 / 3600:.1f} hours" in capture.get()


@pytest.mark.parametrize(("budget", "seeds", "ratios"), [("quick", 2, 4), ("full", 5, 7)])
def test_of_recordings_models_of_recordings_are_planned(
    recordings, tmp_path, monkeypatch, budget, seeds, ratios
):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    steps = paper_module.plan_paper(
        paper_module.PaperOptions(budget=budget, runs_dir=str(tmp_path)),
        DataOptions.make(data=str(recordings)),
        notify=lambda message: None,
    )
    assert {task.options["model"] for task in steps[0].tasks} == {
        *("majority", "mfcc_logistic", "mfcc_svm"),
        *("cnn", "lstm", "transformer", "gated_transformer"),
    }
    labels = 3 if budget == "quick" else 4
    # A gate after the one block would be the last.
    assert [len(step.tasks) for step in steps] == [
        number * seeds for number in (7, labels, 5, ratios, 8)
    ]
    for step in steps:
        for task in step.tasks:
            options = {name: v for name, v in task.options.items() if name != "trial"}
            assert Settings.make(**options).reading.modality == "speech"
    compared = [task.asked for task in steps[0].tasks]
    assert sum(task.asked in compared for task in steps[1].tasks) == seeds
    console = rich.console.Console(width=100)
    with console.capture() as capture:
        console.print(paper_module.show_plan(steps, budget, 1, 1020))
    assert "together" in capture.get()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["--budget=half"], "budget is one of quick, full"),
        (["--workers=0"], "workers is 1 or more"),
        (["--data=missing.csv"], "missing.csv"),
        (["--folds=3"], "no such option"),
    ],
)
def test_wrong_use_is_told(arguments, capsys, wrong, message, tmp_path):
    assert main([*arguments, *wrong]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()
