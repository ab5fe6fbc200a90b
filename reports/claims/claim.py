"""A claim and the evidence for it, and how the forms of one model are judged together."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from reports.claims.verdicts import NOT_RUN
from reports.display.models import name_of
from reports.display.table import Table
from reports.paper import OURS, OURS_FROM_SCRATCH
from reports.records import Run

# At this level of each kind of noise a model should be stable; the paper gives none, it is ours.
NOISE_LEVEL = 0.1

WHICH_FORM = (
    f" Decided by {name_of(OURS)} where that was run, or else by the form from scratch; the others "
    "are named."
)


class Claim(NamedTuple):
    """A sentence of the paper, and what became of it.

    Args:
        name: Its baseline on the page.
        sentence: What the paper claims, in our words.
        test: The test that decides it.
        verdict: `holds`, `refuted`, `undecided` or `not run`.
        estimate: What the verdict rests on, in a few words: a number and its interval.
        limit: What the estimate is held against, in a few words.
        measured: List of sentences, what we measured.
        section: Baseline of the section with the numbers.
        table: `Table` of the readings that decide it side by side, or `None`.
        by_our_limit: Whether a limit decides it that the paper does not give, and we do.
    """

    name: str
    sentence: str
    test: str
    verdict: str
    estimate: str
    limit: str
    measured: list
    section: str
    table: Table | None = None
    by_our_limit: bool = False


class Evidence(NamedTuple):
    """What the claims are decided by.

    Args:
        compared: Dictionary of lists of `Run` by contender.
        rates: Dictionary of lists of `Run` by pairs of contender and learning rate.
        noises: Data frame of a row a run, kind and level of noise, as of `runs_of_noise`.
        ratios: Dictionary of lists of `Run` by pairs of contender and data ratio.
        gates: Dictionary of lists of `Run` by pairs of contender and form of the gate.
        gated: Dictionary by contender with a gate of the contender that is the same without it, or
            of `None`.
    """

    compared: dict
    rates: dict
    noises: object
    ratios: dict
    gates: dict
    gated: dict


def judge_forms(
    by_form: dict[str, Any],
    gated: Iterable[str],
    judge: Callable[[Any], tuple[str, str, list[str]]],
) -> tuple[str, str, list[str]]:
    """Judges the forms of the paper's model, of which one decides.

    Args:
        by_form: Dictionary of evidence by contender.
        gated: Those contenders that have a gate, as the paper's model has.
        judge: Function from the evidence of a contender to a verdict, the estimate that it rests
            on, and a list of sentences.

    Returns:
        The verdict of the form that decides, its estimate, and a list of its sentences, followed by
        those of the other forms.
    """
    forms = sorted(
        (name for name in by_form if name in gated),
        key=lambda name: (name != OURS, name != OURS_FROM_SCRATCH, name),
    )
    if not forms:
        return NOT_RUN, "", ["Not measured yet."]
    first, *others = forms
    verdict, estimate, measured = judge(by_form[first])
    said = [f"{name_of(first)}: {' '.join(measured)}"]
    for name in others:
        other_verdict, _, sentences = judge(by_form[name])
        said.append(f"{name_of(name)} ({other_verdict}): {' '.join(sentences)}")
    return verdict, estimate, said


def by_contender(points: dict[tuple[str, Any], list[Run]]) -> dict[str, dict[Any, list[Run]]]:
    """The runs of an analysis by contender, each a dictionary of lists of `Run` by value."""
    found = {}
    for (name, value), runs in points.items():
        found.setdefault(name, {})[value] = runs
    return found
