"""The pages for people, each with a policy that lets it run its own script and nothing else."""

import base64
import hashlib
import re
from pathlib import Path
from typing import Any

import jinja2
from fastapi.responses import HTMLResponse

from emotion_keras.shading.page import FOLDER, add_shading

_FOLDER = Path(__file__).parent / "page"


def make_page(predictor: Any) -> HTMLResponse:
    """The page for people.

    Args:
        predictor: The predictor, with names for what it takes, and what is known of its
            explanations.

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
    page = environment.get_template(f"{name}.html").render(predictor=predictor)
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


def _hash(page, tag):
    content = re.search(f"<{tag}>(.*?)</{tag}>", page, re.DOTALL)[1]
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
