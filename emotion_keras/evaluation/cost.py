"""What training and using a model costs, from the records of its runs alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np

LATENCIES = ("milliseconds_for_1_text", "milliseconds_for_256_texts")
_MEANS = ("seconds", "examples_per_second", "peak_memory_bytes")


def summarize_cost(runs: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """What the runs of one model cost.

    A time that was measured while other processes worked is that of the machine and not of the
    model, so latencies are taken from runs that had the machine to themselves, and of these the
    least, which the least disturbed.

    Args:
        runs: Non-empty list of the records of runs, dictionaries.

    Returns:
        Dictionary of `seconds`, `examples_per_second` and `peak_memory_bytes`, means over the
        runs; and of `LATENCIES`, the least of the runs' medians, or `None` where no run is known
        to have had the machine to itself.

    Example:

    >>> costs = {"seconds": 60.0, "examples_per_second": 90.0, "peak_memory_bytes": 1e9}
    >>> times = {"milliseconds_for_1_text": 2.5, "milliseconds_for_256_texts": 40.0}
    >>> summarize_cost([{"cost": {**costs, **times}}])["milliseconds_for_1_text"]
    >>> alone = {**costs, **times, "measured_alone": True}
    >>> summarize_cost([{"cost": alone}])["milliseconds_for_1_text"]
    2.5
    """
    costs = [run["cost"] for run in runs]
    means = {key: float(np.mean([cost[key] for cost in costs])) for key in _MEANS}
    # Earlier versions did not look at what else the machine was doing.
    alone = [cost for cost in costs if cost.get("measured_alone")]
    return means | {key: min((cost[key] for cost in alone), default=None) for key in LATENCIES}
