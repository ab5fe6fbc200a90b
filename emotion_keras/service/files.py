"""What a model of recordings or of images is asked, and answers.

The body of a request is the file itself. No path that a client sends is ever opened.
"""

import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import FastAPI, HTTPException, Query, Request
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, create_model

from emotion_keras.service.answers import (
    ExplainedPrediction,
    only_if_explained,
    problems,
    question_of_threshold,
)
from emotion_keras.service.decoding import DecodingFailed, DecodingPool
from emotion_keras.service.options import ServiceOptions

# A minute of sound takes a tenth of a second, as the largest photograph does.
_SECONDS_TO_DECODE = 5.0


class Unit(BaseModel):
    """A moment or a patch, how far the gate opens for it, and what it adds to the label's score."""

    word: str = Field(description="Where it is, such as `0.08 s` or `row 2, column 3`.")
    gate: float
    contribution: float


class RecordingPrediction(ExplainedPrediction):
    """What the model says of a recording.

    Probabilities are an object with a number for each label, by its name. A recording that is no
    sound, is silent or is too short has a flag that says so, and neither label nor confidence nor
    probabilities; of a recording that is too long for the model, the flag says that its end
    was not read.
    """

    flag: Literal["", "unreadable", "silent", "too short", "truncated"]
    words: list[Unit] | None = None


class ImagePrediction(ExplainedPrediction):
    """What the model says of an image.

    Probabilities are an object with a number for each label, by its name. What is no image, is of
    one colour or is too small has a flag that says so, and neither label nor confidence nor
    probabilities.
    """

    flag: Literal["", "unreadable", "constant", "too small"]
    words: list[Unit] | None = None


class _Files(NamedTuple):
    """What the service has to know of a kind of files.

    Args:
        media: What their types of content begin with.
        example: One of these types.
        formats: Their formats, for people.
        units: What is explained.
        prediction: Class of what is said of one.
        limit: Option of `ServiceOptions` that says how large one may be.
        beyond: Sentence about one that is larger.
    """

    media: str
    example: str
    formats: str
    units: str
    prediction: type[ExplainedPrediction]
    limit: str
    beyond: str

    @property
    def how(self) -> str:
        """What a client has to do."""
        return (
            f"Send the file itself as the body, with Content-Type: {self.example}, another "
            f"{self.media} type, or application/octet-stream"
        )


# By what a model calls one.
KINDS = {
    "recording": _Files(
        media="audio",
        example="audio/wav",
        formats="WAV, FLAC, Ogg, Opus, MP3 or AIFF",
        units="moment",
        prediction=RecordingPrediction,
        limit="max_seconds",
        beyond="The recording is longer than {:g} seconds.",
    ),
    "image": _Files(
        media="image",
        example="image/png",
        formats="JPEG, PNG, WebP, GIF, TIFF, BMP or AVIF",
        units="patch",
        prediction=ImagePrediction,
        limit="max_pixels",
        beyond="The image has more than {:,} pixels.",
    ),
}


def limit_of(singular: str, options: ServiceOptions) -> dict[str, float]:
    """How large a file may be, by the name of the option that says so.

    Args:
        singular: What a model calls one file: `recording` or `image`.
        options: `ServiceOptions`.
    """
    limit = KINDS[singular].limit
    return {limit: getattr(options, limit)}


class Decoder:
    """Makes plain files of those that clients send.

    Args:
        part: What knows the files: it has `singular`, `samples` and `rewrite`; see `Predictor`.
        num_processes: How many files are decoded at the same time.
        options: `ServiceOptions`.
        seconds: The most time for a file.
    """

    def __init__(
        self,
        part: Any,
        num_processes: int,
        options: ServiceOptions,
        seconds: float = _SECONDS_TO_DECODE,
    ):
        self.singular = part.singular
        self.kind = KINDS[part.singular]
        (self._most,) = limit_of(part.singular, options).values()
        self._pool = DecodingPool(
            part.rewrite,
            sample=part.samples[0],
            num_processes=num_processes,
            seconds=seconds,
            max_waiting=options.max_queue,
        )

    async def decode(self, content: bytes, folder: Path) -> str:
        """Writes a file that can do no harm.

        Args:
            content: The file that was sent.
            folder: An empty folder.

        Returns:
            The path of the plain file.

        Raises:
            HTTPException: If it is damaged or too large.
        """
        received, plain = folder / "received", folder / "plain"
        received.write_bytes(content)
        try:
            size = await self._pool.decode(str(received), str(plain), self._most)
        except DecodingFailed:
            raise HTTPException(
                422,
                f"The {self.singular} cannot be decoded: it is damaged, or takes too long.",
            ) from None
        if size > self._most:
            raise HTTPException(413, self.kind.beyond.format(self._most))
        return str(plain)


def add_files(
    app: FastAPI,
    predictor: Any,
    answer: Callable[[list[str], Any], Awaitable[Any]],
    options: ServiceOptions,
    seconds_to_decode: float = _SECONDS_TO_DECODE,
) -> None:
    """Adds `POST /predict`, which takes a file as the body.

    Args:
        app: The application.
        predictor: The predictor, with what rewrites a file.
        answer: Function of paths and the question about them that gives an `Answer`.
        options: `ServiceOptions`.
        seconds_to_decode: The most time for a file.
    """
    decoder = Decoder(predictor, predictor.num_parallel, options, seconds_to_decode)
    kind = decoder.kind
    Asked: Any = question_in_address(predictor, kind.units)
    # A class that mypy cannot know.
    of_kind: Any = kind.prediction
    Answer = create_model(
        "Answer",
        __doc__="The prediction, in a list as those of texts are.",
        predictions=(list[of_kind], ...),
    )
    body = {
        "required": True,
        "description": f"The {predictor.singular} as {kind.formats}.",
        "content": {
            content_type: {"schema": {"type": "string", "format": "binary", "minLength": 1}}
            for content_type in (f"{kind.media}/*", "application/octet-stream")
        },
    }

    @app.post(
        "/predict",
        response_model=Answer,
        response_model_exclude_unset=True,
        responses=problems(400, 408, 409, 413, 415, 422, 500, 503),
        openapi_extra={"requestBody": body},
    )
    async def predict(request: Request, asked: Annotated[Asked, Query()]) -> Any:
        """The emotions of a file."""
        content = await _content(request, predictor.plural, kind)
        # What it holds is removed whatever happens.
        with tempfile.TemporaryDirectory(prefix="emotion_keras-") as folder:
            return await answer([await decoder.decode(content, Path(folder))], asked)


async def _content(request, plural, kind):
    """The file that a request holds."""
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not (found.startswith(f"{kind.media}/") or found == "application/octet-stream"):
        raise HTTPException(415, f"This model takes {plural}. {kind.how}.")
    content = await request.body()
    if not content:
        raise HTTPException(422, f"The body is empty. {kind.how}.")
    return content


def question_in_address(predictor: Any, unit: str) -> type[BaseModel]:
    """The model of what stands in the address of a request.

    Args:
        predictor: The predictor.
        unit: What is explained, in the singular.
    """
    Explain = Annotated[
        bool, BeforeValidator(_as_boolean), AfterValidator(only_if_explained(predictor))
    ]
    extra: Any = None if predictor.can_explain else {"const": False}
    return create_model(
        "Question",
        __config__=ConfigDict(extra="forbid"),
        explain=(
            Explain,
            Field(
                False,
                strict=True,
                description=f"Whether to explain each {unit}.",
                json_schema_extra=extra,
            ),
        ),
        **question_of_threshold(predictor),
    )


def _as_boolean(value):
    """Reads what JSON calls true and false, and no more, as pydantic would."""
    return {"true": True, "false": False}.get(value, value)
