"""How long a trained model takes to answer."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from emotion_keras.machine.cores import busy_seconds

# The system counts hundredths of a second: of less than this it would say nothing about others.
_SHORTEST_SECONDS = 1.0
# As much of one core may be busy with other processes: no machine is quite still.
_SHARE_OF_OTHERS = 0.1
_MANY = 256
# How many times one text and many are predicted, after once for what is compiled or cached then.
_TIMES_ONE, _TIMES_MANY = 20, 3
# The texts that are predicted in all.
NUM_TIMED = (1 + _TIMES_ONE) + _MANY * (1 + _TIMES_MANY)


def measure_latency(predict: Callable[[list[Any]], Any], texts: Sequence[Any]) -> dict[str, Any]:
    """Measures the time from texts to probabilities, for one text and for 256 at once.

    Args:
        predict: Function from a list of texts to probabilities.
        texts: Non-empty list of texts, used again from the first where there are fewer.

    Returns:
        Dictionary of `milliseconds_for_1_text`, for the text of median length, and
        `milliseconds_for_256_texts`, both medians of several times; and of `measured_alone`:
        whether no other process worked on the same cores meanwhile, `None` where the system does
        not say.
    """
    typical = sorted(texts, key=len)[len(texts) // 2]
    many = [texts[i % len(texts)] for i in range(_MANY)]
    start, before = time.perf_counter(), _seconds_of_others()
    found = {
        "milliseconds_for_1_text": _median_milliseconds(predict, [typical], _TIMES_ONE),
        "milliseconds_for_256_texts": _median_milliseconds(predict, many, _TIMES_MANY),
    }
    if before is None:
        return found | {"measured_alone": None}
    time.sleep(max(0.0, _SHORTEST_SECONDS - (time.perf_counter() - start)))
    seconds, others = time.perf_counter() - start, _seconds_of_others() - before
    return found | {"measured_alone": others <= _SHARE_OF_OTHERS * seconds}


def _seconds_of_others():
    busy = busy_seconds()
    return None if busy is None else busy - time.process_time()


def _median_milliseconds(predict, texts, repeats):
    predict(texts)  # What is compiled or cached at the first call is not timed.
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        predict(texts)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)
