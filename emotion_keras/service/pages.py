"""The pages for people, each with a policy that lets it run its own script and nothing else."""

import base64
import contextlib
import hashlib
import re
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
from fastapi.responses import HTMLResponse

from emotion_keras.errors import UserError
from emotion_keras.service.examples import EXAMPLES
from emotion_keras.service.options import ServiceOptions
from emotion_keras.shading.page import FOLDER, add_shading

_FOLDER = Path(__file__).parent / "page"

# How often answers shall be right, for people to choose from.
_ACCURACIES = (0.8, 0.9, 0.95)


class Choice(NamedTuple):
    """When the page names an emotion.

    Args:
        min_confidence: The confidence from which on it does.
        words: What that means, for people.
    """

    min_confidence: float
    words: str


def make_page(predictor: Any, options: ServiceOptions) -> HTMLResponse:
    """The page for people.

    Args:
        predictor: The predictor, with names for what it takes, and what is known of it and of its
            explanations.
        options: `ServiceOptions`.

    Returns:
        `fastapi.responses.HTMLResponse`.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([_FOLDER, FOLDER]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    add_shading(environment)
    name = predictor.singular if predictor.reads_files else "text"
    if len(predictor.parts) > 1:
        name = "several"
    language = options.language or predictor.about.get("language")
    page = environment.get_template(f"{name}.html").render(
        predictor=predictor,
        choices=_choices(predictor, options.min_confidence),
        language=language,
        examples=EXAMPLES.get(language or "en", ()),
    )
    # What somebody has just recorded, taken or chosen is shown from memory.
    media = "media-src blob:; " if "<audio" in page else ""
    images = "data: blob:" if "<video" in page else "data:"
    policy = (
        f"default-src 'none'; connect-src 'self'; img-src {images}; {media}"
        f"script-src {_hash(page, 'script')}; style-src {_hash(page, 'style')}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return HTMLResponse(page, headers=headers)


def _choices(predictor, min_confidence):
    """The choices of a page; none where there is but one."""
    if not predictor.can_be_unsure:
        return []
    usual = Choice(0, "always")
    if min_confidence is not None:
        usual = Choice(0, f"from a confidence of {100 * min_confidence:.3g} % on")
    found = [usual]
    for accuracy in _ACCURACIES:
        # What the model does not reach is not offered.
        with contextlib.suppress(UserError):
            threshold = predictor.threshold_for(accuracy)
            share, of_all = f"{100 * accuracy:.0f} %", f"{100 * threshold.answered:.0f} %"
            words = f"only where {share} are right: for {of_all} of the {predictor.plural}"
            found.append(Choice(threshold.min_confidence, words))
    return found if len(found) > 1 else []


def _hash(page, tag):
    content = re.search(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)[1]
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
