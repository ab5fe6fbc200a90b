"""The page, and the files of its tables and figures beside it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from emotion_keras.shading import page as shading_page
from reports.display import figure as figures
from reports.display.fonts import choose_fonts
from reports.display.models import name_of
from reports.display.table import Table, write_table
from reports.display.words import METRICS, count, percent

# Templates of the page, of each section beside its code, and of explanations.
FOLDERS = (
    Path(__file__).with_name("templates"),
    Path(__file__).parents[1] / "sections",
    shading_page.FOLDER,
)
INDEX = "index.html"


class Page:
    """The page, and the files beside it.

    Args:
        out: `pathlib.Path` of an existing folder to write to.
        for_papers: Whether figures are written as PDF, too.
    """

    def __init__(self, out: Path, *, for_papers: bool = False):
        self.out = out
        self.for_papers = for_papers
        self.tables = []
        self.figures = []
        self.undrawn = set()
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(FOLDERS),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        shading_page.add_shading(self._environment)
        self._environment.filters |= {"percent": percent, "count": count, "model": name_of}

    def add_table(self, table: Table | None) -> Table | None:
        """Writes the files of a table, and returns it for the page; `None` stays so."""
        if table is not None:
            write_table(table, self._folder("tables"))
            self.tables.append(table.name)
        return table

    def add_figure(
        self, name: str, alternative: str, figure: Figure | None, metric: str | None = None
    ) -> dict[str, Any] | None:
        """Writes the files of a figure.

        Args:
            name: String, the name of its files.
            alternative: String, what it shows, for readers who cannot see it.
            figure: `matplotlib.figure.Figure`, or `None`.
            metric: Key of `METRICS` that it shows, or `None`.

        Returns:
            Dictionary of `name`, `metric` and `svg`, what the page shows of it; `None` where there
            is no figure.
        """
        if figure is None:
            return None
        svg = figures.write_figure(
            figure, self._folder("figures") / name, for_papers=self.for_papers
        )
        self.figures.append(name)
        self.undrawn |= set(choose_fonts(svg)[1])
        # Escaped here, because the template takes the whole as it is.
        inline = figures.inline_svg(svg, name, str(escape(alternative)))
        return {"name": name, "metric": metric, "svg": Markup(inline)}

    def new_name(self, text: str) -> str:
        """A name for the files of figures, made from a text, that no other figures have."""
        name = "".join(c if c.isascii() and c.isalnum() else "_" for c in text)[:40]
        number, unique = 1, name
        while any(figure.startswith(f"{unique}_") for figure in self.figures):
            number += 1
            unique = f"{name}_{number}"
        return unique

    def by_metric(
        self,
        name: str,
        alternative: str,
        draw: Callable[..., Figure | None],
        metrics: Mapping[str, str] = METRICS,
    ) -> list[dict[str, Any] | None]:
        """One figure for each metric, `alternative` with the metric in place of `{}`."""
        return [
            self.add_figure(f"{name}_{metric}", alternative.format(title), draw(metric), metric)
            for metric, title in metrics.items()
        ]

    def fill(self, template: str, **contents: Any) -> Markup:
        """Fills a template with contents, and returns HTML."""
        return Markup(self._environment.get_template(template).render(contents))

    def write(self, template: str, **contents: Any) -> None:
        """Writes `index.html`."""
        path = self.out / INDEX
        path.write_text(self.fill(template, **contents), encoding="utf-8")

    def _folder(self, name):
        folder = self.out / name
        folder.mkdir(exist_ok=True)
        return folder
