"""Tables: frames of plain numbers, and how they are shown on the page, in Markdown and in LaTeX."""

import html
import re
import unicodedata
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import stats

from emotion_keras import record
from emotion_keras.evaluation.calibration import (
    expected_calibration_error,
    fit_temperature,
    reliability_curve,
)
from emotion_keras.evaluation.predictions import probability_columns
from emotion_keras.evaluation.sensitivity import NOISE
from emotion_keras.evaluation.significance import holm, mean_interval
from emotion_keras.temperature import scale
from reports.fonts import choose_fonts

METRICS = {"accuracy": "Accuracy", "macro_f1": "Macro F1", "auc": "AUC"}

# Table 1 of the paper, as fractions; and the form of each model that stands for its row.
PAPER = {
    "cnn@scratch": ("CNN", 0.812, 0.798, 0.856),
    "lstm@scratch": ("LSTM", 0.835, 0.821, 0.872),
    "transformer@scratch": ("Transformer", 0.853, 0.845, 0.891),
    "bert@minilm": ("BERT", 0.876, 0.869, 0.914),
    "gated_transformer@minilm": ("Ours", 0.891, 0.883, 0.930),
}

# Of LaTeX's article, in its footnotesize.
CHARACTERS_ACROSS = 80
LONGEST_IN_A_LINE = 40
MOST_ROWS_ON_A_PAGE = 45

PAPERS_GATE = "features"

ANCHORS = ("majority", "tfidf_logistic", "tfidf_svm")


@dataclass(frozen=True, eq=False)
class Table:
    """A table of the page.

    Args:
        name: The name of its files.
        caption: What it shows.
        frame: Data frame of plain numbers and texts, which the CSV file holds and figures draw.
        shown: Data frame of strings, the same rows as people read them.
        sort_by: Dictionary of a column of `frame` by column of `shown`, to sort by.
        bold: Set of pairs of a row's position and a column of `shown`.
    """

    name: str
    caption: str
    frame: pd.DataFrame
    shown: pd.DataFrame
    sort_by: dict = field(default_factory=dict)
    bold: frozenset = frozenset()

    def rows(self):
        """The cells of each row, as dictionaries of `text`, `sort`, `number` and `bold`."""
        keys = {name: self.frame[key].tolist() for name, key in self.sort_by.items()}
        for number, row in enumerate(self.shown.itertuples(index=False, name=None)):
            yield [
                {
                    "text": text,
                    "sort": keys[name][number] if name in keys else None,
                    "number": name in keys,
                    "bold": (number, name) in self.bold,
                }
                for name, text in zip(self.shown.columns, row, strict=True)
            ]


def write_table(table, directory):
    """Writes a table as CSV, Markdown and LaTeX.

    Args:
        table: `Table`.
        directory: `pathlib.Path` of an existing folder.
    """
    path = directory / table.name
    path.with_suffix(".csv").write_text(to_csv(table.frame), encoding="utf-8", newline="")
    path.with_suffix(".md").write_text(to_markdown(table), encoding="utf-8")
    path.with_suffix(".tex").write_text(to_latex(table), encoding="utf-8")


def to_csv(frame):
    """A frame as CSV, in full precision, without cells that a spreadsheet would run as formulas."""
    safe = frame.rename(columns=_not_a_formula)
    for position, dtype in enumerate(safe.dtypes):
        if not pd.api.types.is_numeric_dtype(dtype):
            safe.isetitem(position, safe.iloc[:, position].map(_not_a_formula))
    return safe.to_csv(index=False)


def _not_a_formula(value):
    # The apostrophe makes spreadsheets take what follows for text.
    risky = isinstance(value, str) and value.lstrip(" ").startswith(tuple("=+-@＝＋－＠\t\r\n"))
    return f"'{value}" if risky else value


def to_markdown(table):
    """A table as Markdown, headed by its caption."""

    def line(cells):
        return f"| {' | '.join(cells)} |"

    numbers = [name in table.sort_by for name in table.shown.columns]
    lines = [
        _markdown(table.caption),
        "",
        line(map(_markdown, table.shown.columns)),
        line("---:" if number else "---" for number in numbers),
    ]
    for row in table.rows():
        texts = [(_markdown(cell["text"]), cell["bold"]) for cell in row]
        lines.append(line(f"**{text}**" if bold else text for text, bold in texts))
    return "\n".join(lines) + "\n"


def _markdown(text):
    text = html.escape(" ".join(str(text).split()), quote=False)
    for mark in "\\`*_[]|~$":
        text = text.replace(mark, "\\" + mark)
    return text


def to_latex(table):
    """A table as LaTeX with the packages array, booktabs, graphicx and longtable.

    One of many rows or of sentences goes on from page to page, any other one is made smaller where
    it is wider than the text. A comment says which engine and fonts it takes where pdfLaTeX's own
    have not all its characters.
    """
    shown = table.shown.map(_without_controls)
    # By number: pandas takes some names that differ, such as two forms of an accent, for one.
    numbered = shown.set_axis(range(shown.shape[1]), axis="columns")
    bold = pd.DataFrame("", index=numbered.index, columns=numbered.columns)
    for row, name in table.bold:
        bold.iloc[row, shown.columns.get_loc(name)] = "textbf:--rwrap;"
    styler = numbered.style.hide(axis="index").apply(lambda _: bold, axis=None).format(_latex)
    styler.format_index(lambda number: _latex(shown.columns[number]), axis="columns")
    columns = _latex_columns(shown, table.sort_by)
    is_long = len(shown) > MOST_ROWS_ON_A_PAGE or r"\linewidth" in columns
    text = styler.to_latex(
        hrules=True,
        column_format=columns,
        caption=_latex(table.caption),
        label=f"tab:{table.name}",
        environment="longtable" if is_long else None,
    )
    comment = _engine(text)
    if is_long:
        return comment + "{\\footnotesize\\setlength{\\tabcolsep}{3pt}\n" + text + "}\n"
    fitted = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
    text = text.replace(r"\begin{tabular}", fitted + "\n\\begin{tabular}")
    return comment + text.replace(r"\end{tabular}", r"\end{tabular}}")


def _engine(text):
    """A comment that says how to typeset what pdfLaTeX's usual fonts (T1) lack, or nothing."""
    others = sorted({c for c in text if ord(c) > 0x17F and c not in "–—‘’“”„…•€"})
    if not others:
        return ""
    families, _ = choose_fonts("".join(others))
    turned = any(unicodedata.bidirectional(c) in ("R", "AL") for c in others)
    packages = "fontspec and babel (bidi=basic)" if turned else "fontspec"
    shown = " ".join(c for c in others if unicodedata.category(c) != "Cf")
    return (
        f"% For LuaLaTeX or XeLaTeX with {packages}: pdfLaTeX's fonts lack {shown}\n"
        f"% The machine that wrote this draws them with {', '.join(families)}\n"
    )


def _latex_columns(shown, numbers):
    """The columns' format: numbers to the right; sentences share what the others leave and wrap."""
    lengths = {name: max(map(len, [name, *shown[name]])) for name in shown.columns}
    roots = {name: n**0.5 for name, n in lengths.items() if n > LONGEST_IN_A_LINE}
    taken = sum(n + 2 for name, n in lengths.items() if name not in roots)
    left = max(0.95 - taken / CHARACTERS_ACROSS, 0.2)
    formats = dict.fromkeys(shown.columns, "l") | dict.fromkeys(numbers, "r")
    for name, root in roots.items():
        width = left * root / sum(roots.values())
        formats[name] = rf">{{\raggedright\arraybackslash}}p{{{width:.2f}\linewidth}}"
    return "".join(formats.values())


def _latex(text):
    marks = {
        "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "&": r"\&", "%": r"\%", "$": r"\$",
        "#": r"\#", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
        # What pdfLaTeX's own font has another character for, or none.
        "<": "$<$", ">": "$>$", "|": "$|$", "−": "$-$", "±": r"$\pm$", "→": r"$\to$",
        "×": r"$\times$",
        # At the start of a row they would be arguments of the row's end before.
        "[": "{[}", "*": "{*}",
        "\0": r"\allowbreak{}",
    }  # fmt: skip
    # A word that is longer than a column may be broken.
    text = re.sub(r"\S{20}(?=\S{20})", "\\g<0>\0", _without_controls(text))
    text = "".join(marks.get(mark, mark) for mark in text)
    # Else LaTeX would make one character of two, such as a dash of hyphens.
    return re.sub(r"([-`',])(?=\1)|([?!])(?=`)", r"\g<0>{}", text)


def _without_controls(text):
    # Among them the marks that turn the direction of text, which LaTeX would set as they come; but
    # not the joiners, which belong to the spelling of Persian, Hindi and emoji.
    kept = (
        c
        for c in str(text)
        if unicodedata.category(c) not in ("Cc", "Cf") or c.isspace() or c in "\u200c\u200d"
    )
    return " ".join("".join(kept).split())


def percent(value, signed=False):
    """A fraction in per cent with one digit, such as `70.4` or, signed, `−0.8`."""
    if value is None or np.isnan(value):
        return "–"
    text = f"{100 * value:+.1f}" if signed else f"{100 * value:.1f}"
    return text.replace("-", "−")


def interval(low, high, signed=False):
    """An interval in per cent, such as `69.5 to 71.3`."""
    if low is None or np.isnan(low):
        return "–"
    return f"{percent(low, signed)} to {percent(high, signed)}"


def p_in_words(value):
    """A p-value with three digits."""
    return (
        "–" if value is None or np.isnan(value) else "< 0.001" if value < 0.001 else f"{value:.3f}"
    )


def count(number):
    """A count with commas."""
    return "–" if number is None or np.isnan(number) else f"{number:,.0f}"


def kind_of(contender):
    """Whether a contender is pretrained, from scratch, or an anchor."""
    _, _, encoder = contender.partition("@")
    if not encoder:
        return "anchor"
    if encoder == "scratch":
        return "from scratch"
    return "pretrained vectors" if encoder == "embeddings" else "pretrained"


def summarize(frame, by):
    """Means and intervals over runs.

    Args:
        frame: Data frame of a row a run, with columns of `METRICS`.
        by: Names of the columns that tell settings apart.

    Returns:
        Data frame of a row a setting: `by`, `runs`, and for each metric `_mean`, `_low` and
        `_high`, which are missing where a run lacks the metric, or for a single run.
    """
    rows = []
    for at, group in frame.groupby(by, sort=False):
        row = dict(zip(by, at, strict=True)) | {"runs": len(group)}
        for metric in METRICS:
            values = group[metric]
            found = (None,) * 3 if values.isna().any() else mean_interval(values)
            for end, value in zip(("mean", "low", "high"), found, strict=True):
                row[f"{metric}_{end}"] = np.nan if value is None else value
        rows.append(row)
    return pd.DataFrame(rows)


def own_heading(name, labels):
    """A table's own heading, in brackets where a label has that name, too."""
    while name in labels:
        name = f"({name})"
    return name


def _scores(run):
    return {metric: _number(run.test[metric]) for metric in METRICS}


def _number(value):
    return np.nan if value is None else value


def runs_of_comparison(compared):
    """A row a run: `contender`, `seed`, and its scores on the test split."""
    return pd.DataFrame(
        {"contender": name, "run": run.name, "seed": run.seed, **_scores(run)}
        for name, runs in compared.items()
        for run in runs
    )


def comparison_table(compared, comparison, corpus):
    """Table 1: what was measured beside what the paper reports, by falling accuracy.

    Args:
        compared: Dictionary of lists of `Run` by contender.
        comparison: What `compare_runs` gives, or `None` where predictions are missing.
        corpus: Name of the corpus.

    Returns:
        `Table`. The best accuracy is bold where its lead over every other model is resolved.
    """
    frame = summarize(runs_of_comparison(compared), ["contender"])
    frame = frame.sort_values("accuracy_mean", ascending=False, ignore_index=True)
    frame.insert(1, "kind", frame["contender"].map(kind_of))
    for number, metric in enumerate(METRICS, start=1):
        frame[f"paper_{metric}"] = [PAPER.get(n, (None,) * 4)[number] for n in frame["contender"]]
    frame["paper_name"] = [PAPER.get(name, ("",))[0] for name in frame["contender"]]
    found = {row["name"]: row.get("difference") for row in (comparison or {}).get("contenders", ())}
    for key in ("difference", "low", "high", "smallest", "p_holm"):
        frame[key] = [(found.get(name) or {}).get(key, np.nan) for name in frame["contender"]]
    frame["resolved"] = [(found.get(name) or {}).get("resolved") for name in frame["contender"]]
    frame = frame.astype({f"paper_{metric}": float for metric in METRICS})
    paper = [f"paper_{metric}" for metric in METRICS]
    shown = pd.DataFrame(
        {
            "Model": frame["contender"],
            "Encoder": frame["kind"],
            "Runs": frame["runs"].astype(str),
            **{title: _with_intervals(frame, metric) for metric, title in METRICS.items()},
            "The paper: accuracy, F1, AUC": [
                f"{name} {', '.join(map(percent, values))}" if name else "–"
                for name, *values in frame[["paper_name", *paper]].itertuples(index=False)
            ],
        }
    )
    sort_by = {"Runs": "runs"}
    sort_by |= {title: f"{metric}_mean" for metric, title in METRICS.items()}
    # The first row is bold where every other one is resolved to be below it.
    leads = (
        comparison is not None
        and len(frame) > 1
        and comparison["reference"] == frame["contender"].iloc[0]
        and all(found is True for found in frame["resolved"].iloc[1:].tolist())
    )
    bold = {(0, METRICS["accuracy"])} if leads else set()
    return Table(
        "table_1",
        f"Test split of {corpus}, per cent: means over runs, with 95 % intervals of the mean over "
        "seeds (Student's t), beside the values of the paper's Table 1. "
        + (
            "Bold: a lead in accuracy over every other model that is resolved."
            if bold
            else "No accuracy is bold: no lead over every other model is resolved."
        ),
        frame,
        shown,
        sort_by,
        frozenset(bold),
    )


def _with_intervals(frame, metric):
    def cell(row):
        mean, high = row[f"{metric}_mean"], row[f"{metric}_high"]
        half = "" if np.isnan(high) else f" ±{100 * (high - mean):.1f}"
        return percent(mean) + half

    return [cell(row) for _, row in frame.iterrows()]


def differences_table(table, reference):
    """Differences in accuracy from the reference, from the frame of Table 1."""
    frame = table.frame[table.frame["contender"] != reference].reset_index(drop=True)
    columns = ["contender", "difference", "low", "high", "smallest", "p_holm", "resolved"]
    frame = frame[columns]
    shown = pd.DataFrame(
        {
            "Model": frame["contender"],
            "Difference, points": [percent(d, signed=True) for d in frame["difference"]],
            "95 % interval": [
                interval(*ends, signed=True)
                for ends in zip(frame["low"], frame["high"], strict=True)
            ],
            "Smallest resolved": frame["smallest"].map(percent),
            "p (McNemar, Holm)": frame["p_holm"].map(p_in_words),
            "Resolved": ["yes" if found else "no" for found in frame["resolved"]],
        }
    )
    sort_by = {
        "Difference, points": "difference",
        "Smallest resolved": "smallest",
        "p (McNemar, Holm)": "p_holm",
    }
    return Table(
        "differences",
        f"Accuracy beyond that of {reference}, in points. The interval is over texts and seeds, "
        "paired by text, and wide where there are few seeds (of a single run over texts alone); "
        "resolved is a difference of at least the smallest that these texts and seeds can tell "
        "from chance. p is McNemar's exact test of the mean of each "
        "model's runs, which is another question than single runs, after Holm's correction.",
        frame,
        shown,
        sort_by,
    )


def runs_of_points(points):
    """A row a run of an analysis: `contender`, `value`, `seed` and its scores."""
    return pd.DataFrame(
        {"contender": name, "value": value, "run": run.name, "seed": run.seed, **_scores(run)}
        for (name, value), runs in points.items()
        for run in runs
    )


def runs_of_noise(records, points):
    """A row a run, kind and level of noise in texts, with level 0 for the texts as they are."""
    columns = {"kind": str, "level": float, **dict.fromkeys(METRICS, float)}
    rows = []
    for (name, value), runs in points.items():
        for run in runs if value == 0 else ():
            noises = records.read_beside(run, NOISE, columns)
            if noises is None:
                continue
            of_run = {"contender": name, "run": run.name, "seed": run.seed}
            for kind in noises["kind"].unique():
                rows.append({**of_run, "kind": kind, "level": 0.0, **_scores(run)})
            rows += [of_run | noise for noise in noises[list(columns)].to_dict("records")]
    frame = pd.DataFrame(rows)
    if frame.empty:
        return frame
    kinds = list(dict.fromkeys(frame["kind"]))
    return frame.sort_values(
        ["contender", "kind", "level"],
        key=lambda column: column.map(kinds.index) if column.name == "kind" else column,
        kind="stable",
        ignore_index=True,
    )


def sensitivity_table(name, title, frame, by):
    """What the runs of an analysis reach at each value.

    Args:
        name: The table's name.
        title: Heading by column of `by`.
        frame: What `summarize` gives.
        by: Names of the columns that tell settings apart.

    Returns:
        `Table`.
    """
    shown = pd.DataFrame(
        {
            **{title[column]: [value_in_words(v) for v in frame[column]] for column in by},
            "Runs": frame["runs"].astype(str),
            **{heading: _with_intervals(frame, metric) for metric, heading in METRICS.items()},
        }
    )
    numbers = [column for column in by if pd.api.types.is_numeric_dtype(frame[column])]
    sort_by = {title[column]: column for column in numbers} | {"Runs": "runs"}
    sort_by |= {heading: f"{metric}_mean" for metric, heading in METRICS.items()}
    caption = "Test split, per cent: means over runs, with 95 % intervals over seeds."
    return Table(name, caption, frame, shown, sort_by)


def gate_table(frame, differences):
    """What the runs reach with each form of the gate, and how much beyond the paper's form.

    Args:
        frame: What `summarize` gives by `contender` and `value`.
        differences: Dictionary of `Difference`, or `None` where it cannot be told, by pairs of
            contender and form.

    Returns:
        `Table`.
    """
    table = sensitivity_table(
        "gate",
        {"contender": "Model", "value": "Gate or pooling"},
        frame,
        ["contender", "value"],
    )
    found = [differences[at] for at in zip(frame["contender"], frame["value"], strict=True)]
    told = [number for number, one in enumerate(found) if one is not None]
    corrected = dict(zip(told, holm([found[n].p_value for n in told]), strict=True)) if told else {}
    frame = table.frame.assign(
        **{
            key: [np.nan if one is None else getattr(one, key) for one in found]
            for key in ("difference", "low", "high")
        },
        p_holm=[corrected.get(number, np.nan) for number in range(len(found))],
    )
    shown = table.shown.assign(
        **{
            f"Beyond {PAPERS_GATE}, points": [
                "–"
                if one is None
                else f"{percent(one.difference, signed=True)} "
                f"({interval(one.low, one.high, signed=True)})"
                for one in found
            ],
            "p (Holm)": frame["p_holm"].map(p_in_words),
        }
    )
    caption = (
        f"{table.caption} Beyond {PAPERS_GATE}, the paper's gate: difference in accuracy on the "
        "same texts with its 95 % interval over texts and seeds; p of all of them together after "
        "Holm's correction."
    )
    return Table("gate", caption, frame, shown, {**table.sort_by, "p (Holm)": "p_holm"})


def value_in_words(value):
    """A value of a setting, such as `0.2`, or `5e-5` below a hundredth."""
    if isinstance(value, (str, bool)):
        return str(value)
    if 0 < abs(value) < 0.01:
        digits, _, exponent = f"{value:.2e}".partition("e")
        return f"{float(digits):g}e{int(exponent)}"
    return f"{value:g}"


def search_table(search):
    """The trials of a search by falling score.

    Args:
        search: What `search.json` holds.

    Returns:
        `Table`, whose frame has a column an option; failed trials come last.
    """
    rows = [
        {
            "trial": trial["trial"],
            "score": _number(trial.get("score")),
            **{f"option_{name}": value for name, value in trial["options"].items()},
            "reason": trial.get("reason") or ("under way" if trial.get("score") is None else ""),
        }
        for trial in search["trials"]
    ]
    frame = pd.DataFrame(rows).sort_values("score", ascending=False, ignore_index=True)
    options = [name for name in frame.columns if name.startswith("option_")]
    shown = pd.DataFrame(
        {
            "Trial": frame["trial"],
            "Macro F1 (val)": frame["score"].map(percent),
            **{
                name.removeprefix("option_"): [
                    "default" if pd.isna(v) else value_in_words(v) for v in frame[name]
                ]
                for name in options
            },
        }
    )
    if frame["reason"].any():
        shown["Why it has no score"] = frame["reason"]
    return Table(
        "search",
        f"{search['contender']}: trials of the search by macro F1 on the validation split, in per "
        "cent. No run of a search reads the test split.",
        frame,
        shown,
        {"Macro F1 (val)": "score"},
    )


def importance_table(search):
    """How much of the trials' spread the values of each option account for.

    Epsilon squared of a one-way analysis of variance: the share of the variance of the scores
    that lies between values, less what chance would put there; 0 or below is nothing. Whether it is
    more than chance is Kruskal and Wallis's test on ranks, which trials that collapsed do not rule.

    Args:
        search: What `search.json` holds.

    Returns:
        `Table`, or `None` where there are too few trials to tell.
    """
    table = search_table(search)
    frame = table.frame[table.frame["score"].notna()]
    rows = []
    for column in (name for name in frame.columns if name.startswith("option_")):
        tried = frame[frame[column].notna()]
        groups = [group["score"] for _, group in tried.groupby(column)]
        total = ((tried["score"] - tried["score"].mean()) ** 2).sum()
        free = len(tried) - len(groups)
        # Two trials a value and three beyond: what fewer show is chance, however large it looks.
        if len(groups) < 2 or free < 3 or len(tried) < 2 * len(groups) or total == 0:
            continue
        within = sum(((group - group.mean()) ** 2).sum() for group in groups)
        share = (total - within - (len(groups) - 1) * within / free) / total
        rows.append(
            {
                "option": column.removeprefix("option_"),
                "values": len(groups),
                "trials": len(tried),
                "importance": share,
                "p_holm": float(stats.kruskal(*groups).pvalue),
            }
        )
    if not rows:
        return None
    frame = pd.DataFrame(rows).sort_values("importance", ascending=False, ignore_index=True)
    frame["p_holm"] = holm(frame["p_holm"])
    resolved = frame.loc[frame["p_holm"] < 0.05, "option"].tolist()
    shown = pd.DataFrame(
        {
            "Option": frame["option"],
            "Values tried": frame["values"].astype(str),
            "Trials": frame["trials"].astype(str),
            "Share of the spread, %": frame["importance"].map(percent),
            "p (Kruskal–Wallis, Holm)": frame["p_holm"].map(p_in_words),
        }
    )
    return Table(
        "importance",
        "Share of the variance of the trials' scores that lies between the values of one option, "
        "less what chance would put there (epsilon squared). Each option by itself: what options "
        "do together is not in it, and trials that collapsed make most of the spread. "
        + (
            f"Resolved: {', '.join(resolved)}."
            if resolved
            else "No option is resolved from chance."
        ),
        frame,
        shown,
        {
            "Values tried": "values",
            "Trials": "trials",
            "Share of the spread, %": "importance",
            "p (Kruskal–Wallis, Holm)": "p_holm",
        },
    )


def short_table(frame, name):
    """Scores of runs that have no section of their own, by study and setting."""
    shown = pd.DataFrame(
        {
            "Study": frame["study"],
            "Model": frame["contender"],
            "Learning rate": [
                "–" if value is None or np.isnan(value) else value_in_words(value)
                for value in frame["learning_rate"]
            ],
            "Runs": frame["runs"].astype(str),
            **{title: _with_intervals(frame, metric) for metric, title in METRICS.items()},
        }
    )
    sort_by = {"Learning rate": "learning_rate", "Runs": "runs"}
    sort_by |= {title: f"{m}_mean" for m, title in METRICS.items()}
    caption = f"{name}: test split, per cent, a row a study and setting."
    return Table("other_runs", caption, frame, shown, sort_by)


def confusion_frame(runs):
    """Confusion of labels on the test split, added up over runs; rows are true labels."""
    labels = runs[0].labels
    total = np.sum([run.test["confusion_matrix"] for run in runs], axis=0)
    return pd.DataFrame(total, index=labels, columns=labels)


def confusion_table(runs, name):
    """`confusion_frame` as a table: counts, and in brackets the share of the true label's texts."""
    frame = confusion_frame(runs)
    shares = frame.div(frame.sum(axis=1), axis=0)
    shown = pd.DataFrame(
        {
            label: [
                f"{n:,} ({percent(s)})" for n, s in zip(frame[label], shares[label], strict=True)
            ]
            for label in frame.columns
        }
    )
    shown.insert(0, own_heading("True label", frame.columns), list(frame.index))
    return Table(
        "confusion",
        f"{name}: texts of the test split by true label (rows) and predicted label (columns), "
        f"added up over {len(runs)} runs, and in brackets per cent of the true label's.",
        frame.rename_axis(own_heading("true_label", frame.columns)).reset_index(),
        shown,
        {label: label for label in frame.columns},
    )


def label_table(compared):
    """F1 of each label and contender, with intervals over runs."""
    rows = []
    for name, runs in compared.items():
        for label in runs[0].labels:
            values = [run.test["per_label"][label]["f1"] for run in runs]
            mean, low, high = map(_number, mean_interval(values))
            support = runs[0].test["per_label"][label]["support"]
            rows.append(
                {
                    "contender": name,
                    "label": label,
                    "texts": support,
                    "runs": len(runs),
                    "f1_mean": mean,
                    "f1_low": low,
                    "f1_high": high,
                }
            )
    frame = pd.DataFrame(rows)
    labels = list(dict.fromkeys(frame["label"]))
    shown = pd.DataFrame({own_heading("Model", labels): list(compared)})
    wide = pd.DataFrame({"contender": list(compared)})
    for label in labels:
        own = frame[frame["label"] == label].reset_index(drop=True)
        wide = wide.assign(
            **{f"{label}_{end}": own[f"f1_{end}"] for end in ("mean", "low", "high")}
        )
        halves = [
            "" if np.isnan(h) else f" ±{100 * (h - m):.1f}"
            for h, m in zip(own["f1_high"], own["f1_mean"], strict=True)
        ]
        shown[label] = [percent(m) + half for m, half in zip(own["f1_mean"], halves, strict=True)]
    table = Table(
        "label_f1",
        "F1 of each label on the test split, per cent: means over runs, with 95 % intervals.",
        wide,
        shown,
        {label: f"{label}_mean" for label in labels},
    )
    return table, frame


def calibration_table(compared):
    """Calibration before and after temperature scaling, fitted on each run's validation split.

    Args:
        compared: Dictionary of lists of `Run` with predictions, by contender.

    Returns:
        `Table`, and data frames of the reliability of each contender: `contender`, `scaled`,
        `confidence`, `accuracy`, `num_texts`, a row a bin.
    """
    rows, curves = [], []
    for name, runs in compared.items():
        found, parts = [], {False: [], True: []}
        for run in runs:
            temperature = fit_temperature(*_split(run, "val"))
            label_ids, probabilities = _split(run, "test")
            scaled = scale(probabilities, temperature)
            found.append((temperature, expected_calibration_error(label_ids, scaled)))
            parts[False].append((label_ids, probabilities))
            parts[True].append((label_ids, scaled))
        mean, low, high = map(_number, mean_interval([run.test["ece"] for run in runs]))
        temperature, after = np.mean(found, axis=0)
        rows.append(
            {
                "contender": name,
                "runs": len(runs),
                "ece_mean": mean,
                "ece_low": low,
                "ece_high": high,
                "ece_scaled": after,
                "temperature": temperature,
            }
        )
        for is_scaled, pairs in parts.items():
            together = [np.concatenate(arrays) for arrays in zip(*pairs, strict=True)]
            curve = pd.DataFrame(reliability_curve(*together))
            curves.append(curve.assign(contender=name, scaled=is_scaled))
    frame = pd.DataFrame(rows).sort_values("ece_mean", ignore_index=True)
    shown = pd.DataFrame(
        {
            "Model": frame["contender"],
            "Runs": frame["runs"].astype(str),
            "ECE, %": frame["ece_mean"].map(percent),
            "95 % interval": [
                interval(*ends) for ends in zip(frame["ece_low"], frame["ece_high"], strict=True)
            ],
            "ECE after scaling, %": frame["ece_scaled"].map(percent),
            "Temperature": [f"{value:.2f}" for value in frame["temperature"]],
        }
    )
    sort_by = {
        "Runs": "runs",
        "ECE, %": "ece_mean",
        "ECE after scaling, %": "ece_scaled",
        "Temperature": "temperature",
    }
    caption = (
        "Expected calibration error on the test split (15 bins), means over runs, before and after "
        "temperature scaling; each run's temperature is fitted on its validation split."
    )
    return Table("calibration", caption, frame, shown, sort_by), pd.concat(curves)


def _split(run, name):
    rows = run.predictions[run.predictions["split"] == name]
    label_ids = rows["label"].map(run.labels.index).to_numpy()
    return label_ids, rows[probability_columns(run.labels)].to_numpy()


def confidences(runs):
    """Confidence and correctness of each test text and run: `confidence`, `correct`."""
    frames = []
    for run in runs:
        rows = run.predictions[run.predictions["split"] == "test"]
        frames.append(
            pd.DataFrame(
                {
                    "confidence": rows[probability_columns(run.labels)].max(axis=1),
                    "correct": rows["label"] == rows["predicted"],
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def history_frame(records, runs):
    """The epochs of runs: what `history.csv` holds, with `run`; `None` where there are none."""
    columns = dict.fromkeys(("epoch", "loss", "accuracy", "val_loss", "val_accuracy"), float)
    frames = [
        frame.assign(run=run.name)
        for run in runs
        if (frame := records.read_beside(run, record.HISTORY, columns)) is not None
    ]
    return pd.concat(frames, ignore_index=True) if frames else None


def cost_table(compared):
    """What training and using each contender costs."""
    rows = [
        {
            "contender": name,
            "runs": len(runs),
            "parameters": runs[0].record["num_parameters"],
            **{
                key: float(np.mean([run.record["cost"].get(key, np.nan) for run in runs]))
                for key in (
                    "seconds",
                    "milliseconds_for_1_text",
                    "milliseconds_for_256_texts",
                    "peak_memory_bytes",
                )
            },
        }
        for name, runs in compared.items()
    ]
    frame = pd.DataFrame(rows)
    shown = pd.DataFrame(
        {
            "Model": frame["contender"],
            "Parameters": frame["parameters"].map(count),
            "Minutes a run": [f"{value / 60:.1f}" for value in frame["seconds"]],
            "ms for 1 text": [f"{value:.1f}" for value in frame["milliseconds_for_1_text"]],
            "ms for 256 texts": [count(value) for value in frame["milliseconds_for_256_texts"]],
            "Peak memory, GB": [f"{value / 1e9:.1f}" for value in frame["peak_memory_bytes"]],
        }
    )
    keys = list(frame.columns[2:])
    caption = "Means over runs. How long a run took depends on what else the machine was doing."
    return Table("cost", caption, frame, shown, dict(zip(shown.columns[1:], keys, strict=True)))
