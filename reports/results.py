# PYTHON_ARGCOMPLETE_OK
"""Write the page of published results: `python -m reports.results` -> published/README.md.

The page takes every table, claim and figure from the sections of the report, and every number in a
sentence from the records. Its wording is in `results.md`, a template beside this file.
"""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotion_keras.command.entry import run_command
from emotion_keras.command.options import make_parser
from emotion_keras.record.options import Options, option

# Figures of these names, by accuracy, stand on the page.
FIGURES = ("comparison", "learning_rate")


@dataclass(frozen=True, kw_only=True)
class ResultsOptions(Options):
    """Which records are described, and where."""

    runs_dir: str = option("reports/published/isear", "Folder of the published runs.")
    out: str = option("reports/published/README.md", "The page, a Markdown file.")


def results(*, notify: Callable[[str], None] = print, **options: Any) -> int:
    """Writes the page of published results, and its figures into `figures/` beside it.

    Args:
        notify: Called with messages for the user.
        **options: Values by option of `ResultsOptions`.

    Returns:
        Exit code: 0; 1 if something broken was skipped.

    Raises:
        UserError: If there is no such folder.
    """
    # Imported here because pandas and what draws figures take a second.
    from reports.records import read_records
    from reports.results_page import write_text

    asked = ResultsOptions(**options)
    records = read_records(asked.runs_dir)
    text, collected = write_text(records)
    out = Path(asked.out)
    out.write_text(text, encoding="utf-8")
    for name in FIGURES:
        path = out.parent / "figures" / f"{name}_accuracy.svg"
        _write_svg(collected.draw[name]("accuracy"), path)
    for path, reason in records.broken:
        notify(f"Skipped {path}: {reason}")
    notify(str(out))
    return 1 if records.broken else 0


def _write_svg(figure, path):
    from reports.display.figure import write_figure

    # Not the PNG: it is large, and shows the same.
    with tempfile.TemporaryDirectory() as folder:
        svg = write_figure(figure, Path(folder, path.name))
    path.parent.mkdir(exist_ok=True)
    path.write_text(svg, encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """The command `python -m reports.results`."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = make_parser("python -m reports.results", __doc__, [ResultsOptions])
    return run_command(lambda: results(**vars(parser.parse_args(arguments))), continues=False)


if __name__ == "__main__":
    sys.exit(main())
