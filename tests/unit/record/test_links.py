"""Folders of runs that are put together with symbolic links."""

import os
from pathlib import Path

import pytest

from emotion_keras import record
from emotion_keras.errors import UserError

FILES = ("run.json", "model.keras")
PUBLISHED = Path(__file__).parents[3] / "reports" / "published" / "isear" / "comparison"


def put(*paths):
    """Writes records of finished runs, whose macro F1 is higher the later they are named."""
    run = record.read_run(next(PUBLISHED.glob("majority-*")))
    for number, path in enumerate(paths):
        path.mkdir(parents=True)
        run["metrics"]["val"]["macro_f1"] = number / 10
        record.write_json(path / "run.json", run)
        (path / "model.keras").touch()


@pytest.mark.parametrize(
    "links, expected",
    [
        pytest.param({"runs/fit": "../disk/fit"}, ["fit/a", "fit/b"], id="a study on another disk"),
        pytest.param(
            {"runs/x/fit": "../../disk/fit"}, ["x/fit/a", "x/fit/b"], id="two levels down"
        ),
        pytest.param({"runs": "disk"}, ["fit/a", "fit/b"], id="the folder that is asked for"),
        pytest.param(
            {"runs/one": "../hop", "hop": "disk/fit"}, ["one/a", "one/b"], id="a link to a link"
        ),
        pytest.param({"runs/fit/one": "../../disk/fit/a"}, ["fit/one"], id="a single run"),
        pytest.param(
            {"runs/a": "../disk/fit/b", "runs/z": "../disk/fit"},
            ["z/a", "z/b"],
            id="a study, and one of its runs beside it",
        ),
        pytest.param(
            {"runs/one": "../disk/fit", "runs/two": "../disk/fit"},
            ["one/a", "one/b"],
            id="one study by two names",
        ),
        pytest.param(
            {"runs/fit": "../disk/fit", "runs/fit/again": "."},
            ["fit/a", "fit/b"],
            id="a link to the folder that holds it",
        ),
        pytest.param(
            {"runs/fit": "../disk/fit", "disk/fit/up": ".."},
            ["fit/a", "fit/b"],
            id="a link to the folder above",
        ),
        pytest.param(
            {"runs/fit": "../disk/fit", "disk/fit/home": "../../runs"},
            ["fit/a", "fit/b"],
            id="two folders that lead to each other",
        ),
        pytest.param(
            {"runs/fit": "../disk/fit", "runs/itself": "itself"},
            ["fit/a", "fit/b"],
            id="a link to itself",
        ),
        pytest.param(
            {f"runs/fit/c/{name}": f"../../../disk/fit/a/{name}" for name in FILES},
            ["fit/c"],
            id="a run whose files are links",
        ),
    ],
)
def test_runs_are_found_where_links_lead(tmp_path, links, expected):
    put(tmp_path / "disk" / "fit" / "a", tmp_path / "disk" / "fit" / "b")
    for link, target in links.items():
        (tmp_path / link).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / link).symlink_to(target)
    runs = tmp_path / "runs"
    assert record.find_runs(runs) == [runs / name for name in expected]
    assert record.resolve_run("best", runs) == runs / expected[-1]


def test_a_run_keeps_the_name_of_its_own_folder_where_a_link_leads_to_it_too(tmp_path):
    put(tmp_path / "runs" / "fit" / "a")
    (tmp_path / "runs" / "best").symlink_to("fit/a")
    lost = []
    assert record.find_runs(tmp_path / "runs", lost) == [tmp_path / "runs" / "fit" / "a"]
    assert lost == []


def test_a_link_to_a_disk_that_is_not_there_is_named(tmp_path):
    runs, lost = tmp_path / "runs", []
    runs.mkdir()
    (runs / "fit").symlink_to("../disk/fit")
    (runs / ".#notes").symlink_to("someone@machine")
    assert record.find_runs(runs, lost) == []
    assert lost == [(runs / "fit", "it is a link to ../disk/fit, which is not there")]
    with pytest.raises(UserError, match="runs/fit: it is a link to ../disk/fit"):
        record.resolve_run("best", runs)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_folder_that_may_not_be_read_is_named(tmp_path):
    put(tmp_path / "fit" / "a")
    (tmp_path / "fit").chmod(0)
    lost = []
    try:
        record.find_runs(tmp_path, lost)
    finally:
        (tmp_path / "fit").chmod(0o700)
    assert lost == [(tmp_path / "fit", "Permission denied")]
