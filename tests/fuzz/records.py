"""Damages what commands have written, and looks for what must not happen when it is read again.

    KERAS_BACKEND=torch python tests/fuzz/records.py [--folders 500] [--seed 0]

A study of small runs is made once. Then, folder by folder, some of its files are cut, emptied,
removed, replaced, or changed in some bytes or in a value of their JSON; and `predict`, `fit`,
`compare`, `export` and the report are run on it. Each must end with 0, 1 or 2, and without a
traceback. Figures are not drawn and models not trained. A finding is printed with the seed that
makes it again. 500 folders take some ten minutes.
"""

import argparse
import contextlib
import io
import json
import os
import random
import shutil
import sys
import tempfile
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import rich.progress
from matplotlib.figure import Figure

from emotion_keras import compare, export, fit, predict
from emotion_keras.studies import study
from reports import render

WORDS = {"joy": "laughed sang won", "fear": "dark hid storm", "anger": "lied stole rude"}
VALUES = [None, True, 0, -1, 1e400, float("nan"), "", "x", "NaN", [], [1], {}, {"a": 1}, "y" * 999]


def make_study(folder: Path) -> None:
    """Makes a study of four runs in a folder.

    Args:
        folder: An empty folder.
    """
    rows = [
        f"{words.split()[i % 3]} on day {i},{label}"
        for i in range(40)
        for label, words in WORDS.items()
    ]
    (folder / "days.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    for model in ("majority", "tfidf_logistic"):
        for seed in (0, 1):
            fit.fit(
                data=str(folder / "days.csv"),
                model=model,
                seed=seed,
                study="comparison",
                runs_dir=str(folder / "runs"),
                notify=lambda message: None,
            )


def damage(chance: random.Random, folder: Path) -> str:
    """Damages one to three files of a folder.

    Args:
        chance: What decides.
        folder: The folder.

    Returns:
        What was done, in words.
    """
    done = []
    for _ in range(chance.randint(1, 3)):
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        path = chance.choice([p for p in files if p.suffix in (".json", ".csv", ".skops")])
        kind = chance.choice(
            ["cut", "empty", "remove", "folder", "bytes", "value", "value", "value"]
        )
        content = path.read_bytes()
        if kind == "cut":
            path.write_bytes(content[: chance.randint(0, len(content))])
        elif kind == "empty":
            path.write_bytes(b"")
        elif kind == "remove":
            path.unlink()
        elif kind == "folder":
            path.unlink()
            path.mkdir()
        elif kind == "bytes" or path.suffix != ".json":
            changed = bytearray(content)
            for _ in range(chance.randint(1, 5)):
                if changed:
                    changed[chance.randrange(len(changed))] = chance.randrange(256)
            path.write_bytes(changed)
        else:
            kind = _change_value(chance, path)
        done.append(f"{path.relative_to(folder)}: {kind}")
    return "; ".join(done)


def _change_value(chance, path):
    """Replaces or removes one value at any depth of a JSON file."""
    try:
        whole = json.loads(path.read_bytes())
    except (ValueError, UnicodeDecodeError):
        return "damaged before"
    place, names = whole, []
    while isinstance(place, (dict, list)) and place:
        key = chance.choice(list(place) if isinstance(place, dict) else range(len(place)))
        names.append(str(key))
        if chance.random() < 0.3 or not isinstance(place[key], (dict, list)) or not place[key]:
            if chance.random() < 0.2:
                del place[key]
                names.append("removed")
            else:
                place[key] = chance.choice(VALUES)
                names.append(repr(place[key])[:20])
            break
        place = place[key]
    path.write_text(json.dumps(whole))
    return " ".join(names)


def check(folder: Path) -> str | None:
    """Runs the commands on a damaged folder.

    Args:
        folder: The folder, which becomes the working folder.

    Returns:
        What is wrong, or `None`.
    """
    runs = sorted(path for path in (folder / "runs" / "comparison").iterdir() if path.is_dir())
    data = f"--data={folder / 'days.csv'}"
    lines = [
        (predict.main, ["best", "I sang", "--runs-dir", str(folder / "runs")]),
        (predict.main, [str(runs[0]), "I sang"]),
        (
            fit.main,
            [data, "--model=tfidf_logistic", f"--runs-dir={folder / 'runs'}", "--study=fit"],
        ),
        (fit.main, ["--from-run", str(runs[-1]), f"--runs-dir={folder / 'runs'}"]),
        (
            compare.main,
            [
                data,
                "--models=majority,tfidf_logistic",
                "--seeds=2",
                f"--runs-dir={folder / 'runs'}",
            ],
        ),
        (export.main, [str(runs[-1])]),
        (render.main, [str(folder / "runs"), f"--out={folder / 'report'}"]),
    ]
    for command, arguments in lines:
        output, errors = io.StringIO(), io.StringIO()
        try:
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
                code = command(arguments)
        except SystemExit as end:
            code = end.code
        except BaseException:
            return f"{command.__module__} {arguments}\n{traceback.format_exc()}"
        # Of a run that fails a study's log has the traceback, here standard output.
        shown = errors.getvalue() + ("" if command == compare.main else output.getvalue())
        if code not in (0, 1, 2) or (code == 2 and "Traceback" in shown):
            return f"{command.__module__} {arguments}: {code}\n{errors.getvalue()}"
    return None


def _make_here(tasks, *, cache, on_start, **_):
    """Makes the runs of a study in this process: another would take seconds to start."""
    for task in tasks:
        on_start(task)
        yield study.Ended(task, *study._run(fit.fit, task.options, cache))


def _save_nothing(figure, target, **options):
    text = "<svg></svg>"
    target.write(text) if hasattr(target, "write") else Path(target).write_text(text)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folders", type=int, default=500, help="how many folders")
    parser.add_argument("--seed", type=int, default=0, help="the first folder's seed")
    parser.add_argument("--findings", type=int, default=10, help="stop after so many")
    arguments = parser.parse_args()
    findings = 0
    study.run_tasks = _make_here
    Figure.savefig = _save_nothing
    with tempfile.TemporaryDirectory() as place:
        whole, folder = Path(place) / "whole", Path(place) / "folder"
        whole.mkdir()
        make_study(whole)
        for seed in rich.progress.track(
            range(arguments.seed, arguments.seed + arguments.folders), description="Folders"
        ):
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(whole, folder)
            done = damage(random.Random(seed), folder / "runs")
            os.chdir(folder)
            if problem := check(folder):
                print(f"seed {seed} ({done}): {problem}", flush=True)
                findings += 1
            os.chdir(place)
            if findings == arguments.findings:
                break
    print(f"{findings} findings")
    return int(bool(findings))


if __name__ == "__main__":
    sys.exit(main())
