"""What a model of texts is asked, and answers."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field, create_model, field_validator, model_validator
from pydantic_core import PydanticCustomError

from emotion_keras.service.answers import (
    ExplainedPrediction,
    only_if_explained,
    problems,
    question_of_threshold,
)
from emotion_keras.service.options import ServiceOptions
from emotion_keras.service.sentences import split_sentences


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


class Sentence(Prediction):
    """What the model says of a sentence alone."""

    sentence: str


class TextPrediction(Prediction):
    """What the model says of a text, and if it is asked for, of each of its sentences."""

    sentences: list[Sentence] | None = None


class Answer(BaseModel):
    """The predictions, in the order of the texts."""

    predictions: list[TextPrediction]


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
        responses=problems(400, 408, 409, 413, 415, 422, 500, 503),
    )
    async def predict(asked: Asked) -> Answer:
        """The emotions of one text, or of several, and of their sentences."""
        texts = getattr(asked, predictor.plural) or [getattr(asked, predictor.singular)]
        if getattr(asked, "by", None) is None:
            return await answer(texts, asked)
        language = options.language or predictor.about.get("language")
        sentences = [split_sentences(text, language) for text in texts]
        # What comes twice, such as a text of one sentence, is asked once.
        different = list(dict.fromkeys(itertools.chain(texts, *sentences)))
        if len(different) > options.max_texts:
            raise HTTPException(
                413,
                f"At most {options.max_texts:,} {predictor.plural} and sentences together; these "
                f"are {len(different):,}.",
            )
        found = (await answer(different, asked))["predictions"]
        by_text = dict(zip(different, found, strict=True))
        return {
            "predictions": [
                by_text[text]
                | {"sentences": [{"sentence": one, **by_text[one]} for one in of_text]}
                for text, of_text in zip(texts, sentences, strict=True)
            ]
        }


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

    by: dict[str, Any] = {}
    if predictor.layout == "words":
        # By a factory as below.
        description = "`sentence` gives each prediction those of its `sentences`, too."
        by["by"] = (
            Literal["sentence"],
            Field(default_factory=lambda: None, description=description),
        )
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
            **by,
            **question_of_threshold(predictor),
        },
    )
