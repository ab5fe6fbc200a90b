"""The text of the page of published results: its template, and the numbers that it takes.

Every table, claim and figure is that of a section of the report, and every number in a sentence
comes from the records. The wording is in `results.md`, a template beside this file.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from reports.claims.claim import NOISE_LEVEL
from reports.claims.verdicts import difference, resolve, resolved_in_words
from reports.display.models import name_of
from reports.display.table import Table, to_markdown
from reports.display.words import interval, percent
from reports.findings import gather
from reports.records import Part, Records, Run
from reports.sections import (
    answer,
    claims,
    comparison,
    confidence,
    cost,
    coverage,
    data_ratio,
    explanation,
    gate,
    learning_rate,
    noise,
    protocol,
    search,
)

TEMPLATE = Path(__file__).with_name("results.md")

_SECTIONS = (
    claims,
    comparison,
    learning_rate,
    noise,
    data_ratio,
    gate,
    protocol,
    search,
    confidence,
    coverage,
    explanation,
    cost,
)


class Collected:
    """Stands in for `Page`: keeps the tables and how to draw figures, and writes nothing."""

    def __init__(self) -> None:
        self.tables: dict[str, Table] = {}
        self.draw: dict[str, Callable[[str], Figure]] = {}

    def add_table(self, table: Table | None) -> Table | None:
        if table is not None:
            self.tables[table.name] = table
        return table

    def add_figure(self, *_: Any, **__: Any) -> None:
        return None

    def by_metric(
        self, name: str, alternative: str, draw: Callable[[str], Figure], metrics: Any = None
    ) -> list:
        self.draw[name] = draw
        return []

    def new_name(self, text: str) -> str:
        return text


def write_text(records: Records) -> tuple[str, Collected]:
    """The page's text.

    Args:
        records: `Records` of the published runs.

    Returns:
        The text, in Markdown, and `Collected`, what the sections showed.
    """
    part = records.parts[0]
    findings = gather(records, part)
    collected = Collected()
    shown = {module.TITLE: module.show(collected, findings) for module in _SECTIONS}
    tables = collected.tables
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["percent"] = percent
    text = environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        against=lambda name, *others: against(findings.compared, name, others),
        beyond=beyond,
        score=score,
        lost=lambda *at: percent(lost(tables["noise"].frame, *at)),
        minutes=lambda runs: f"{seconds(runs) / 60:.0f}",
        hours=lambda groups: f"{sum(map(seconds, groups)) / 3600:.1f}",
        study_hours={
            study.title: f"{seconds([*study.runs, *study.aside]) / 3600:.1f}"
            for study in part.studies
        },
        table=lambda name: to_markdown(tables[name]).strip(),
        tables=tables,
        noise_by_model=to_markdown(noise_by_model(tables["noise"])).strip(),
        compared=findings.compared,
        points=findings.points,
        claims=findings.claims,
        decided=answer.claims_in_words(findings.claims),
        apart=by_backend(findings.apart),
        num_runs=len(part.runs),
        faithful=shown[explanation.TITLE]["faithful"],
        protocols=shown[protocol.TITLE],
    )
    return text.rstrip("\n") + "\n", collected


def by_backend(parts: Iterable[Part]) -> list[dict[str, Any]]:
    """The runs of other backends, those of one model and one backend together.

    Args:
        parts: Parts that the page is not about.

    Returns:
        List of dictionaries of `name`, of the model, `backend` and `runs`.
    """
    return [
        {
            "name": name_of(contender),
            "backend": part.backend,
            "runs": [run for run in part.runs if run.contender == contender],
        }
        for part in parts
        # Models without a backend stand beside those of every backend.
        for contender in dict.fromkeys(r.contender for r in part.runs if not r.is_baseline)
    ]


def score(runs: list, metric: str, split: str = "test") -> str:
    """The mean of runs in a metric, in per cent."""
    return percent(np.mean([run.record["metrics"][split][metric] for run in runs]))


def beyond(runs: list, others: list) -> str:
    """The accuracy of runs beyond that of others in points, with its interval in brackets."""
    found = difference(runs, others)
    ends = interval(found.low, found.high, signed=True)
    return f"{percent(found.difference, signed=True)} ({ends})"


def against(compared: dict[str, list[Run]], name: str, others: Iterable[str]) -> dict[str, Any]:
    """How a model does against others, of which a sentence is.

    Args:
        compared: Dictionary of lists of `Run` by contender.
        name: One of them.
        others: Others of them; their differences are corrected for their number.

    Returns:
        Dictionary of `number` and `resolved`, of how many models and how many of them it is
        resolved to be better than; `nearest`, the one of smallest difference, and `lead`, that
        difference with its interval and p-value.
    """
    found = resolve({other: difference(compared[name], compared[other]) for other in others})
    nearest = min(found, key=lambda other: found[other].difference.difference)
    return {
        "number": len(found),
        "resolved": sum(
            one.is_resolved and one.difference.difference > 0 for one in found.values()
        ),
        "nearest": name_of(nearest),
        "lead": resolved_in_words(found[nearest]),
    }


def lost(frame: pd.DataFrame, contender: str, kind: str, level: float) -> float:
    """The accuracy that a model loses under noise, from the frame of the table of noise."""
    of_kind = frame[(frame["contender"] == contender) & (frame["kind"] == kind)]
    means = of_kind.set_index("level")["accuracy_mean"]
    return means[0] - means[level]


def seconds(runs: list) -> float:
    """The seconds that runs took to train, added up."""
    return sum(run.record["cost"]["seconds"] for run in runs)


def noise_by_model(table: Table) -> Table:
    """Accuracy at one level of noise, a row a kind and a column a model.

    Args:
        table: `Table` of the section about noise, with a row a model, kind and level.

    Returns:
        `Table`, whose first row is the texts without noise.
    """
    rows = table.frame.assign(shown=table.shown["Accuracy"])
    rows = rows[rows["level"].isin([0, NOISE_LEVEL])]
    rows["kind"] = rows["kind"].where(rows["level"] > 0, "none").str.replace("_", " ")
    rows = rows.drop_duplicates(["contender", "kind"])
    kinds = ["none", *(kind for kind in rows["kind"].unique() if kind != "none")]
    frame, shown = (
        rows.pivot(index="kind", columns="contender", values=values).loc[kinds].reset_index()
        for values in ("accuracy_mean", "shown")
    )
    return Table(
        "noise_by_model",
        f"Accuracy on the test split at level {NOISE_LEVEL:g} of each kind of noise, per cent: "
        "means over runs. What was predicted of noisy texts is not kept, so that there are no "
        "intervals.",
        frame,
        shown.rename(columns=lambda name: "Noise" if name == "kind" else name_of(name)),
        {name_of(name): name for name in frame.columns[1:]},
    )
