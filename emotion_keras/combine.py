# PYTHON_ARGCOMPLETE_OK
"""Combine finished runs: `python -m emotion_keras.combine RUN RUN ...` -> one run of them all.

The combination answers with the weighted mean of the logarithms of its members' probabilities, with
weights that fit the validation split best. Members are runs of any model and any encoder, baselines
too, on the same data and the same split. It is a run like any other: it predicts, explains, serves,
is exported and compared. Nothing is trained, so that it takes seconds.
"""

import shlex
import sys
from pathlib import Path

from rich.console import Group

from emotion_keras import record
from emotion_keras.command.entry import run_command
from emotion_keras.command.options import make_parser
from emotion_keras.command.score_table import ScoreTable, print_tables
from emotion_keras.studies.options import CombineOptions
from emotion_keras.targets import target_of


def summarize(directory: Path) -> Group:
    """A combination as tables for the terminal: its members and its scores."""
    from emotion_keras.studies.combination import describe_members

    run = record.read_run(directory)
    shown = target_of(run).shown
    members = ScoreTable("Members", ("model", "seed", "weight"))
    for name, seed, weight in describe_members(run):
        members.add_row(name, str(seed), f"{weight:.3f}")
    scores = ScoreTable(
        f"{len(run['members'])} runs combined on {run['corpus']['name']}, in per cent",
        ("split", "examples", *shown.values()),
    )
    for split, metrics in run["metrics"].items():
        values = [metrics[name] for name in shown]
        in_per_cent = ["-" if value is None else f"{100 * value:.1f}" for value in values]
        scores.add_row(split, str(metrics["num_examples"]), *in_per_cent)
    return Group(members, scores)


def main(arguments: list[str] | None = None) -> int:
    """The command `python -m emotion_keras.combine`."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = make_parser("python -m emotion_keras.combine", __doc__, [CombineOptions])
    parser.add_argument("runs", nargs="*", help="Folders of two finished runs or more.")

    def run():
        options = vars(parser.parse_args(arguments))
        # Imported here because pandas takes a moment.
        from emotion_keras.studies.combination import combine

        directory = combine(options.pop("runs"), **options)
        print_tables(summarize(directory))
        print(f"The run: {directory}")
        if record.has_model(directory):
            print(f'Next: python -m emotion_keras.predict {shlex.quote(str(directory))} "..."')
        return 0

    return run_command(run)


if __name__ == "__main__":
    sys.exit(main())
