"""Whatever labels, encoders and studies are called, the report says so and takes no harm."""

import csv
import io
import json
import shlex

import pytest
import yaml

from reports.display import figure
from reports.records import read_records
from reports.render import render
from reports.sections.model import model_card
from reports.sections.repeat import commands

NAMES = [
    pytest.param("True label", id="the column of true labels"),
    pytest.param("(True label)", id="that column in brackets"),
    pytest.param("true_label", id="the same column of the CSV file"),
    pytest.param("Model", id="the column of models"),
    pytest.param("contender", id="the same column of the CSV file"),
    pytest.param("contender_mean", id="a column of means"),
    pytest.param("label", id="a column of predictions"),
    pytest.param("run", id="a column of runs"),
    pytest.param("all", id="all"),
    pytest.param("(no label)", id="no label"),
    pytest.param("a/b", id="a path"),
    pytest.param("..", id="the folder above"),
    pytest.param("__proto__", id="the prototype of JavaScript"),
    pytest.param("<script>alert(1)</script>", id="a script"),
    pytest.param('" onload="alert(1)', id="an attribute"),
    pytest.param("[red]x[/red]", id="rich's markup"),
    pytest.param("$x_1$", id="mathematics"),
    pytest.param("\\input{x}", id="a command of TeX"),
    pytest.param("=1+1", id="a formula"),
    pytest.param("\uff1d1+1", id="a formula in wide characters"),
    pytest.param("x" * 300, id="300 characters"),
    pytest.param("joy, mixed", id="a comma"),
    pytest.param('a "b"', id="quotes"),
    pytest.param("two\nlines", id="a line break"),
    pytest.param("\U0001f600", id="an emoji"),
    pytest.param("\u0641\u0631\u062d", id="right to left"),
    pytest.param("caf\u00e9", id="a composed accent"),
    pytest.param("cafe\u0301", id="the same in two characters"),
    pytest.param("| --- | **b**", id="a table of Markdown"),
    pytest.param("&lt;", id="an entity of HTML"),
]
ALL = [name.values[0] for name in NAMES]


@pytest.fixture(scope="module")
def report(tmp_path_factory, make_run):
    """The folder of the report on a run whose labels have all the names, and its record."""
    folder = tmp_path_factory.mktemp("names")
    directory = make_run(folder / "runs" / "fit", "cnn@scratch", labels=ALL)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(figure, "DOTS_PER_INCH", 30)
        said = []
        assert render(folder / "runs", out=str(folder / "out"), notify=said.append) == 0
    return folder / "out", json.loads((directory / "run.json").read_text())


@pytest.fixture(scope="module")
def page(report, read_page):
    return read_page(report[0])


def read_csv(out, name):
    """A table's heading and rows, without the apostrophes that guard against formulas."""
    text = (out / "tables" / f"{name}.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(io.StringIO(text, newline="")))
    return [[cell.removeprefix("'") for cell in row] for row in rows]


@pytest.mark.parametrize("name", NAMES)
def test_a_label_has_its_own_row_and_column(report, page, name):
    out, record = report
    number = ALL.index(name)
    metrics = record["metrics"]["test"]
    head, *rows = read_csv(out, "confusion")
    assert head == ["(true_label)", *ALL]
    assert rows[number][0] == name
    assert [int(count) for count in rows[number][1:]] == metrics["confusion_matrix"][number]
    head, row = read_csv(out, "label_f1")
    assert float(row[head.index(f"{name}_mean")]) == metrics["per_label"][name]["f1"]
    assert row[0] == "cnn@scratch" and len(head) == 1 + 3 * len(ALL)
    head, *rows = page.tables["confusion"]
    assert head == ["((True label))", *(label.strip() for label in ALL)]
    assert rows[number][0] == name
    head, row = page.tables["label_f1"]
    assert head[:1] == ["(Model)"] and row[:1] == ["CNN (from scratch)"]
    mean = row[1 + number].partition(" ")[0]  # Its interval follows.
    assert mean == f"{100 * metrics['per_label'][name]['f1']:.1f}"


def test_no_label_is_more_than_text(report, page):
    out, _ = report
    # That of the page, and the data of the explorer.
    assert [tag for tag, _ in page.tags].count("script") == 2
    assert not any("onload" in attrs for _, attrs in page.tags)
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(set(ids)) == len(ids)
    # Nothing is called by a label.
    files = {path.name for folder in ("tables", "figures") for path in (out / folder).iterdir()}
    assert not [(name, file) for name in ALL for file in files if len(name) > 5 and name in file]
    markdown = (out / "tables" / "confusion.md").read_text(encoding="utf-8")
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + len(ALL)
    bars = {line.replace("\\|", "").count("|") for line in lines}
    assert bars == {len(ALL) + 2}


def test_no_cell_of_a_csv_file_is_a_formula(report):
    out, _ = report
    for path in (out / "tables").glob("*.csv"):
        for row in csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")):
            for cell in row:
                assert not cell.startswith(("=", "@", "\uff1d"))


def test_the_card_lists_the_labels_and_can_be_read(report):
    text = (report[0] / "MODEL_CARD.md").read_text(encoding="utf-8")
    _, head, body = text.split("---\n", 2)
    assert yaml.safe_load(head)["model-index"][0]["name"] == "cnn-scratch-seed0"
    assert "\\<script\\>alert(1)\\</script\\>" in body and "two lines" in body
    assert "\\&lt;" in body and "\\$x\\_1\\$" in body


@pytest.mark.parametrize(
    "name",
    ["no", "1", "\U0001f600 b", "two\nlines", '"a"', "a: b", "\u2028", "\x7f", "caf\u00e9 " * 40],
)
def test_a_card_names_the_corpus_as_it_is(tmp_path, make_run, name):
    directory = make_run(tmp_path / "fit", "cnn@scratch", corpus=name)
    (run,) = read_records(directory).parts[0].runs
    _, head, _ = model_card([run]).split("---\n", 2)
    assert yaml.safe_load(head)["datasets"] == [name]


def test_an_encoder_whose_name_has_a_backtick_is_code_on_the_card(tmp_path, make_run):
    directory = make_run(tmp_path / "fit", "cnn@a`b")
    card = model_card(read_records(directory).parts[0].runs)
    assert "\n`` cnn@a`b ``, 1,234 parameters" in card


def test_figures_of_encoders_with_names_alike_are_kept_apart(tmp_path, make_run, quick):
    runs = tmp_path / "runs" / "gate"
    names = [f"gated_transformer@{encoder}" for encoder in ("a/b", "a b", "\u559c", "x" * 90)]
    points = []
    for number, name in enumerate(names):
        path = make_run(runs, name, trial="gate features", name=f"run{number}")
        points.append({"contender": name, "value": "features", "run_ids": [path.name]})
    (runs / "sensitivity.json").write_text(
        json.dumps({"schema_version": 1, "analysis": "gate", "points": points})
    )
    assert render(runs, out=str(tmp_path / "out"), notify=lambda _: None) == 0
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    for name in ("gate_a_b", "gate_a_b_2", "gate__", f"gate_{'x' * 35}"):
        assert page.count(f'href="figures/{name}_auc.png"') == 1


def test_studies_of_one_name_in_two_folders_are_kept_apart(tmp_path, make_run, quick):
    for folder, skill in (("a", 0.5), ("b", 0.9), ("c", 0.7)):
        study = "other" if folder == "c" else "fit"
        make_run(tmp_path / "runs" / folder / study, "cnn@scratch", skill=skill)
    assert render(tmp_path / "runs", out=str(tmp_path / "out"), notify=lambda _: None) == 0
    _, *rows = read_csv(tmp_path / "out", "studies")
    assert [row[:2] for row in rows] == [["a/fit", "1"], ["b/fit", "1"], ["other", "1"]]
    found = commands(read_records(tmp_path / "runs").parts[0])
    assert [one["study"] for one in found] == ["a/fit", "b/fit", "other"]


@pytest.mark.parametrize(
    "runs_dir, options, expected",
    [
        pytest.param("runs", {}, ["runs"], id="as it is"),
        pytest.param("my runs; rm x", {}, ["my runs; rm x"], id="blanks and a semicolon"),
        pytest.param("it's $HOME", {}, ["it's $HOME"], id="a quote and a dollar"),
        pytest.param("-r", {}, ["--", "-r"], id="a dash in front"),
        pytest.param(
            "runs", {"out": "an out", "corpus": "a b", "backend": "jax"},
            ["--out=an out", "--corpus=a b", "--backend=jax", "runs"],
            id="with options",
        ),
    ],
)  # fmt: skip
def test_the_command_that_renders_the_page_can_be_pasted(
    tmp_path, make_run, monkeypatch, quick, read_page, runs_dir, options, expected
):
    monkeypatch.chdir(tmp_path)
    make_run(tmp_path / runs_dir / "fit", "cnn@scratch", corpus="a b", backend="jax")
    assert render(runs_dir, **options, notify=lambda _: None) == 0
    page = read_page(tmp_path / options.get("out", "report"))
    (command,) = [word for word in page.words if word.startswith("python -m reports.render -") or
                  word.startswith("python -m reports.render") and len(word) > 24]  # fmt: skip
    assert shlex.split(command) == ["python", "-m", "reports.render", *expected]


def test_a_page_without_runs_names_the_folder_that_was_asked_for(tmp_path, monkeypatch, read_page):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my runs").mkdir()
    assert render("my runs", notify=lambda _: None) == 2
    words = [word for word in read_page(tmp_path / "report").words if word.startswith("python -m")]
    assert [shlex.split(word)[3:] for word in words] == [
        ["--runs-dir=my runs"],
        ["--runs-dir=my runs"],
        ["my runs"],
    ]


def test_a_command_for_several_runs_has_nothing_that_a_shell_might_not_skip(tmp_path, make_run):
    for seed in range(3):
        make_run(tmp_path / "-a $b", "cnn@scratch", seed)
    (found,) = commands(read_records(tmp_path).parts[0])
    assert "--study=-a $b" in shlex.split(found["command"])
    assert "#" not in found["command"] and found["others"] == 2
