"""What several runs share is made once."""

import json
from collections.abc import Callable
from typing import Any


def once(cache: dict[str, Any], kind: str, made_from: Any, make: Callable[[], Any]) -> Any:
    """Makes a value, or returns the kept one; keeps the last value of each kind.

    Args:
        cache: Dictionary, changed in place.
        kind: String, what the value is.
        made_from: JSON-able dictionary of all that the value depends on.
        make: Function without arguments.

    Returns:
        The value.
    """
    key = json.dumps(made_from, sort_keys=True)
    if kind not in cache or cache[kind][0] != key:
        cache.pop(kind, None)  # Two of a kind would not always fit into memory.
        cache[kind] = key, make()
    return cache[kind][1]
