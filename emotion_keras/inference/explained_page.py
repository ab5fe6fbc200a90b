"""A page of answers, each word of a text shaded by its gate."""

import os
from collections.abc import Callable, Iterable
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2

from emotion_keras.inference.predictor import Predictor


def write_page(
    path: Path,
    predictor: Predictor,
    parts: Iterable[list[Any]],
    answer: Callable[[list[Any]], list[dict[str, Any]]],
) -> None:
    """Writes a self-contained page, part by part, so that any number of texts fits in memory.

    Args:
        path: `pathlib.Path` of the file; what is there already is replaced, once the page is whole.
        predictor: `Predictor`.
        parts: Iterable of lists of texts.
        answer: Function from a list of texts to what `Predictor` answers with explanations.
    """
    source = resources.files("emotion_keras.inference") / "explained_page.html"
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(source.read_text(encoding="utf-8"))
    rows = (_row(*pair) for part in parts for pair in zip(part, answer(part), strict=True))
    part = path.with_name(f"{path.name}.part")
    try:
        with open(part, "wb") as file:
            template.stream(model=predictor.name, rows=rows).dump(file, encoding="utf-8")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _row(text, answer):
    probabilities = sorted((answer["probabilities"] or {}).items(), key=lambda item: -item[1])
    gates = [word["gate"] for word in answer["words"]]
    return {"text": text, **answer, "probabilities": probabilities, "words": _shaded(answer, gates)}


def _shaded(answer, gates):
    low, high = min(gates, default=0), max(gates, default=0)
    for word in answer["words"]:
        share = (word["gate"] - low) / (high - low) if high > low else 0
        yield word | {"shade": round(0.55 * share, 2)}
