# PYTHON_ARGCOMPLETE_OK
"""Compare ways of explaining a run: `python -m emotion_keras.faithfulness RUN`.

It deletes from texts of the test split the words that each way points at, and says how far the
label's probability falls, against random words: by what words add to the score and by the gate, of
a network whose gate stands last; by integrated gradients, of any network; and by occlusion, of any
model. `fit` measures the first two alone. The result is kept in the run's folder, where `predict`,
`serve` and the report find it.
"""

import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.text import Text

from emotion_keras import record
from emotion_keras.command.entry import run_command
from emotion_keras.command.options import make_parser
from emotion_keras.command.score_table import ScoreTable, print_tables
from emotion_keras.errors import UserError
from emotion_keras.inputs import modality_of
from emotion_keras.machine.quiet import load_keras
from emotion_keras.record.options import Options, option


@dataclass(frozen=True, kw_only=True)
class FaithfulnessOptions(Options):
    """Which run is measured."""

    study: str | None = option(
        None, "With `best`, the study whose runs to choose from; unless given, all."
    )
    runs_dir: str = option("runs", "With `best`, folder of all runs.")


def measure(
    run: str | Path, *, notify: Callable[[str], Any] = print, **options: Any
) -> tuple[Path, list[dict[str, Any]]]:
    """Measures all ways of explaining a run's model, and keeps what it finds in the run's folder.

    Args:
        run: Folder of a finished run, or `best`.
        notify: Called with messages for the user.
        **options: Values by option of `FaithfulnessOptions`.

    Returns:
        The run's folder, and what `measure_faithfulness` returns.

    Raises:
        UserError: If the run keeps no test texts or no model, or its model takes examples whole.
    """
    asked = FaithfulnessOptions(**options)
    directory = record.resolve_run(run, asked.runs_dir, asked.study)
    path = directory / record.TEXTS
    found = record.read_run(directory)
    if not path.exists():
        raise UserError(
            f"The run {directory} keeps no examples of the test split to measure with: there is no "
            f"{record.TEXTS}. {record.how_to_repeat(directory)}"
        )
    with record.loading(path, record.how_to_repeat(directory)):
        cells = [row["text"] for row in record.read_rows(path)]
    # Imported here because Keras takes seconds.
    from emotion_keras.inference.load import load_model
    from emotion_keras.inference.ways import compare_ways, ways_of

    model = load_model(directory)
    notify(f"{directory}: {', '.join(ways_of(model))}. With a pretrained encoder it takes minutes.")
    rows = compare_ways(model, cells)
    if not rows:
        modality = modality_of(found)
        raise UserError(
            f"{found['model']} takes {modality.plural} whole, or none of them has two "
            f"{modality.unit_plural}: there is nothing to leave out. Name another run."
        )
    record.write_rows(directory / record.FAITHFULNESS, rows)
    return directory, rows


def summarize(directory: Path, rows: list[dict[str, Any]]) -> Group:
    """What was measured, as a table and sentences for the terminal."""
    from emotion_keras.evaluation.faithfulness import SHARES, in_words

    units = modality_of(record.read_run(directory)).unit_plural
    shares = [f"{100 * share:.0f} %" for share in SHARES]
    tables = []
    for measure, better in (("comprehensiveness", "more"), ("sufficiency", "less")):
        table = ScoreTable(
            f"{measure.capitalize()} beyond random {units}, in points ({better} is better)",
            ("way", *shares, "ms"),
        )
        own = [row for row in rows if row["measure"] == measure and row["order"] != "random"]
        for order in dict.fromkeys(row["order"] for row in own):
            of_order = [row for row in own if row["order"] == order]
            cells = [_points(row) for row in of_order]
            table.add_row(order.replace("_", " "), *cells, f"{of_order[0]['milliseconds']:.1f}")
        tables.append(table)
    return Group(*tables, *map(Text, in_words(rows, units).values()))


def _points(row):
    mean, low, high = (row[f"beyond_random{end}"] for end in ("", "_low", "_high"))
    text = f"{100 * mean:+.1f}"
    return text if low is None else f"{text} ({100 * low:+.1f} to {100 * high:+.1f})"


def main(arguments: list[str] | None = None) -> int:
    """The command `python -m emotion_keras.faithfulness`."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = make_parser("python -m emotion_keras.faithfulness", __doc__, [FaithfulnessOptions])
    parser.add_argument("run", help="Folder of a finished run, or `best`.")

    def run():
        options = vars(parser.parse_args(arguments))
        load_keras()
        directory, rows = measure(options.pop("run"), **options)
        print_tables(summarize(directory, rows))
        shown = shlex.quote(str(directory.parent))
        print(f"Kept: {directory / record.FAITHFULNESS}\nNext: python -m reports.render {shown}")
        return 0

    return run_command(run, continues=False)


if __name__ == "__main__":
    sys.exit(main())
