"""What a model of recordings is asked, and answers.

The body of a request is the file itself. No path that a client sends is ever opened.
"""

import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException, Query, Request
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, create_model

from emotion_keras.service.answers import BasePrediction, only_if_explained, problems
from emotion_keras.service.decoding import DecodingFailed, DecodingPool
from emotion_keras.service.options import ServiceOptions

# A minute takes a tenth of a second.
_SECONDS_TO_DECODE = 5.0
_HOW = (
    "Send the file itself as the body, with Content-Type: audio/wav, another audio type, or "
    "application/octet-stream"
)
_BODY = {
    "required": True,
    "description": "A recording as WAV, FLAC, Ogg, Opus, MP3 or AIFF.",
    "content": {
        kind: {"schema": {"type": "string", "format": "binary", "minLength": 1}}
        for kind in ("audio/*", "application/octet-stream")
    },
}


class Moment(BaseModel):
    """A moment, how far the gate opens for it, and what it adds to the score of the label."""

    word: str = Field(description="Where it starts, such as `0.08 s`.")
    gate: float
    contribution: float


class Prediction(BasePrediction):
    """What the model says of a recording.

    Probabilities are an object with a number for each label, by its name. A recording that is no
    sound, is silent or is too short has a flag that says so, and neither label nor confidence nor
    probabilities; of a recording that is too long for the model, the flag says that its end
    was not read.
    """

    flag: Literal["", "unreadable", "silent", "too short", "truncated"]
    words: list[Moment] | None = None


class Answer(BaseModel):
    """The prediction, in a list as those of texts are."""

    predictions: list[Prediction]


def add_recordings(
    app: FastAPI,
    predictor: Any,
    answer: Callable[[list[str], bool], Awaitable[Any]],
    options: ServiceOptions,
    seconds_to_decode: float = _SECONDS_TO_DECODE,
) -> None:
    """Adds `POST /predict`, which takes a recording as the body.

    Args:
        app: The application.
        predictor: The predictor, with what rewrites a file.
        answer: Function of paths, and whether to explain them, that gives an `Answer`.
        options: `ServiceOptions`.
        seconds_to_decode: The most time for a file.
    """
    pool = DecodingPool(
        predictor.rewrite,
        sample=predictor.samples[0],
        num_processes=predictor.num_parallel,
        seconds=seconds_to_decode,
        max_waiting=options.max_queue,
    )
    Asked = _question(predictor)

    @app.post(
        "/predict",
        response_model_exclude_unset=True,
        responses=problems(400, 408, 413, 415, 422, 500, 503),
        openapi_extra={"requestBody": _BODY},
    )
    async def predict(request: Request, asked: Annotated[Asked, Query()]) -> Answer:
        """The emotions of a recording."""
        content = await _content(request)
        # What it holds is removed whatever happens.
        with tempfile.TemporaryDirectory(prefix="emotion_keras-") as folder:
            received, plain = Path(folder, "received"), Path(folder, "plain.wav")
            received.write_bytes(content)
            try:
                seconds = await pool.decode(str(received), str(plain), options.max_seconds)
            except DecodingFailed:
                raise HTTPException(
                    422, "The recording cannot be decoded: it is damaged, or takes too long."
                ) from None
            if seconds > options.max_seconds:
                raise HTTPException(
                    413, f"The recording is longer than {options.max_seconds:g} seconds."
                )
            return await answer([str(plain)], asked.explain)


async def _content(request):
    """The file that a request holds."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not (kind.startswith("audio/") or kind == "application/octet-stream"):
        raise HTTPException(415, f"This model takes recordings. {_HOW}.")
    content = await request.body()
    if not content:
        raise HTTPException(422, f"The body is empty. {_HOW}.")
    return content


def _question(predictor):
    """The model of what stands in the address of a request, a subclass of `BaseModel`."""
    Explain = Annotated[
        bool, BeforeValidator(_as_boolean), AfterValidator(only_if_explained(predictor))
    ]
    extra = None if predictor.can_explain else {"const": False}
    return create_model(
        "Question",
        __config__=ConfigDict(extra="forbid"),
        explain=(
            Explain,
            Field(
                False,
                strict=True,
                description="Whether to explain each moment.",
                json_schema_extra=extra,
            ),
        ),
    )


def _as_boolean(value):
    """Reads what JSON calls true and false, and no more, as pydantic would."""
    return {"true": True, "false": False}.get(value, value)
