"""Other corpora: how good models are where they were not trained."""

import collections
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emotion_keras.evaluation.transfers import Transfer
from reports.display.figure import WIDTH, shade_cells, short_names, styled
from reports.display.models import name_of
from reports.display.page import Page
from reports.display.table import Table
from reports.display.words import count, or_nan, percent
from reports.findings import Findings
from reports.records import Records

TITLE = "Other corpora"

# Sentences about pairs of corpora; all are in the table.
_MOST_SAID = 3
# What the frame has of each score: its name there, and the heading of the table.
_SCORES = {
    "accuracy": "Accuracy",
    "macro_f1": "Macro F1",
    "macro_f1_at_home": "Macro F1 at home",
    "macro_f1_open": "Macro F1, all labels",
}
# The same where several labels may hold: all may be answered in any case.
_SCORES_OF_SEVERAL = {
    "macro_f1": "Macro F1",
    "macro_f1_at_home": "Macro F1 at home",
    "accuracy": "All labels right",
}
# Which examples count, by whether several labels may hold of one.
_KEPT = {
    False: "Examples whose label a model lacks are left out.",
    True: "Where an example may have several labels, all examples are kept: of one whose labels a "
    "model lacks, no shared label holds.",
}


def show(page: Page, findings: Findings) -> dict[str, Any] | None:
    """Puts scores by training corpus and test corpus on the page; see `reports.sections`."""
    found = findings.records.read_transfers()
    if not found:
        return None
    frame = transfer_frame(found)
    contender = _most_telling(frame, findings.best)
    matrix = transfer_matrix(frame[frame["contender"] == contender], findings.records)
    name = name_of(contender)
    return {
        "name": name,
        "lost": _in_words(frame, contender),
        "kept": " ".join(_KEPT[several] for several in sorted(set(frame["several"]))),
        "tables": [
            page.add_table(transfer_table(rows.reset_index(drop=True), findings.modality.plural))
            for _, rows in frame.groupby("several")
        ],
        "picture": page.add_figure(
            "transfer",
            f"Matrix of the macro F1 of {name} by training corpus and test corpus. The numbers are "
            "in the table below.",
            draw_matrix(matrix),
        ),
    }


def transfer_frame(found: Sequence[Transfer]) -> pd.DataFrame:
    """Evaluations on other corpora as a frame: a row a model, its corpus and another corpus."""
    names = _names(
        [(one.trained_sha256, one.trained_on) for one in found]
        + [(one.tested_sha256, one.tested_on) for one in found]
    )
    rows = []
    for one in found:
        row = {
            "contender": one.name,
            "trained_on": names.get(one.trained_sha256, "–"),
            "tested_on": names[one.tested_sha256],
            "adaptation": one.adaptation or "",
            "runs": one.num_runs,
            "labels": len(one.known.shared),
            "label_names": ", ".join(one.known.shared),
            "several": one.several,
            "examples": one.num_examples,
            "trained_sha256": one.trained_sha256 or "",
        }
        home = one.at_home or {}
        scores = (one.shared["accuracy"], one.shared["macro_f1"], home.get("macro_f1"))
        for name, score in zip(_SCORES, (*scores, one.open["macro_f1"]), strict=True):
            for end in ("mean", "low", "high"):
                row[f"{name}_{end}"] = or_nan(score and getattr(score, end))
        rows.append(row)
    frame = pd.DataFrame(rows)
    order = ["trained_on", "tested_on", "macro_f1_mean"]
    return frame.sort_values(order, ascending=[True, True, False]).reset_index(drop=True)


def _names(corpora):
    """What to call corpora, by their checksum: those of one name by the start of it, too."""
    known = {sha256: name for sha256, name in corpora if name is not None}
    times = collections.Counter(known.values())
    return {
        sha256: name if times[name] == 1 else f"{name} ({sha256[:8]})"
        for sha256, name in known.items()
    }


def _most_telling(frame, best):
    """The model that the figure is of: that of most pairs of corpora, or of these the best."""
    plain = frame[frame["adaptation"] == ""] if (frame["adaptation"] == "").any() else frame
    pairs = plain.groupby("contender")[["trained_on", "tested_on"]].apply(
        lambda rows: len(rows.drop_duplicates())
    )
    most = pairs[pairs == pairs.max()].index
    if best in most:
        return best
    return plain[plain["contender"].isin(most)].sort_values("macro_f1_mean")["contender"].iloc[-1]


def _in_words(frame, contender):
    """Where the model loses most, in sentences."""
    rows = frame[(frame["contender"] == contender) & (frame["adaptation"] == "")]
    loss = (rows["macro_f1_at_home_mean"] - rows["macro_f1_mean"]).dropna()
    rows = rows.loc[loss.nlargest(_MOST_SAID).index]
    said = [
        f"From {row.trained_on} to {row.tested_on}, {name_of(contender)} has a macro F1 of "
        f"{percent(row.macro_f1_mean)} % among {row.labels} labels, and at home, among the same, "
        f"{percent(row.macro_f1_at_home_mean)} %."
        for row in rows.itertuples()
    ]
    return " ".join(said)


def transfer_table(frame: pd.DataFrame, plural: str) -> Table:
    """Scores on other corpora.

    Args:
        frame: What `transfer_frame` gives.
        plural: What examples are called.

    Returns:
        `Table` of a row a model, its corpus and another corpus.
    """
    tested = [
        f"{name} (adapted: {method})" if method else name
        for name, method in zip(frame["tested_on"], frame["adaptation"], strict=True)
    ]
    columns = {
        "Model": [name_of(name) for name in frame["contender"]],
        "Trained on": frame["trained_on"],
        "Tested on": tested,
        "Runs": frame["runs"].map(count),
        "Labels": frame["labels"].map(count),
        plural.capitalize(): frame["examples"].map(count),
    }
    several = bool(frame["several"].all())
    scores = _SCORES_OF_SEVERAL if several else _SCORES
    columns |= {heading: _with_halves(frame, name) for name, heading in scores.items()}
    sort_by = {"Runs": "runs", "Labels": "labels", plural.capitalize(): "examples"}
    sort_by |= {heading: f"{name}_mean" for name, heading in scores.items()}
    rest = (
        f"All labels right: the share of {plural} of which each of these labels is answered "
        "rightly, as holding or not. Labels that the model alone knows are left out."
        if several
        else "All labels: where those that the model alone knows may be answered, too, and are "
        "wrong."
    )
    caption = (
        f"Models on other corpora, per cent: means over runs, with half of 95 % intervals over "
        f"{plural} and seeds, among the labels that both corpora know. At home: on the runs’ own "
        f"test split, among the same labels. {rest}"
    )
    name = "transfer_several" if several else "transfer"
    kept = frame.drop(columns="several")
    return Table(name, caption, kept, pd.DataFrame(columns), sort_by)


def _with_halves(frame, name):
    return [
        percent(mean) + ("" if np.isnan(high) else f" ±{100 * (high - mean):.1f}")
        for mean, high in zip(frame[f"{name}_mean"], frame[f"{name}_high"], strict=True)
    ]


def transfer_matrix(frame: pd.DataFrame, records: Records) -> pd.DataFrame:
    """The macro F1 of one model by training corpus and test corpus.

    Args:
        frame: Rows of `transfer_frame` of one model.
        records: `Records`, of whose runs it is how good they are on their own corpus.

    Returns:
        Data frame of a row a pair: `trained_on`, `tested_on`, `macro_f1` and `labels`, the number
        of those that both know, 0 where both are one corpus.
    """
    # Without an adaptation, and with most labels, where a pair was evaluated in several ways.
    one_each = frame.sort_values(["adaptation", "labels"], ascending=[True, False])
    one_each = one_each.drop_duplicates(["trained_on", "tested_on"])
    pairs = one_each.rename(columns={"macro_f1_mean": "macro_f1"})
    own = []
    for name, sha256 in dict(
        zip(frame["trained_on"], frame["trained_sha256"], strict=True)
    ).items():
        scores = [
            run.test["macro_f1"]
            for part in records.parts
            if part.data.sha256 == sha256
            for run in part.runs
            if run.contender == frame["contender"].iloc[0] and run.test and not run.flaws
        ]
        if scores:
            mean = float(np.mean(scores))
            own.append({"trained_on": name, "tested_on": name, "macro_f1": mean, "labels": 0})
    kept = pairs[["trained_on", "tested_on", "macro_f1", "labels"]]
    return pd.concat([kept, pd.DataFrame(own, columns=kept.columns)], ignore_index=True)


@styled
def draw_matrix(frame: pd.DataFrame) -> Figure:
    """The macro F1 by training corpus and test corpus, in per cent, as numbers on shades.

    Args:
        frame: What `transfer_matrix` gives.

    Returns:
        `matplotlib.figure.Figure`.
    """
    trained = list(dict.fromkeys(frame["trained_on"]))
    # Corpora that models were trained on come first, so that these make a diagonal.
    tested = list(
        dict.fromkeys([*(x for x in trained if x in set(frame["tested_on"])), *frame["tested_on"]])
    )
    values, labels = (
        frame.pivot_table(index="trained_on", columns="tested_on", values=name)
        .reindex(index=trained, columns=tested)
        .to_numpy()
        for name in ("macro_f1", "labels")
    )

    def text(row, column):
        below = f"\n{labels[row, column]:.0f} labels" if labels[row, column] else "\nown test"
        return f"{100 * values[row, column]:.1f}{below}"

    size = (max(WIDTH, 2.2 + 0.9 * len(tested)), 1.1 + 0.5 * len(trained))
    figure = Figure(figsize=size)
    axes = figure.subplots()
    shade_cells(axes, values, text)
    names = short_names(tested, longest=24)
    axes.set_xticks(np.arange(len(tested)) + 0.5, names)
    if len(tested) > 3:
        axes.tick_params(axis="x", rotation=20)
    axes.set_yticks(np.arange(len(trained)) + 0.5, short_names(trained, longest=24))
    axes.set_xlabel("tested on")
    axes.set_ylabel("trained on")
    return figure
