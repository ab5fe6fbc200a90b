"""The paper's claims, each with the test that decides it, stated before it is applied.

A claim says something about all of its parts, so it holds where every part is resolved in its
favour, and is refuted where one part is resolved against it; between the two it is undecided.
Differences that one claim is about are a family: each is resolved or not after Holm's correction
for all of them, which is the rule of every table of the page, too.
"""

from reports.claims.claim import Claim, Evidence
from reports.claims.models import calibrated, gate
from reports.claims.order import leads_bert, order, order_of_four, result
from reports.claims.settings import best_rate, high_rates, noise, ratios
from reports.claims.verdicts import Differences

__all__ = ["Claim", "Evidence", "decide_claims"]


def decide_claims(evidence: Evidence) -> list[Claim]:
    """Decides all claims.

    Args:
        evidence: `Evidence`.

    Returns:
        List of `Claim`, in the order in which the paper makes them.
    """
    differences = Differences(evidence.compared)
    return [
        result(evidence.compared, evidence.gated),
        leads_bert(differences),
        order(differences),
        order_of_four(differences),
        best_rate(evidence.rates, evidence.gated),
        high_rates(evidence.rates, evidence.gated),
        noise(evidence.noises, evidence.gated),
        ratios(evidence.ratios, evidence.gated),
        calibrated(evidence.compared, evidence.gated),
        gate(differences, evidence.gates, evidence.noises, evidence.gated),
    ]
