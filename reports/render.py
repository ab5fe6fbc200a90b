# PYTHON_ARGCOMPLETE_OK
"""Render the report: `python -m reports.render [RUNS_DIR] --out DIR` -> a page that stands alone.

It reads the records of all runs below a folder, and neither trains nor loads a model. Beside the
page, `index.html`, it writes each figure as PNG and SVG, each table as CSV, Markdown and LaTeX, and
a model card. It keeps runs on another corpus, another split or another backend apart.
"""

import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emotion_keras.command.entry import run_command
from emotion_keras.command.options import make_parser
from emotion_keras.errors import UserError
from emotion_keras.record.options import Options, option

if TYPE_CHECKING:
    from reports.display.page import Page
    from reports.findings import Findings


@dataclass(frozen=True, kw_only=True)
class RenderOptions(Options):
    """What the page is about, and where it goes."""

    out: str = option("report", "Folder to write to; it is made where it is missing.")
    corpus: str | None = option(
        None, "Name of the corpus that the page is about; unless given, that of most runs."
    )
    pdf: bool = option(
        False,
        "Also write each figure as PDF for papers, 3.3 and 6.8 inches wide with letters of 8 "
        "points: `NAME_column.pdf` and `NAME_page.pdf`.",
    )
    backend: str | None = option(
        None, "Name of the backend that the page is about; unless given, that of most runs."
    )


def render(
    runs_dir: str | Path = "runs", *, notify: Callable[[str], Any] = print, **options: Any
) -> int:
    """Renders the page of all runs below a folder.

    Args:
        runs_dir: Folder of the runs, of one study or of several.
        notify: Called with messages for the user.
        **options: Values by option of `RenderOptions`.

    Returns:
        Exit code: 0; 1 if something broken was skipped; 2 if there is no run.

    Raises:
        UserError: If a folder or an option is wrong.

    Example:

    >>> render("runs")
    1 run, ... figures, ... tables:
    report/index.html
    0
    """
    # Imported here because pandas and what draws figures take a second.
    from reports.display.page import INDEX, Page
    from reports.findings import gather
    from reports.records import read_records

    asked = RenderOptions(**options)
    records = read_records(runs_dir)
    command = _command(runs_dir, asked)
    out = Path(asked.out)
    out.mkdir(parents=True, exist_ok=True)
    page = Page(out, for_papers=asked.pdf)
    if not records.parts:
        runs_option = "" if runs_dir == "runs" else f" {shlex.quote(f'--runs-dir={runs_dir}')}"
        page.write("empty.html", records=records, runs_option=runs_option, render_command=command)
        for path, reason in records.broken:
            notify(f"Skipped {path}: {reason}")
        notify(f"There is no finished run in {runs_dir}. {out / INDEX} says what to run.")
        return 2
    part = _choose(records.parts, asked.corpus, asked.backend)
    findings = gather(records, part)
    write_page(page, findings, command)
    for path, reason in records.broken:
        notify(f"Skipped {path}: {reason}")
    if findings.apart:
        notify(f"Kept apart from {part}: {'; '.join(map(str, findings.apart))}")
    if page.undrawn:
        notify(_about_fonts(page.undrawn))
    plural = "" if len(part.runs) == 1 else "s"
    notify(f"{len(part.runs)} run{plural}, {len(page.figures)} figures, {len(page.tables)} tables:")
    notify(str(out / INDEX))
    return 1 if records.broken else 0


def write_page(page: "Page", findings: "Findings", command: str) -> None:
    """Writes the page of all sections, one after the other.

    Args:
        page: `Page`.
        findings: `Findings`.
        command: The command that renders the page.
    """
    from reports.sections import APPENDICES, NARROW, SECTIONS, answer, claims

    shared = {"findings": findings, "metrics": findings.metrics, "render_command": command}

    def fill(module):
        name = module.__name__.rpartition(".")[2]
        html = page.fill(f"{name}.html", section=module.show(page, findings), **shared)
        return {
            "anchor": name.replace("_", "-"),
            "title": module.TITLE,
            "html": html.strip(),
            "is_narrow": module in NARROW,
        }

    shown = [one for one in SECTIONS if one is not claims or findings.with_paper]
    page.write(
        "page.html",
        head=fill(answer),
        sections=[section for section in map(fill, shown) if section["html"]],
        appendices=[section for section in map(fill, APPENDICES) if section["html"]],
        **shared,
    )


def _command(runs_dir, asked):
    """The command that renders this page, ready for a shell."""
    usual = RenderOptions().to_dict()
    given = {name: value for name, value in asked.to_dict().items() if value != usual[name]}
    words = [
        f"--{name}={str(value).lower() if isinstance(value, bool) else value}"
        for name, value in given.items()
    ]
    # What stands behind two dashes is no option, whatever it begins with.
    words += ["--", str(runs_dir)] if str(runs_dir).startswith("-") else [str(runs_dir)]
    return shlex.join(["python", "-m", "reports.render", *words])


def _about_fonts(undrawn):
    from reports.display.fonts import packages_for

    shown = sorted(undrawn)[:20]
    more = f" and {len(undrawn) - len(shown)} more" if len(undrawn) > len(shown) else ""
    return (
        f"The PNG figures show empty boxes in place of {' '.join(shown)}{more}: no font on this "
        f"machine has them. Install one (of Debian's packages {' and '.join(packages_for(undrawn))}"
        ") and render again. The page and the SVG figures are drawn with the fonts of the reader."
    )


def _choose(parts, corpus, backend):
    for name, wanted, found in (
        ("corpus", corpus, [part.data.name for part in parts]),
        ("backend", backend, [part.backend for part in parts]),
    ):
        if wanted is not None and wanted not in found:
            raise UserError(
                f"No run has that {name}. Found: {', '.join(dict.fromkeys(found))}. "
                f"Received: {name}={wanted!r}"
            )
    for part in parts:
        if corpus in (None, part.data.name) and backend in (None, part.backend):
            return part
    raise UserError(f"No run has both. Received: corpus={corpus!r}, backend={backend!r}")


def main(arguments: list[str] | None = None) -> int:
    """The command `python -m reports.render`."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = make_parser("python -m reports.render", __doc__, [RenderOptions])
    parser.add_argument("runs_dir", nargs="?", default="runs", help="Folder of the runs.")

    def run():
        options = vars(parser.parse_args(arguments))
        return render(options.pop("runs_dir"), **options)

    return run_command(run, continues=False)


if __name__ == "__main__":
    sys.exit(main())
