"""What the service answers, whatever the model takes."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, Field
from pydantic_core import PydanticCustomError


class Problem(BaseModel):
    """What was wrong with a request."""

    detail: str


class ExplainedPrediction(BaseModel):
    """What the model says of an example, with the score that its explanation adds up to."""

    label: str = Field(description="`unsure` where the confidence is below what is asked for.")
    guess: str | None = Field(
        None, description="The most probable label, where a confidence is asked for."
    )
    confidence: float | None
    probabilities: dict[str, float] | None
    rest: float | None = Field(
        None,
        description="What special tokens, punctuation and the label's own constant add together.",
    )
    score: float | None = Field(
        None, description="The label's score: the sum of all contributions and the rest."
    )


def question_of_threshold(predictor: Any) -> dict[str, Any]:
    """The field of a request that asks for a confidence, for models that can be unsure."""
    if not predictor.can_be_unsure:
        return {}
    # By a factory, because a default would stand in the schema, and be accepted as given.
    field = Field(
        default_factory=lambda: None,
        ge=0,
        le=1,
        description="The confidence below which the label is `unsure`.",
    )
    return {"min_confidence": (float, field)}


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
