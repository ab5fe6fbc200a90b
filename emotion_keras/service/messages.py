"""What pydantic finds wrong with a request, in people's words."""

from collections.abc import Callable, Mapping
from typing import Any

_SHARE = "A number from 0 to 1"
_BOOLEAN = "It is true or false"
_NOT_WHOLE = "A text is made of whole characters, not of halves (surrogates)"
_OBJECT = "The body is an object of JSON, with names and values between { and }"

# By the type of an error. What says how many there are is made of the error.
_WORDS: dict[str, str | Callable[[Mapping[str, Any]], str]] = {
    "missing": "The body is missing",
    "model_attributes_type": _OBJECT,
    "string_type": "A text, between double quotes",
    "string_pattern_mismatch": "A text has no NUL character",
    "string_unicode": _NOT_WHOLE,
    "string_too_long": lambda error: _at_most(error, "characters", len(error["input"]), "this has"),
    "list_type": "A list, between [ and ]",
    "too_short": "At least one is needed; this list is empty",
    "too_long": lambda error: _at_most(error, "", error["ctx"]["actual_length"], "these are"),
    "bool_type": _BOOLEAN,
    "float_type": _SHARE,
    "float_parsing": _SHARE,
    "greater_than_equal": _SHARE,
    "less_than_equal": _SHARE,
    "literal_error": lambda error: f"It is {error['ctx']['expected']}, or left out",
    "extra_forbidden": "There is no such field; /openapi.json describes those that there are",
}


def in_words(error: Mapping[str, Any]) -> str:
    """What is wrong with a value of a request, and what is accepted.

    Args:
        error: What pydantic says of it, one of `ValidationError.errors()`.

    Example:

    >>> in_words({"type": "string_too_long", "ctx": {"max_length": 3}, "input": "long"})
    'At most 3 characters; this has 4'
    """
    words = _WORDS.get(error["type"]) or error["msg"]
    return words if isinstance(words, str) else words(error)


def _at_most(error, what, number, begin):
    most = f"At most {error['ctx']['max_length']:,} {what}".rstrip()
    return f"{most}; {begin} {number:,}"
