"""The paper's claims, each with the test that decides it, stated before it is applied.

A claim says something about all of its parts, so it holds where every part is resolved in its
favour, and does not hold where one part is resolved against it; between the two it is not resolved.
Pairs of models that one claim is about are a family: their p-values are corrected after Holm. That
is needed for refuting a claim, which one pair is enough for; holding asks for all of them.
"""

from reports.claims.claim import Claim, Evidence
from reports.claims.models import calibrated, gate, leads_bert, order, order_of_four
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
