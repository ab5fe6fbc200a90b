"""What the service answers, whatever the model takes."""

from collections.abc import Callable
from typing import Any

from fastapi import HTTPException
from pydantic import BaseModel, Field
from pydantic_core import PydanticCustomError

from emotion_keras.errors import UserError


class Problem(BaseModel):
    """What was wrong with a request."""

    detail: str


class ExplainedPrediction(BaseModel):
    """What the model says of an example, with the score that its explanation adds up to."""

    label: str = Field(
        description="`unsure` where the confidence is below what is asked for. Of a model of "
        "several labels those that hold, with commas between them, or `(none)`."
    )
    labels: list[str] | None = Field(
        None, description="The labels that hold, of a model of several labels."
    )
    guess: str | None = Field(
        None, description="The label without regard to the confidence, where one is asked for."
    )
    confidence: float | None
    probabilities: dict[str, float] | None
    explained: str | None = Field(
        None, description="Of a model of several labels the one whose score is explained."
    )
    rest: float | None = Field(
        None,
        description="What special tokens, punctuation and the label's own constant add together.",
    )
    score: float | None = Field(
        None, description="The label's score: the sum of all contributions and the rest."
    )


def question_of_threshold(predictor: Any) -> dict[str, Any]:
    """The fields of a request that say when to answer, for models that can be unsure."""
    if not predictor.can_be_unsure:
        return {}
    return {
        "min_confidence": (float, _share("The confidence below which the label is `unsure`.")),
        "target_accuracy": (
            float,
            _share(
                "How often labels shall be right: others are `unsure`. The smallest confidence is "
                "taken that surely reaches it on the validation split; with `min_confidence`, the "
                "larger of both."
            ),
        ),
    }


def _share(description):
    # By a factory, because a default would stand in the schema, and be accepted as given.
    return Field(default_factory=lambda: None, ge=0, le=1, description=description)


def asked_confidence(predictor: Any, asked: Any) -> float | None:
    """The confidence from which on a request wants labels, or `None` if it does not say.

    Args:
        predictor: The predictor.
        asked: What is asked, with the fields of `question_of_threshold`.

    Raises:
        HTTPException: If the model does not reach the accuracy that is asked for.
    """
    found = [getattr(asked, "min_confidence", None)]
    accuracy = getattr(asked, "target_accuracy", None)
    if accuracy is not None:
        try:
            found.append(predictor.threshold_for(accuracy).min_confidence)
        except UserError as error:
            # What is an option of commands is a field here.
            message = str(error).replace("--min-confidence", "min_confidence")
            raise HTTPException(409, f"target_accuracy: {message}") from None
    return max((confidence for confidence in found if confidence is not None), default=None)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The documentation of answers that say what was wrong."""
    found: dict[int | str, dict[str, Any]] = {status: {"model": Problem} for status in statuses}
    if 503 in found:
        seconds = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
        found[503]["headers"] = {"Retry-After": seconds}
    return found


def only_if_explained(predictor: Any) -> Callable[[Any], Any]:
    """A validator of `explain`, which a model without a gate refuses."""

    def check(value: Any) -> Any:
        if value and not predictor.can_explain:
            raise PydanticCustomError(
                "cannot_explain", "this model has no gate that could explain its predictions"
            )
        return value

    return check
