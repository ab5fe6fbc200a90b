"""The HTTP application: a predictor in, FastAPI's application out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel

from emotion_keras import __version__
from emotion_keras.service.answers import asked_confidence
from emotion_keras.service.batching import Batcher, Predict, QueueFull
from emotion_keras.service.files import add_files, limit_of
from emotion_keras.service.guard import LimitBody
from emotion_keras.service.messages import in_words
from emotion_keras.service.metrics import CountRequests, Metrics
from emotion_keras.service.options import ServiceOptions
from emotion_keras.service.pages import make_page
from emotion_keras.service.several import add_several
from emotion_keras.service.texts import add_texts

# The most bytes of a body: of texts, and of a file.
_MAX_BODY, _MAX_FILE = 2**20, 10 * 2**20

# The status of an error that pydantic finds, by its type; of all others 422.
_STATUS = {"json_invalid": 400, "too_long": 413, "string_too_long": 413}


class Health(BaseModel):
    """That the service answers, and with which model."""

    status: Literal["ok"]
    model: str
    modality: str
    labels: list[str]
    can_explain: bool
    sequence_length: int | None
    max_body: int
    min_confidence: float | None = None
    max_seconds: float | None = None
    max_pixels: int | None = None


class Predictor(Predict, Protocol):
    """What the service knows of a predictor: what it answers, and what its health says."""

    name: str

    @property
    def about(self) -> Mapping[str, Any]:
        """What it is: sentences of its `summary` and its `limits`, and the code of a `language`."""

    @property
    def singular(self) -> str:
        """What one example is called."""

    @property
    def plural(self) -> str:
        """What several examples are called."""

    @property
    def unit_plural(self) -> str:
        """What the units are called that an explanation is about."""

    @property
    def layout(self) -> str | dict[str, str]:
        """How these units lie, one of `shading.LAYOUTS`; of several modalities one each."""

    @property
    def faithfulness(self) -> dict[str, str]:
        """Whether predictions rest on what a view of an explanation points at, a sentence each."""

    @property
    def reads_files(self) -> bool:
        """Whether an example is the path of a file."""

    @property
    def samples(self) -> list[Any]:
        """A few examples, to try it with."""

    @property
    def parts(self) -> Sequence[Any]:
        """What it knows of each of its modalities: `name`, `singular`, `reads_files` and so on."""

    @property
    def rewrite(self) -> Callable[[str, str, float], float]:
        """The function that makes a plain file of an untrusted one; see `DecodingPool`."""

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

    @property
    def can_be_unsure(self) -> bool:
        """Whether no label is called as unsure answers are."""

    def mark_unsure(
        self, answers: Sequence[Mapping[str, Any]], min_confidence: float
    ) -> list[dict[str, Any]]:
        """Answers that say where the confidence is below a threshold."""

    def threshold_for(self, target_accuracy: float) -> Any:
        """The threshold that surely reaches an accuracy: see `Threshold`."""

    def why_unreadable(self, texts: list[str]) -> str:
        """Why it cannot read what stands for no text; empty where it can."""


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
    num_files = sum(part.reads_files for part in predictor.parts)
    max_body = options.max_body or num_files * _MAX_FILE or _MAX_BODY
    batcher = Batcher(
        predictor,
        max_batch=options.max_batch,
        max_queue=options.max_queue,
        num_threads=predictor.num_parallel,
        on_batch=lambda num_examples: metrics.batches.observe(num_examples),
    )
    metrics = Metrics(queue_length=lambda: len(batcher), plural=predictor.plural)
    # Their documentation pages load scripts from elsewhere.
    app = FastAPI(title="emotion_keras", version=__version__, docs_url=None, redoc_url=None)

    async def answer(examples, asked):
        least = asked_confidence(predictor, asked)
        least = options.min_confidence if least is None else least
        metrics.examples.inc(len(examples))
        predictions = await batcher.predict(examples, asked.explain)
        if least is not None:
            predictions = predictor.mark_unsure(predictions, least)
        return {"predictions": predictions}

    if len(predictor.parts) > 1:
        add_several(app, predictor, answer, options)
    elif predictor.reads_files:
        add_files(app, predictor, answer, options)
    else:
        add_texts(app, predictor, answer, options)

    @app.get("/health", response_model_exclude_unset=True)
    async def health() -> Health:
        """Whether the service answers, with which model, and what it takes."""
        limits: dict[str, Any] = {}
        for part in predictor.parts:
            if part.reads_files:
                limits |= limit_of(part.singular, options)
        if options.min_confidence is not None:
            limits["min_confidence"] = options.min_confidence
        return {
            "status": "ok",
            "model": predictor.name,
            "modality": " and ".join(part.singular for part in predictor.parts),
            "labels": predictor.labels,
            "can_explain": predictor.can_explain,
            "sequence_length": predictor.sequence_length,
            "max_body": max_body,
            **limits,
        }

    @app.get("/metrics", response_class=PlainTextResponse)
    async def show_metrics():
        """What the service counts, for Prometheus."""
        return PlainTextResponse(metrics.as_text(), media_type="text/plain; version=0.0.4")

    page = make_page(predictor, options)

    @app.get("/", include_in_schema=False)
    async def show_page():
        return page

    app.add_exception_handler(RequestValidationError, _tell_invalid)
    app.add_exception_handler(QueueFull, _tell_full(predictor.plural))
    app.add_exception_handler(Exception, _tell_failure)
    paths = {route.path for route in app.routes}
    app.add_middleware(LimitBody, max_body=max_body, seconds=options.client_seconds)
    app.add_middleware(CountRequests, metrics=metrics, paths=paths)
    return app


async def _tell_invalid(request: Request, error):
    first = error.errors()[0]
    kind, where = first["type"], ".".join(map(str, first["loc"][1:]))
    # What is not sent as JSON comes here as bytes.
    if isinstance(first.get("input"), bytes):
        message = "This model takes texts. Send JSON, with Content-Type: application/json"
        return JSONResponse({"detail": message}, 415)
    if kind == "json_invalid":
        message = f"The body is not JSON: {first['ctx']['error']} at character {where}"
    elif where:
        message = f"{where}: {in_words(first)}"
    else:
        message = in_words(first)
    return JSONResponse({"detail": f"{message.removesuffix('.')}."}, _STATUS.get(kind, 422))


def _tell_full(plural):
    async def tell(request: Request, error):
        message = f"Too many {plural} are waiting; try again soon."
        return JSONResponse({"detail": message}, 503, {"Retry-After": "1"})

    return tell


async def _tell_failure(request: Request, error):
    # Uvicorn logs the error itself.
    return JSONResponse({"detail": "The model failed; the service's log says how."}, 500)
