"""The HTTP application: a predictor in, FastAPI's application out."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from emotion_keras import __version__
from emotion_keras.service.batching import Batcher, Predict, QueueFull
from emotion_keras.service.guard import LimitBody
from emotion_keras.service.metrics import CountRequests, Metrics
from emotion_keras.service.options import ServiceOptions

_PAGE = Path(__file__).with_name("page.html")

# The status of an error that pydantic finds, by its type; of all others 422.
_STATUS = {"json_invalid": 400, "too_long": 413, "string_too_long": 413}
# Where what pydantic says is not plain.
_MESSAGES = {
    "missing": "The body is missing",
    "string_pattern_mismatch": "A text has no NUL character",
    "string_unicode": "A text is made of whole characters, not of halves (surrogates)",
}


class Problem(BaseModel):
    """What was wrong with a request."""

    detail: str


class Word(BaseModel):
    """A word, how far the gate opens for it, and what it adds to the score of the label."""

    word: str
    gate: float
    contribution: float


class Prediction(BaseModel):
    """What the model says of a text.

    Probabilities are an object with a number for each label, by its name. A text in
    which the model finds no word that it knows has the flag `empty`, and neither label nor
    confidence nor probabilities; of a text that is too long for the model,
    the flag says that its end was not read.
    """

    label: str
    confidence: float | None
    probabilities: dict[str, float] | None
    flag: Literal["", "empty", "truncated"]
    words: list[Word] | None = None


class Answer(BaseModel):
    """The predictions, in the order of the texts."""

    predictions: list[Prediction]


class Health(BaseModel):
    """That the service answers, and with which model."""

    status: Literal["ok"]
    model: str
    modality: str
    labels: list[str]
    can_explain: bool
    sequence_length: int | None


class Predictor(Predict, Protocol):
    """What the service knows of a predictor: what it answers, and what its health says."""

    name: str

    @property
    def singular(self) -> str:
        """What one example is called."""

    @property
    def plural(self) -> str:
        """What several examples are called."""

    @property
    def labels(self) -> list[str]:
        """Names of the labels by class id."""

    @property
    def sequence_length(self) -> int | None:
        """Longest example in tokens; `None` where there is no limit."""

    @property
    def num_parallel(self) -> int:
        """How many threads may ask at the same time."""

    @property
    def can_explain(self) -> bool:
        """Whether it says what each word does."""


def make_app(predictor: Predictor, options: ServiceOptions | None = None, **given: Any) -> FastAPI:
    """Makes the application.

    Args:
        predictor: What `emotion_keras.inference.predictor.Predictor.load` returns, or the like.
        options: `ServiceOptions`.
        **given: Its fields, in place of the object.

    Returns:
        `fastapi.FastAPI`.

    Example:

    >>> from emotion_keras import Predictor
    >>> app = make_app(Predictor.load("runs/fit/RUN"))
    >>> from fastapi.testclient import TestClient
    >>> TestClient(app).get("/health").json()["model"]
    'tfidf_logistic'
    """
    options = options or ServiceOptions(**given)
    batcher = Batcher(
        predictor,
        max_batch=options.max_batch,
        max_queue=options.max_queue,
        num_threads=predictor.num_parallel,
        on_batch=lambda num_texts: metrics.batches.observe(num_texts),
    )
    metrics = Metrics(queue_length=lambda: len(batcher))
    Asked = _question(predictor, options.max_texts, options.max_length)
    # Their documentation pages load scripts from elsewhere.
    app = FastAPI(title="emotion_keras", version=__version__, docs_url=None, redoc_url=None)

    @app.post(
        "/predict",
        response_model_exclude_unset=True,
        responses=_problems(400, 408, 413, 415, 422, 500, 503),
    )
    async def predict(asked: Asked) -> Answer:
        """The emotions of one text, or of several."""
        texts = getattr(asked, predictor.plural) or [getattr(asked, predictor.singular)]
        metrics.texts.inc(len(texts))
        try:
            return {"predictions": await batcher.predict(texts, asked.explain)}
        except QueueFull:
            raise HTTPException(
                503, "Too many texts are waiting; try again soon.", {"Retry-After": "1"}
            ) from None

    @app.get("/health")
    async def health() -> Health:
        """Whether the service answers, and with which model."""
        return {
            "status": "ok",
            "model": predictor.name,
            "modality": predictor.singular,
            "labels": predictor.labels,
            "can_explain": predictor.can_explain,
            "sequence_length": predictor.sequence_length,
        }

    @app.get("/metrics", response_class=PlainTextResponse)
    async def show_metrics():
        """What the service counts, for Prometheus."""
        return PlainTextResponse(metrics.as_text(), media_type="text/plain; version=0.0.4")

    page = _page()

    @app.get("/", include_in_schema=False)
    async def show_page():
        return page

    app.add_exception_handler(RequestValidationError, _tell_invalid)
    app.add_exception_handler(Exception, _tell_failure)
    paths = {route.path for route in app.routes}
    app.add_middleware(LimitBody, max_body=options.max_body, seconds=options.client_seconds)
    app.add_middleware(CountRequests, metrics=metrics, paths=paths)
    return app


def _question(predictor, max_texts, max_length):
    """The model of what a request asks, within limits.

    Args:
        predictor: The predictor, whose names for one example and for several are those of fields.
        max_texts: See `ServiceOptions`.
        max_length: See `ServiceOptions`.

    Returns:
        Subclass of `pydantic.BaseModel`.
    """
    # Text files and databases have no NUL character, and tokenizers drop it.
    Text = Annotated[str, Field(max_length=max_length, pattern=r"^[^\u0000]*$")]
    one, several = predictor.singular, predictor.plural

    def check_explain(value):
        if value and not predictor.can_explain:
            raise PydanticCustomError(
                "cannot_explain", "this model has no gate that could explain its predictions"
            )
        return value

    def check_one_of(question):
        if len(question.model_fields_set & {one, several}) != 1:
            raise PydanticCustomError("one_of", f"Give either {one} or {several}")
        return question

    explain = Field(False, json_schema_extra=None if predictor.can_explain else {"const": False})
    # By a factory, because a default would stand in the schema, and be accepted as given.
    several_texts = Field(default_factory=list, min_length=1, max_length=max_texts)
    return create_model(
        "Question",
        __doc__=f"One {one} or several, and whether to explain each word.",
        __config__=ConfigDict(
            strict=True,
            extra="forbid",
            json_schema_extra={"oneOf": [{"required": [one]}, {"required": [several]}]},
        ),
        __validators__={
            "check_explain": field_validator("explain")(check_explain),
            "check_one_of": model_validator(mode="after")(check_one_of),
        },
        **{
            one: (Text, Field(default_factory=str)),
            several: (list[Text], several_texts),
            "explain": (bool, explain),
        },
    )


def _problems(*statuses):
    """The documentation of answers that say what was wrong."""
    problems = {status: {"model": Problem} for status in statuses}
    seconds = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
    problems[503]["headers"] = {"Retry-After": seconds}
    return problems


async def _tell_invalid(request: Request, error):
    first = error.errors()[0]
    kind, where = first["type"], ".".join(map(str, first["loc"][1:]))
    # What is not sent as JSON comes here as bytes.
    if isinstance(first.get("input"), bytes):
        message = "The body is JSON, and is sent with Content-Type: application/json"
        return JSONResponse({"detail": message}, 415)
    if kind == "json_invalid":
        message = f"The body is not JSON: {first['ctx']['error']} at character {where}"
    elif where:
        message = f"{where}: {_MESSAGES.get(kind, first['msg'])}"
    else:
        message = _MESSAGES.get(kind, first["msg"])
    return JSONResponse({"detail": message}, _STATUS.get(kind, 422))


async def _tell_failure(request: Request, error):
    # Uvicorn logs the error itself.
    return JSONResponse({"detail": "The model failed; the service's log says how."}, 500)


def _page():
    """The page, and the policy that lets it run its own script and style and nothing else."""
    page = _PAGE.read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; connect-src 'self'; img-src data:; "
        f"script-src {_hash(page, 'script')}; style-src {_hash(page, 'style')}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return HTMLResponse(page, headers=headers)


def _hash(page, tag):
    content = re.search(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)[1]
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
