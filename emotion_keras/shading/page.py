"""Explanations on pages: what makes the templates beside this file ready for use."""

from pathlib import Path

import jinja2

from emotion_keras import shading

# Of `explained.html`, which holds macros, `shading.css` and `shading.js`.
FOLDER = Path(__file__).parent


def add_shading(environment: jinja2.Environment) -> None:
    """Adds what the templates need to an environment that finds them in `FOLDER`."""
    environment.filters |= {"signed": shading.signed, "step": shading.step_of}
    environment.globals["shading"] = shading
