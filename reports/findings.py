"""What the sections of the page share: the runs that are compared, and what follows from them."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from emotion_keras.inputs import Input, modality_of
from reports.claims import Evidence, decide_claims
from reports.claims.verdicts import difference, resolve
from reports.paper import ORDER, is_about
from reports.records import ANALYSES, COMPARISON, SENSITIVITY, Part, Records, Run, Study
from reports.scores import runs_of_noise

MOST_DRAWN = 6

# Hyperparameters of a gate, and one that older records leave out.
_OF_GATES = {"gate", "gate_after", "keep", "keep_weight", "pooling"}


@dataclass(frozen=True, eq=False)
class Findings:
    """What the page is about, worked out once for all sections.

    Args:
        records: `Records`, all that was found.
        part: The `Part` that the page is about.
        compared: Dictionary of lists of `Run` by contender, in the order of Table 1.
        left_out: List of `Run` of other settings, which are in no mean.
        best: The contender that is best on the validation split, or `None`.
        differences: Dictionary by each other contender of its `Resolved` difference in accuracy
            from the best (where several labels may hold, in examples with all labels right), or of
            `None` where predictions are missing.
        points: Dictionary by analysis of dictionaries of lists of `Run` by contender and value.
        noises: Data frame of a row a run, kind and level of noise; see `runs_of_noise`.
        claims: List of `Claim`, decided; empty where the paper is not about these data.
    """

    records: Records
    part: Part
    compared: dict
    left_out: list
    best: str | None
    differences: dict
    points: dict
    noises: pd.DataFrame
    claims: list

    @property
    def with_paper(self) -> bool:
        """Whether the paper's numbers are of these data, so that they may stand beside ours."""
        return is_about(self.part.data.name, self.part.data.labels)

    @property
    def several(self) -> bool:
        """Whether several labels may hold of an example."""
        return self.part.runs[0].target.several

    @property
    def metrics(self) -> dict[str, str]:
        """The metrics of the page's figures, and what it calls them; the first one ranks."""
        return self.part.runs[0].metrics

    @property
    def right(self) -> str:
        """What the page calls the share of examples that are answered rightly."""
        return "all labels right" if self.several else "accuracy"

    @property
    def modality(self) -> type[Input]:
        """What the page calls its examples: the class of the modality of its runs."""
        return modality_of(self.part.runs[0].record)

    @property
    def apart(self) -> list[Part]:
        """The parts that the page is not about."""
        return [other for other in self.records.parts if other is not self.part]

    @property
    def drawn(self) -> list[str]:
        """The models that figures of labels and confidence compare: the best, and the paper's."""
        papers = (name for name in ORDER if name in self.compared)
        return list(dict.fromkeys([self.best, *papers]))[:MOST_DRAWN]


def gather(records: Records, part: Part) -> Findings:
    """Works out what the sections of the page share.

    Args:
        records: `Records`.
        part: The `Part` that the page is about.

    Returns:
        `Findings`.
    """
    compared, left_out = compared_runs(part)
    # In the order of Table 1 everywhere.
    ranked = sorted(compared, key=lambda name: -mean_score(compared[name], "test"))
    compared = {name: compared[name] for name in ranked}
    best = best_of(compared)
    differences = {
        name: difference(runs, compared[best], fewest=1)
        for name, runs in compared.items()
        if name != best
    }
    found = {analysis: points(part, analysis) for analysis in ANALYSES}
    noises = runs_of_noise(records, found["noise"])
    evidence = Evidence(
        compared=compared,
        rates=found["learning_rate"],
        noises=noises,
        ratios=found["data_ratio"],
        gates=found["gate"],
        gated=gated_models(part.runs),
    )
    return Findings(
        records=records,
        part=part,
        compared=compared,
        left_out=left_out,
        best=best,
        differences=resolve(differences),
        points=found,
        noises=noises,
        claims=decide_claims(evidence) if is_about(part.data.name, part.data.labels) else [],
    )


def compared_runs(part: Part) -> tuple[dict[str, list[Run]], list[Run]]:
    """The runs of a part's comparison, by contender, and what was left out of it.

    The comparison is the study with a `comparison.json`, or else the one of most contenders; models
    that it lacks are taken from other studies, so that no better one stands outside of it. A
    contender that stands there with several settings is taken with those that `comparison.json`
    names, or else with those that most runs have: a mean over settings would be of nothing.

    Args:
        part: `Part`.

    Returns:
        Dictionary of lists of `Run` by contender; and a list of `Run`, those of other settings.
    """
    candidates = [
        (COMPARISON in study.files, len({run.contender for run in runs}), len(runs), study, runs)
        for study in part.studies
        if (runs := _of_comparison(study))
    ]
    if not candidates:
        return {}, []
    *_, study, runs = max(candidates, key=lambda candidate: candidate[:3])
    runs = runs + _of_others(runs, [found for *_, found in candidates])
    named = set(study.files.get(COMPARISON, {}).get("run_ids", ()))
    chosen, left_out = {}, []
    for name in dict.fromkeys(run.contender for run in runs):
        settings = {}
        for run in runs:
            if run.contender == name:
                settings.setdefault(run.setting, []).append(run)
        ranked = sorted(
            settings.values(),
            key=lambda group: (-sum(run.name in named for run in group), -len(group)),
        )
        chosen[name] = sorted(ranked[0], key=lambda run: run.seed)
        left_out += [run for group in ranked[1:] for run in group]
    return chosen, left_out


def _of_others(runs, studies):
    """The runs of models that the comparison lacks, each once, from the runs of all studies."""
    there = {run.contender for run in runs}
    found = {}
    for run in (run for of_study in studies for run in of_study if run.contender not in there):
        fold = run.record["corpus"]["protocol"].get("fold")
        found.setdefault((run.contender, run.setting, run.seed, fold), run)
    return list(found.values())


def _of_comparison(study):
    named = set(study.files.get(COMPARISON, {}).get("run_ids", ()))
    # A run with a trial belongs to a search or an analysis that may share the folder.
    return [
        run
        for run in study.runs
        if run.test is not None and (run.name in named or run.record.get("trial") is None)
    ]


def points(part: Part, analysis: str) -> dict[tuple[str, Any], list[Run]]:
    """The runs at each value of what was analysed.

    Args:
        part: `Part`.
        analysis: One of `ANALYSES`.

    Returns:
        Dictionary of lists of `Run` by pairs of contender and value, from all studies of the
        analysis.
    """
    found = {}
    for study in analyses(part, analysis):
        of_study = [*study.runs, *study.aside]
        by_name = {run.name: run for run in of_study if run.test is not None}
        for point in study.files[SENSITIVITY].get("points", ()):
            runs = [by_name[name] for name in point["run_ids"] if name in by_name]
            at = found.setdefault((point["contender"], point["value"]), [])
            at += [run for run in runs if run.name not in {other.name for other in at}]
    return {at: runs for at, runs in found.items() if runs}


def analyses(part: Part, analysis: str) -> list[Study]:
    """The studies of a part that are of one analysis."""
    return [
        study
        for study in part.studies
        if study.files.get(SENSITIVITY, {}).get("analysis") == analysis
    ]


def gated_models(runs: list[Run]) -> dict[str, str | None]:
    """The models with a gate, and which are the same without it, by their records.

    Args:
        runs: List of `Run`.

    Returns:
        Dictionary by contender with a gate of the contender without one that has the same encoder
        and the same other hyperparameters, whatever their values, or of `None`.
    """

    def shape(run):
        names = set(run.record["hyperparameters"]) - _OF_GATES
        return run.encoder, frozenset(names)

    plain = {shape(run): run.contender for run in runs if run.gate is None}
    return {run.contender: plain.get(shape(run)) for run in runs if run.gate is not None}


def best_of(compared: dict[str, list[Run]]) -> str | None:
    """The contender of highest mean accuracy (or macro F1) on the validation split, or `None`.

    Chosen there, because the best of many on the test split looks better than it is. A single run
    is no mean: it is considered only where there is nothing else.
    """
    repeated = [name for name, runs in compared.items() if len(runs) > 1]
    return max(
        repeated or compared, key=lambda name: mean_score(compared[name], "val"), default=None
    )


def mean_score(runs: list[Run], split: str) -> float:
    """The mean over runs of the metric that ranks them on a split: accuracy, or macro F1."""
    main = runs[0].target.main_metric
    return sum(run.record["metrics"][split][main] for run in runs) / len(runs)
