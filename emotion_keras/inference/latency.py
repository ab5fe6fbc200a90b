"""How long a trained model takes to answer."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any


def measure_latency(predict: Callable[[list[Any]], Any], texts: Sequence[Any]) -> dict[str, float]:
    """Measures the time from texts to probabilities, for one text and for 256 at once.

    Args:
        predict: Function from a list of texts to probabilities.
        texts: Non-empty list of texts, used again from the first where there are fewer.

    Returns:
        Dictionary of `milliseconds_for_1_text`, for the text of median length, and
        `milliseconds_for_256_texts`, both medians of several times.
    """
    typical = sorted(texts, key=len)[len(texts) // 2]
    many = [texts[i % len(texts)] for i in range(256)]
    return {
        "milliseconds_for_1_text": _median_milliseconds(predict, [typical], 20),
        "milliseconds_for_256_texts": _median_milliseconds(predict, many, 3),
    }


def _median_milliseconds(predict, texts, repeats):
    predict(texts)  # What is compiled or cached at the first call is not timed.
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        predict(texts)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)
