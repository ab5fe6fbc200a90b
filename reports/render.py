"""Render the report: `python -m reports.render [RUNS_DIR] --out DIR` -> a page that stands alone.

It reads the records of all runs below a folder, and neither trains nor loads a model. Beside the
page, `index.html`, it writes each figure as PNG and SVG, each table as CSV, Markdown and LaTeX, and
a model card. What is not on one split of one corpus with one backend is kept apart.
"""

import dataclasses
import shlex
import sys
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import jinja2
import pandas as pd
from markupsafe import Markup, escape
from matplotlib.figure import Figure

from emotion_keras import card
from emotion_keras.errors import UserError, run_command
from emotion_keras.evaluation.comparison import compare_runs
from emotion_keras.evaluation.faithfulness import in_words
from emotion_keras.evaluation.significance import holm
from emotion_keras.options import make_parser, parse
from reports import cards, claims, figures, tables, texts
from reports.fonts import choose_fonts, packages_for
from reports.records import (
    COMPARISON,
    SEARCH,
    compared_runs,
    points,
    read_records,
)

TEMPLATES = Path(__file__).with_name("templates")
INDEX = "index.html"
MODEL_CARD = "MODEL_CARD.md"

# The models of the paper's Table 1, best first there: those that figures of labels compare.
_FIVE = tuple(reversed(tables.PAPER))


class Picture(NamedTuple):
    """A figure of the page.

    Args:
        name: The name of its files.
        alternative: What it shows, for who cannot see it.
        figure: `matplotlib.figure.Figure`.
        metric: Key of `METRICS` that it shows, or `None`.
    """

    name: str
    alternative: str
    figure: Figure
    metric: str | None = None


def render(
    runs_dir="runs",
    *,
    out: str = "report",
    corpus: str | None = None,
    backend: str | None = None,
    notify=print,
):
    """Renders the page of all runs below a folder.

    Args:
        runs_dir: Folder of the runs, of one study or of several.
        out: Folder to write to; it is made where it is missing.
        corpus: Name of the corpus that the page is about; unless given, that of most runs.
        backend: Name of the backend that the page is about; unless given, that of most runs.
        notify: Called with messages for the user.

    Returns:
        Exit code: 0; 1 if something broken was skipped; 2 if there is no run.

    Raises:
        UserError: If a folder or an option is wrong.

    Example:

    >>> render("reports/published/isear", out="report")
    """
    records = read_records(runs_dir)
    command = _command(
        runs_dir, {"out": None if out == "report" else out, "corpus": corpus, "backend": backend}
    )
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    if not records.parts:
        page = _Page(out)
        runs_option = "" if runs_dir == "runs" else f" {shlex.quote(f'--runs-dir={runs_dir}')}"
        page.write(
            {
                "records": records,
                "empty": True,
                "runs_option": runs_option,
                "render_command": command,
            }
        )
        for path, reason in records.broken:
            notify(f"Skipped {path}: {reason}")
        notify(f"There is no finished run in {runs_dir}. What to run is said in {out / INDEX}")
        return 2
    part = _choose(records.parts, corpus, backend)
    page = _Page(out)
    page.write({**_contents(page, records, part), "render_command": command})
    for path, reason in records.broken:
        notify(f"Skipped {path}: {reason}")
    apart = [other for other in records.parts if other is not part]
    if apart:
        notify(f"Kept apart from {part}: {'; '.join(map(str, apart))}")
    if page.undrawn:
        notify(_about_fonts(page.undrawn))
    plural = "" if len(part.runs) == 1 else "s"
    notify(
        f"{len(part.runs)} run{plural}, {len(page.pictures)} figures, {len(page.tables)} tables:"
    )
    notify(str(out / INDEX))
    return 1 if records.broken else 0


def _command(runs_dir, options):
    """The command that renders this page, ready for a shell."""
    words = [f"--{name}={value}" for name, value in options.items() if value is not None]
    # What stands behind two dashes is no option, whatever it begins with.
    words += ["--", str(runs_dir)] if str(runs_dir).startswith("-") else [str(runs_dir)]
    return shlex.join(["python", "-m", "reports.render", *words])


def _about_fonts(undrawn):
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
                f"No run is of that {name}. Found: {', '.join(dict.fromkeys(found))}. "
                f"Received: {name}={wanted!r}"
            )
    for part in parts:
        if corpus in (None, part.data.name) and backend in (None, part.backend):
            return part
    raise UserError(f"No run is of both. Received: corpus={corpus!r}, backend={backend!r}")


class _Page:
    """The page, and the files beside it."""

    def __init__(self, out):
        self.out = out
        self.pictures = {}
        self.tables = {}
        self.undrawn = set()

    def add_table(self, table):
        """Writes a table's files, and returns it for the page."""
        if table is not None:
            tables.write_table(table, self._folder("tables"))
            self.tables[table.name] = table
        return table

    def add_picture(self, name, alternative, figure, metric=None):
        """Writes a figure's files, and returns what the page shows of it, or `None`."""
        if figure is None:
            return None
        svg = figures.write_figure(figure, self._folder("figures") / name)
        self.pictures[name] = Picture(name, alternative, figure, metric)
        self.undrawn |= set(choose_fonts(svg)[1])
        # Escaped here, because the template takes the whole as it is.
        inline = figures.inline_svg(svg, name, str(escape(alternative)))
        return {"name": name, "metric": metric, "svg": Markup(inline)}

    def new_name(self, text):
        """A name for the files of figures, made from a text, that no other figures have."""
        name = "".join(c if c.isascii() and c.isalnum() else "_" for c in text)[:40]
        number, unique = 1, name
        while any(picture.startswith(f"{unique}_") for picture in self.pictures):
            number += 1
            unique = f"{name}_{number}"
        return unique

    def by_metric(self, name, alternative, draw):
        """One figure for each metric, `alternative` with the metric in place of `{}`."""
        return [
            self.add_picture(f"{name}_{metric}", alternative.format(title), draw(metric), metric)
            for metric, title in tables.METRICS.items()
        ]

    def write(self, contents):
        """Writes `index.html`."""
        environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= {"percent": tables.percent, "count": tables.count}
        name = "empty.html" if contents.get("empty") else "page.html"
        page = environment.get_template(name).render(contents)
        (self.out / INDEX).write_text(page, encoding="utf-8")

    def _folder(self, name):
        folder = self.out / name
        folder.mkdir(exist_ok=True)
        return folder


def _contents(page, records, part):
    """All that the page says of a part, by section."""
    study, compared, left_out = compared_runs(part)
    # In the order of Table 1 everywhere.
    ranked = sorted(compared, key=lambda name: -_mean_accuracy(compared[name], "test"))
    compared = {name: compared[name] for name in ranked}
    comparison = _comparison(study, compared)
    analyzed = {
        name: points(part, name) for name in ("learning_rate", "noise", "data_ratio", "gate")
    }
    noises = tables.runs_of_noise(records, analyzed["noise"])
    decided = claims.decide_claims(
        claims.Evidence(
            compared,
            analyzed["learning_rate"],
            noises,
            analyzed["data_ratio"],
            analyzed["gate"],
        )
    )
    best = _best(compared)
    return {
        "records": records,
        "part": part,
        "apart": [_apart(other) for other in records.parts if other is not part],
        "written": datetime.now().astimezone().strftime("%Y-%m-%d"),
        "metrics": tables.METRICS,
        "paper": tables.PAPER,
        "head": _head(compared, best, decided),
        "claims": decided,
        "claims_table": page.add_table(_claims_table(decided)),
        "comparison": _comparison_section(page, part, compared, comparison, left_out),
        "rates": _curve_section(
            page, analyzed["learning_rate"], "learning_rate", "Learning rate", logarithmic=True
        ),
        "noise": _noise_section(page, analyzed["noise"], noises),
        "ratios": _curve_section(
            page, analyzed["data_ratio"], "data_ratio", "Data ratio", "Share of the training texts"
        ),
        "gates": _gate_section(page, analyzed["gate"]),
        "searches": _search_sections(page, part),
        "training": _training_section(page, records, best, compared),
        "labels": _label_section(page, best, compared),
        "confidence": _confidence_section(page, best, compared),
        "texts": _texts_section(page, records, best, compared),
        "architecture": _architecture_section(page, records, best, compared),
        "data": _data_section(page, part),
        "model": _model_section(page, best, compared),
        "cost": _cost_section(page, part, compared),
        "others": _others(page, part, study, left_out, analyzed),
        "commands": cards.commands(part),
        "pictures": page.pictures,
        "tables": page.tables,
    }


def _comparison(study, compared):
    """What `compare_runs` says of the runs; of what `comparison.json` holds, all that still holds.

    A study that is under way has more runs than when its file was written. Models that have the
    same runs as then are not compared again.
    """
    runs = [run for of_contender in compared.values() for run in of_contender]
    if not runs or any(run.predictions is None for run in runs):
        return None
    best = _best(compared)
    stored = study.files.get(COMPARISON, {"run_ids": [], "reference": None, "contenders": []})
    told = {row["name"]: row for row in stored["contenders"]}
    known = {
        name: told[name]
        for name, of_contender in compared.items()
        if name in told
        and told[name]["num_runs"] == len(of_contender)
        and {run.name for run in of_contender} <= set(stored["run_ids"])
    }
    # One that was asked for may be another than the best, which the page is about.
    if stored["reference"] != best or best not in known:
        return compare_runs([run.directory for run in runs], best)
    rows = list(known.values())
    if missing := [name for name in compared if name not in known]:
        directories = [run.directory for name in (best, *missing) for run in compared[name]]
        found = compare_runs(directories, best)["contenders"]
        rows += [row for row in found if row["name"] != best]
    others = [row["difference"] for row in rows if row["name"] != best]
    for difference, p_value in zip(others, holm(d["p_value"] for d in others), strict=True):
        difference["p_holm"] = p_value
    return {"reference": best, "contenders": rows}


def _best(compared):
    """The contender of highest mean accuracy on the validation split, or `None`.

    Chosen there, because the best of many on the test split looks better than it is. A single run
    is no mean: it is considered only where there is nothing else.
    """
    repeated = [name for name, runs in compared.items() if len(runs) > 1]
    return max(
        repeated or compared, key=lambda name: _mean_accuracy(compared[name], "val"), default=None
    )


def _mean_accuracy(runs, split):
    return sum(run.record["metrics"][split]["accuracy"] for run in runs) / len(runs)


def _head(compared, best, decided):
    verdicts = [claim.verdict for claim in decided]
    head = {
        "verdicts": {
            verdict: verdicts.count(verdict)
            for verdict in (
                claims.HOLDS,
                claims.DOES_NOT_HOLD,
                claims.NOT_RESOLVED,
                claims.NOT_RUN,
            )
        },
        "num_claims": len(verdicts),
        "sentence": _how_many_hold(verdicts),
        "best": best,
    }
    if best is None:
        return head
    row = tables.summarize(tables.runs_of_comparison({best: compared[best]}), ["contender"]).iloc[0]
    scores = [
        {
            "title": title,
            "mean": row[f"{metric}_mean"],
            "low": row[f"{metric}_low"],
            "high": row[f"{metric}_high"],
        }
        for metric, title in tables.METRICS.items()
    ]
    return {
        **head,
        "scores": scores,
        "runs": len(compared[best]),
        "num_texts": _num_test_texts(compared[best]),
        "num_models": len(compared),
        "skips_single_runs": len({len(runs) > 1 for runs in compared.values()}) > 1,
        "paper": tables.PAPER[claims.OURS],
    }


def _num_test_texts(runs):
    """How many texts some runs were tested on; with folds each run has its own."""
    folds = {run.record["corpus"]["protocol"].get("fold"): run for run in runs}
    return sum(run.test.get("num_examples", 0) for run in folds.values())


def _how_many_hold(verdicts):
    """How many claims hold, of those that were tested."""
    tested = [verdict for verdict in verdicts if verdict != claims.NOT_RUN]
    if not tested:
        return f"None of the paper’s {len(verdicts)} claims was tested yet."
    holding = tested.count(claims.HOLDS)
    number = str(holding) if holding else "None"
    verb = "hold" if holding > 1 else "holds"
    if len(tested) == len(verdicts):
        return f"{number} of the paper’s {len(verdicts)} claims {verb}."
    return f"{number} of the {len(tested)} claims of the paper tested so far {verb}."


def _claims_table(decided):
    frame = pd.DataFrame(
        {
            "claim": claim.sentence,
            "verdict": claim.verdict,
            "measured": " ".join(claim.measured),
            "test": claim.test,
        }
        for claim in decided
    )
    shown = frame.rename(columns=lambda name: name.capitalize())
    return tables.Table("claims", "The paper's claims and what became of them.", frame, shown)


def _comparison_section(page, part, compared, comparison, left_out):
    if not compared:
        return None
    table = page.add_table(tables.comparison_table(compared, comparison, part.data.name))
    differences = None
    if comparison and len(compared) > 1:
        differences = page.add_table(tables.differences_table(table, comparison["reference"]))
    runs = tables.runs_of_comparison(compared)
    # The majority's scores would squeeze all others into a corner.
    kept = table.frame[table.frame["contender"] != "majority"]
    return {
        "table": table,
        "differences": differences,
        "hides_majority": "majority" in compared,
        "left_out": sorted({run.contender for run in left_out}),
        "num_left_out": len(left_out),
        "pictures": page.by_metric(
            "comparison",
            "Dot plot of {} on the test split by model: every run, the mean with its 95 % interval "
            "over seeds, and the value that the paper reports, where it has one. The numbers are "
            "in Table 1.",
            lambda metric: figures.draw_scores(
                runs, kept, metric, paper=kept[f"paper_{metric}"], kinds=kept["kind"]
            ),
        )
        if len(kept)
        else [],
    }


def _curve_section(page, found, name, title, label=None, logarithmic=False):
    if not found:
        return None
    runs = tables.runs_of_points(found)
    summary = tables.summarize(runs, ["contender", "value"])
    titles = {"contender": "Model", "value": title}
    return {
        "table": page.add_table(
            tables.sensitivity_table(name, titles, summary, ["contender", "value"])
        ),
        "pictures": page.by_metric(
            name,
            f"Line plot of {{}} on the test split by {title.lower()}: every run a dot, a line of "
            "means, a band of 95 % intervals over seeds. The numbers are in the table below.",
            lambda metric: figures.draw_curve(
                runs, summary, metric, "value", label or title, logarithmic
            ),
        ),
    }


def _noise_section(page, found, noises):
    if not found:
        return None
    section = {"pictures": [], "table": None, "labels": None}
    if not noises.empty:
        by = ["contender", "kind", "level"]
        summary = tables.summarize(noises, by)
        titles = {"contender": "Model", "kind": "Noise", "level": "Level"}
        section["table"] = page.add_table(tables.sensitivity_table("noise", titles, summary, by))
        section["pictures"] = page.by_metric(
            "noise",
            "Panels by kind of noise in texts: {} on the test split by level of noise, every run a "
            "dot, lines of means, bands of 95 % intervals over seeds. The numbers are in the table "
            "below.",
            lambda metric: figures.draw_noise(noises, summary, metric),
        )
    trained = {contender for contender, value in found if value > 0}
    if trained:
        section["labels"] = _curve_section(
            page,
            {at: runs for at, runs in found.items() if at[0] in trained},
            "wrong_labels",
            "Wrong labels",
            "Share of training texts with a wrong label",
        )
    return section


def _gate_section(page, found):
    if not found:
        return None
    runs = tables.runs_of_points(found)
    summary = tables.summarize(runs, ["contender", "value"])
    sections = []
    for name in dict.fromkeys(summary["contender"]):
        own = summary[summary["contender"] == name]
        of_name = runs[runs["contender"] == name]
        sections.append(
            {
                "contender": name,
                "pictures": page.by_metric(
                    page.new_name(f"gate_{name.partition('@')[2]}"),
                    f"Dot plot of {{}} of {name} on the test split with each form of the gate and "
                    "of pooling: every run, the mean with its 95 % interval over seeds.",
                    lambda metric, own=own, of_name=of_name: figures.draw_scores(
                        of_name, own, metric, name="value"
                    ),
                ),
            }
        )
    differences = {
        (name, form): None
        if form == tables.PAPERS_GATE
        else claims.difference(of_form, found.get((name, tables.PAPERS_GATE), []))
        for (name, form), of_form in found.items()
    }
    table = tables.gate_table(summary, differences)
    return {"table": page.add_table(table), "forms": sections}


def _search_sections(page, part):
    found = []
    for study in part.studies:
        search = study.files.get(SEARCH)
        if not search or not search["trials"]:
            continue
        table = tables.search_table(search)
        importance = tables.importance_table(search)
        name = "search" if not found else f"search_{len(found) + 1}"
        alternative = f"{search['contender']}, {search['oracle']} search: "
        found.append(
            {
                "study": study.title,
                "search": search,
                "table": page.add_table(dataclasses.replace(table, name=name)),
                "importance": page.add_table(
                    importance and dataclasses.replace(importance, name=f"{name}_importance")
                ),
                "trials_picture": page.add_picture(
                    f"{name}_trials",
                    alternative + "macro F1 on validation of each trial, and the best so far.",
                    figures.draw_trials(table.frame),
                ),
                "importance_picture": importance
                and page.add_picture(
                    f"{name}_importance",
                    alternative + "bars of the share of the spread of scores that each option "
                    "accounts for.",
                    figures.draw_importance(importance.frame),
                ),
                "parallel_picture": page.add_picture(
                    f"{name}_parallel",
                    alternative
                    + "trials as lines across the values of options, coloured by macro F1 "
                    "on validation.",
                    figures.draw_parallel(table.frame, importance and importance.frame["option"]),
                ),
            }
        )
    return found


def _training_section(page, records, best, compared):
    history = tables.history_frame(records, compared[best]) if best else None
    if history is None:
        return None
    alternative = (
        f"{best}: loss and accuracy by epoch on the training and the validation split, a thin line "
        "a run and a thick one for the mean."
    )
    return {"picture": page.add_picture("training", alternative, figures.draw_history(history))}


def _label_section(page, best, compared):
    if best is None:
        return None
    runs = compared[best]
    frame = tables.confusion_frame(runs)
    table, by_label = tables.label_table(compared)
    drawn = _drawn(best, compared)
    return {
        "counts": page.add_picture(
            "confusion_counts",
            f"Confusion matrix of {best}, counts added up over {len(runs)} runs; rows are true "
            "labels. The numbers are in the table below.",
            figures.draw_confusion(frame),
        ),
        "shares": page.add_picture(
            "confusion_shares",
            f"Confusion matrix of {best}, per cent of each true label's texts. The numbers are in "
            "the table below.",
            figures.draw_confusion(frame, shares=True),
        ),
        "confusion": page.add_table(tables.confusion_table(runs, best)),
        "label_f1": page.add_table(table),
        "picture": page.add_picture(
            "label_f1",
            "F1 of each label on the test split with 95 % intervals over seeds, of "
            f"{', '.join(drawn)}. The numbers are in the table below.",
            figures.draw_labels(by_label, drawn),
        ),
    }


def _drawn(best, compared):
    """The models that figures of labels and confidence compare: the best, and the paper's."""
    return list(dict.fromkeys([best, *(name for name in _FIVE if name in compared)]))[:6]


def _confidence_section(page, best, compared):
    drawn = {
        name: runs
        for name, runs in compared.items()
        if all(run.predictions is not None for run in runs)
    }
    if best not in drawn:
        return None
    table, curves = tables.calibration_table(drawn)
    names = [name for name in _drawn(best, compared) if name in drawn]
    return {
        "table": page.add_table(table),
        "reliability": page.add_picture(
            "reliability",
            "Reliability diagrams before and after temperature scaling: accuracy by confidence, "
            f"over all runs, of {', '.join(names)}; the dashed diagonal is perfect calibration.",
            figures.draw_reliability(curves, names),
        ),
        "histogram": page.add_picture(
            "confidence",
            f"Histogram of the confidence of {best} on the test split, right and wrong predictions "
            "stacked, over all runs.",
            figures.draw_confidences(tables.confidences(drawn[best])),
        ),
    }


def _texts_section(page, records, best, compared):
    if best is None:
        return None
    runs = compared[best]
    section = {"best": best, "errors": None, "texts": {}, "examples": [], "gate": None}
    section["pairs"] = page.add_table(texts.pairs_table(runs, best))
    if all(run.predictions is not None for run in runs):
        of_texts = texts.read_texts(records, runs)
        predictions = texts.mean_predictions(runs)
        section["texts"] = of_texts
        section["errors"] = page.add_table(texts.errors_table(predictions, of_texts))
        section["examples"] = texts.pair_examples(section["pairs"].frame, predictions, of_texts)
    # The best model may have no gate; then the gate's view is that of the best that has one.
    gated = [best, *(name for name in compared if name != best)]
    gated = [run for name in gated if name.startswith("gated_") for run in compared[name]]
    section["gated"] = bool(gated)
    for run in gated:
        if (view := texts.gate_view(records, run)) is not None:
            section["gate"] = {"run": run, **view}
            break
    section["gate_words"] = section["gate_words_picture"] = None
    for run in gated:
        if (table := texts.gate_words_table(records, run)) is not None:
            section["gate_words"] = page.add_table(table)
            section["gate_words_picture"] = page.add_picture(
                "gate_words",
                f"Mean gate of the words that {run.name} opens and closes most. The numbers are in "
                "the table below.",
                figures.draw_gate_words(table.frame),
            )
            break
    section["faithfulness"], section["faithful"] = None, []
    for run in gated:
        if (table := texts.faithfulness_table(records, run)) is not None:
            section["faithfulness"] = page.add_table(table)
            section["faithful"] = in_words(table.frame.to_dict("records"))
            break
    return section


def _architecture_section(page, records, best, compared):
    names = [name for name in (claims.OURS, claims.OURS_FROM_SCRATCH, best) if name in compared]
    for run in (run for name in names for run in compared[name]):
        layers = records.read_architecture(run)
        if layers:
            alternative = (
                f"The layers of {run.contender} from input to output with their shapes and numbers "
                f"of parameters: {', '.join(layer['type'] for layer in layers)}."
            )
            picture = page.add_picture(
                "architecture", alternative, figures.draw_architecture(layers)
            )
            return {"run": run, "picture": picture}
    return None


def _data_section(page, part):
    card = cards.data_card(part.runs)
    for name in ("labels", "steps"):
        page.add_table(card[name])
    return card


def _model_section(page, best, compared):
    if best is None:
        return None
    runs = compared[best]
    (page.out / MODEL_CARD).write_text(cards.model_card(runs), encoding="utf-8")
    run = cards.best_run(runs)
    return {
        "run": run,
        "runs": len(runs),
        "purpose": card.PURPOSE,
        "limits": card.limits(run.record),
        "ethics": card.ETHICS,
        "command": cards.fit_command(run),
    }


def _cost_section(page, part, compared):
    return {
        "table": page.add_table(tables.cost_table(compared)) if compared else None,
        "studies": page.add_table(cards.studies_table(part.studies)),
        "environment": page.add_table(cards.environment_table(part.runs)),
        "hours": sum(run.record["cost"].get("seconds", 0) for run in part.runs) / 3600,
    }


def _apart(part):
    """A part that the page is not about, in short."""
    return {"part": part, "table": _in_short(part.studies, str(part))}


def _others(page, part, study, left_out, analyzed):
    """Runs that no section shows: neither compared, nor of an analysis or a search."""
    shown = {run.name for found in analyzed.values() for runs in found.values() for run in runs}
    others = []
    for other in part.studies:
        runs = left_out if other is study else [r for r in other.runs if r.name not in shown]
        if SEARCH not in other.files:
            others.append(dataclasses.replace(other, runs=runs))
    return page.add_table(_in_short(others, "Runs that are in none of the sections above"))


def _in_short(studies, name):
    """Means of runs, a row a study, contender and setting; `None` where none was tested."""
    groups = {}
    for study in studies:
        for run in study.runs:
            if run.test is not None:
                groups.setdefault((study.title, run.contender, run.setting), []).append(run)
    if not groups:
        return None
    rows = [
        {"study": study, **row}
        for (study, contender, _), runs in groups.items()
        for row in tables.summarize(
            tables.runs_of_comparison({contender: runs}), ["contender"]
        ).to_dict("records")
    ]
    frame = pd.DataFrame(rows)
    frame["learning_rate"] = [
        runs[0].record["training"].get("learning_rate") for runs in groups.values()
    ]
    return tables.short_table(frame, name)


def main(arguments=None):
    """The command `python -m reports.render`."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    parser = make_parser("python -m reports.render", __doc__, [render], {})
    parser.add_argument("runs_dir", nargs="?", default="runs", help="Folder of the runs.")

    def run():
        options = vars(parse(parser, arguments))
        options.pop("config")
        return render(options.pop("runs_dir"), **options)

    return run_command(run, continues=False)


if __name__ == "__main__":
    sys.exit(main())
