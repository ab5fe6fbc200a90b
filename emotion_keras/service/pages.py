"""The pages for people, each with a policy that lets it run its own script and nothing else."""

import base64
import hashlib
import re
from pathlib import Path

from fastapi.responses import HTMLResponse

_FOLDER = Path(__file__).parent / "page"


def make_page(name: str) -> HTMLResponse:
    """The page for people.

    Args:
        name: `text`, `recording` or `image`.

    Returns:
        `fastapi.responses.HTMLResponse`.
    """
    page = (_FOLDER / f"{name}.html").read_text(encoding="utf-8")
    for part in ("shared.css", "shared.js"):
        shared = (_FOLDER / part).read_text(encoding="utf-8").rstrip("\n")
        page = page.replace(f"/* {part} */", shared)
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
