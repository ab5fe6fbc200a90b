"""What a model of texts is asked, and answers."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field, create_model, field_validator, model_validator
from pydantic_core import PydanticCustomError

from emotion_keras.service.answers import (
    ExplainedPrediction,
    only_if_explained,
    problems,
    question_of_threshold,
)
from emotion_keras.service.options import ServiceOptions


class Word(BaseModel):
    """A word, how far the gate opens for it, and what it adds to the score of the label.

    A punctuation mark adds its part to the rest.
    """

    word: str
    gate: float
    contribution: float | None


class Prediction(ExplainedPrediction):
    """What the model says of a text.

    Probabilities are an object with a number for each label, by its name. A text in
    which the model finds no word that it knows has the flag `empty`, and neither label nor
    confidence nor probabilities; of a text that is too long for the model,
    the flag says that its end was not read; of one that is unlike the texts that the model has
    learned from, that it is unfamiliar.
    """

    flag: Literal["", "empty", "truncated", "unfamiliar", "truncated, unfamiliar"]
    words: list[Word] | None = None


class Answer(BaseModel):
    """The predictions, in the order of the texts."""

    predictions: list[Prediction]


def add_texts(
    app: FastAPI,
    predictor: Any,
    answer: Callable[[list[str], Any], Awaitable[Any]],
    options: ServiceOptions,
) -> None:
    """Adds `POST /predict`, which takes texts as JSON.

    Args:
        app: The application.
        predictor: The predictor, whose names for one example and for several are those of fields.
        answer: Function of texts and the question about them that gives an `Answer`.
        options: `ServiceOptions`.
    """
    Asked = _question(predictor, options.max_texts, options.max_length)

    @app.post(
        "/predict",
        response_model_exclude_unset=True,
        responses=problems(400, 408, 413, 415, 422, 500, 503),
    )
    async def predict(asked: Asked) -> Answer:
        """The emotions of one text, or of several."""
        texts = getattr(asked, predictor.plural) or [getattr(asked, predictor.singular)]
        return await answer(texts, asked)


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

    def check_one_of(question):
        if len(question.model_fields_set & {one, several}) != 1:
            raise PydanticCustomError("one_of", f"Give either {one} or {several}")
        return question

    def check_readable(question):
        texts = getattr(question, several) or [getattr(question, one)]
        if reason := predictor.why_unreadable(texts):
            raise PydanticCustomError("unreadable", "{reason}", {"reason": reason})
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
            "check_explain": field_validator("explain")(only_if_explained(predictor)),
            "check_one_of": model_validator(mode="after")(check_one_of),
            "check_readable": model_validator(mode="after")(check_readable),
        },
        **{
            one: (Text, Field(default_factory=str)),
            several: (list[Text], several_texts),
            "explain": (bool, explain),
            **question_of_threshold(predictor),
        },
    )
