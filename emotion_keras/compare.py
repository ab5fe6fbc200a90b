# PYTHON_ARGCOMPLETE_OK
"""Compare models on the same splits: `python -m emotion_keras.compare` -> the runs of a study.

Every model is trained with several seeds, or on several folds; what is finished is not made again,
and killed runs continue. Without options it makes the whole comparison on ISEAR, which takes
hours on a CPU.
"""

import sys
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.text import Text

from emotion_keras.command.entry import run_command
from emotion_keras.command.options import make_parser
from emotion_keras.command.score_table import (
    ScoreTable,
    main_scores,
    print_tables,
    spread_of,
    with_interval,
)
from emotion_keras.data.options import DATA_STAGES
from emotion_keras.studies.comparison import COMPARISON, CompareOptions, compare
from emotion_keras.studies.study import tell_failures, tell_next
from emotion_keras.training.settings import where_is


def summarize(comparison: dict[str, Any]) -> Group:
    """A comparison as tables for the terminal."""
    rows = comparison["contenders"]
    shown = main_scores(rows[0])
    main, *_ = shown
    accuracy = "All labels right," if shown["accuracy"] == "all right" else "Accuracy"
    scores = ScoreTable(
        f"Test split of {comparison['corpus']['name']}, in per cent, with 95 % intervals over "
        "examples and seeds",
        ("model", "runs", *shown.values(), "SD"),
    )
    differences = ScoreTable(
        f"{accuracy} in points beyond {comparison['reference']}, with 95 % intervals over "
        "examples and seeds",
        ("model", "points", "interval", "p", ""),
    )
    calibration = ScoreTable(
        "Before > after temperature scaling, fitted on the validation split (T: temperature)",
        ("model", "ECE, %", "log loss", "Brier", "T"),
    )
    costs = ScoreTable("Cost", ("model", "size", "s", "examples/s", "ms/1", "ms/256", "GB"))
    for row in rows:
        name = row["name"]
        values = [row.get(score) for score in shown]
        spread = spread_of(row[main])
        scores.add_row(name, str(row["num_runs"]), *map(with_interval, values), spread)
        if "difference" in row:
            differences.add_row(name, *_verdict(row["difference"]))
        scaled = row["calibrated"]
        calibration.add_row(
            name,
            f"{100 * row['ece']['mean']:.1f} > {100 * scaled['ece']:.1f}",
            f"{row['log_loss']['mean']:.2f} > {scaled['log_loss']:.2f}",
            f"{row['brier_score']['mean']:.2f} > {scaled['brier_score']:.2f}",
            f"{scaled['temperature']:.2f}",
        )
        cost = row["cost"]
        costs.add_row(
            name,
            _count(row["num_parameters"]),
            f"{cost['seconds']:.0f}",
            f"{cost['examples_per_second']:.0f}",
            _milliseconds(cost["milliseconds_for_1_text"], 1),
            _milliseconds(cost["milliseconds_for_256_texts"], 0),
            f"{cost['peak_memory_bytes'] / 1e9:.1f}",
        )
    together = "Examples of one group count together. " if comparison["grouped"] else ""
    about_scores = Text(f"{together}SD: standard deviation of {shown[main]} over seeds.\n")
    explained = Text(
        "p: of no difference, after Holm's correction for all of them. Resolved: p is 0.05 or "
        "less.\n"
    )
    about_cost = Text(
        "size: parameters; s: seconds of training; examples/s: in training; ms/1, "
        "ms/256: milliseconds for one example and for 256, the least of the runs' medians (-: no "
        "run had the machine to itself); GB: peak memory."
    )
    compared: list[ScoreTable | Text] = [differences, explained] if len(rows) > 1 else []
    elsewhere = _elsewhere(comparison.get("transfers", []))
    return Group(scores, about_scores, *compared, calibration, costs, about_cost, *elsewhere)


_ELSEWHERE = ("accuracy", "macro F1", "macro F1 at home", "all labels")
# All labels may be answered in any case, and those that the models alone have are left out.
_OF_SEVERAL_ELSEWHERE = ("macro F1", "macro F1 at home", "all labels right")


def _elsewhere(transfers):
    """How good the models are on other corpora, a table for each."""
    tables: list[ScoreTable | Text] = []
    for corpus in dict.fromkeys((one.tested_on, one.tested_sha256) for one in transfers):
        own = [one for one in transfers if (one.tested_on, one.tested_sha256) == corpus]
        labels, several = ", ".join(own[0].known.shared), own[0].several
        headings = _OF_SEVERAL_ELSEWHERE if several else _ELSEWHERE
        table = ScoreTable(
            f"{own[0].num_examples:,} examples of {corpus[0]}, in per cent, among {labels}",
            ("model", "runs", *headings),
        )
        for one in sorted(own, key=lambda one: -one.shared["macro_f1"].mean):
            at_home = (one.at_home or {}).get("macro_f1")
            found = [one.shared["accuracy"], one.shared["macro_f1"], at_home, one.open["macro_f1"]]
            if several:
                found = [one.shared["macro_f1"], at_home, one.shared["accuracy"]]
            cells = (with_interval(score and score._asdict()) for score in found)
            table.add_row(one.name, str(one.num_runs), *cells)
        tables.append(table)
    if not tables:
        return []
    about = "At home: on the own test split, among the same labels."
    if not all(one.several for one in transfers):
        about += " All labels: macro F1 where the labels that the models alone have may be "
        about += "answered, too."
    return [*tables, Text(about)]


def _count(number):
    """A number in three or four characters, such as 374k."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.{0 if number >= 100 * size else 1}f}{unit}"
    return str(number)


def _milliseconds(value, digits):
    return "-" if value is None else f"{value:.{digits}f}"


def _verdict(difference):
    p_value = difference["p_holm"]
    return (
        f"{100 * difference['difference']:+.1f}",
        f"{100 * difference['low']:+.1f} to {100 * difference['high']:+.1f}",
        "< 0.001" if p_value < 0.001 else f"{p_value:.3f}",
        "" if difference["resolved"] else "not resolved",
    )


def _where_is(option):
    found = where_is(option)
    return f"{found} Give it in a file, with `--settings`." if found else ""


def main(arguments: list[str] | None = None) -> int:
    """The command `python -m emotion_keras.compare`."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    classes: list[Any] = [CompareOptions, *DATA_STAGES.values()]
    program = "python -m emotion_keras.compare"
    parser = make_parser(program, __doc__, classes, skip={"fold"}, elsewhere=_where_is)

    def run():
        options = vars(parser.parse_args(arguments))
        comparison, failed = compare(**options)
        if comparison:
            print_tables(summarize(comparison))
            tell_next(Path(options["runs_dir"]) / options["study"], COMPARISON)
        return tell_failures(failed)

    return run_command(run)


if __name__ == "__main__":
    sys.exit(main())
