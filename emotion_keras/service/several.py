"""What a model of several modalities is asked, and answers.

The body of a request is a form with a field for each modality: a text, a file, a vector. No path
that a client sends is ever opened.
"""

import json
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request
from pydantic import BaseModel, Field
from starlette.datastructures import UploadFile

from emotion_keras.service.answers import ExplainedPrediction, problems
from emotion_keras.service.files import Decoder, question_in_address
from emotion_keras.service.options import ServiceOptions

_FORM = "multipart/form-data"


class Part(BaseModel):
    """A word, a moment or a patch, its gate, and what it adds to the score of the label."""

    word: str = Field(description="The modality and what it is, such as `speech: 0.08 s`.")
    gate: float
    contribution: float | None


class SeveralPrediction(ExplainedPrediction):
    """What the model says of an example.

    Probabilities are an object with a number for each label, by its name. The flag says what the
    example lacks, such as `speech empty`, and what was not read to its end; of one without anything
    it is `empty`, and there is neither label nor confidence nor probabilities.
    """

    flag: str
    words: list[Part] | None = None


class SeveralAnswer(BaseModel):
    """The prediction, in a list as those of texts are."""

    predictions: list[SeveralPrediction]


def add_several(
    app: FastAPI,
    predictor: Any,
    answer: Callable[[list[str], Any], Awaitable[Any]],
    options: ServiceOptions,
) -> None:
    """Adds `POST /predict`, which takes a form with a field for each modality.

    Args:
        app: The application.
        predictor: The predictor, with its `parts`.
        answer: Function of examples and the question about them that gives a `SeveralAnswer`.
        options: `ServiceOptions`.
    """
    decoders = {
        part.name: Decoder(part, predictor.num_parallel, options)
        for part in predictor.parts
        if part.reads_files
    }
    names = [part.name for part in predictor.parts]
    Asked: Any = question_in_address(predictor, "part")
    properties = {
        name: {"type": "string"} | ({"format": "binary"} if name in decoders else {})
        for name in names
    }
    schema = {"type": "object", "properties": properties, "additionalProperties": False}

    @app.post(
        "/predict",
        response_model_exclude_unset=True,
        responses=problems(400, 408, 409, 413, 415, 422, 500, 503),
        openapi_extra={"requestBody": {"required": True, "content": {_FORM: {"schema": schema}}}},
    )
    async def predict(request: Request, asked: Annotated[Asked, Query()]) -> SeveralAnswer:
        """The emotion of one example, from the modalities that it has."""
        fields = await _fields(request, names, decoders)
        with tempfile.TemporaryDirectory(prefix="emotion_keras-") as folder:
            example = {}
            for name, value in fields.items():
                if name in decoders:
                    own = Path(folder, name)
                    own.mkdir()
                    example[name] = await decoders[name].decode(value, own)
                else:
                    example[name] = _as_text(name, value, options.max_length)
            cell = json.dumps(example, ensure_ascii=False)
            if reason := predictor.why_unreadable([cell]):
                raise HTTPException(422, reason)
            return await answer([cell], asked)


async def _fields(request, names, files):
    """What stands in the fields of a form, as bytes; of an empty field nothing."""
    if not request.headers.get("content-type", "").lower().startswith(_FORM):
        raise HTTPException(
            415,
            f"This model takes {' and '.join(names)}. Send them as the fields of a form, with "
            f"Content-Type: {_FORM}.",
        )
    found = {}
    # What is wrong with a form is said by the library, with status 400.
    async with request.form(max_files=len(names), max_fields=len(names)) as form:
        for name, value in form.multi_items():
            if name not in names or name in found:
                raise HTTPException(
                    422,
                    f"A form has each of these fields once at most: {', '.join(names)}. "
                    f"Received: {', '.join(key for key, _ in form.multi_items())}",
                )
            is_file = isinstance(value, UploadFile)
            if is_file != (name in files):
                kind = "a file" if name in files else "no file"
                raise HTTPException(422, f"{name} is {kind}, with a name for a file or without.")
            content = await value.read() if is_file else value.encode()
            if content:
                found[name] = content
    return found


def _as_text(name, content, longest):
    text = content.decode()
    if len(text) > longest:
        raise HTTPException(413, f"{name}: At most {longest:,} characters; this has {len(text):,}.")
    if "\0" in text:
        raise HTTPException(422, f"{name}: A text has no NUL character")
    return text
