"""A page of answers, each word of a text shaded by what it adds to the score, or by its gate."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import jinja2

from emotion_keras import shading
from emotion_keras.inference.predictor import Predictor
from emotion_keras.shading.page import FOLDER, add_shading


def write_page(
    path: Path,
    predictor: Predictor,
    parts: Iterable[list[Any]],
    answer: Callable[[list[Any]], list[dict[str, Any]]],
    view: str,
) -> None:
    """Writes a self-contained page, part by part, so that any number of texts fits in memory.

    Args:
        path: `pathlib.Path` of the file; what is there already is replaced, once the page is whole.
        predictor: `Predictor`.
        parts: Iterable of lists of texts.
        answer: Function from a list of texts to what `Predictor` answers with explanations.
        view: What words are shaded by, one of `shading.VIEWS`.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([Path(__file__).parent, FOLDER]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    add_shading(environment)
    stream = environment.get_template("explained_page.html").stream(
        predictor=predictor,
        view=view,
        faithful=shading.faithful(predictor.faithfulness, view, predictor.unit_plural),
        rows=(_row(*pair) for part in parts for pair in zip(part, answer(part), strict=True)),
    )
    part = path.with_name(f"{path.name}.part")
    try:
        with open(part, "wb") as file:
            stream.dump(file, encoding="utf-8")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _row(text, answer):
    probabilities = sorted((answer["probabilities"] or {}).items(), key=lambda item: -item[1])
    return {"text": text, **answer, "probabilities": probabilities}
