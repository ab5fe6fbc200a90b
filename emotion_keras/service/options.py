"""What the service accepts of its clients."""

import re
from dataclasses import dataclass

from emotion_keras.errors import UserError
from emotion_keras.record.options import COUNT, POSITIVE, SHARE, Options, option


@dataclass(frozen=True, kw_only=True)
class ServiceOptions(Options):
    """What the service accepts of its clients, and how sure it is of what it answers."""

    min_confidence: float | None = option(
        None,
        "The confidence from which on a label is given, unless a request says another; below it "
        "the label is `unsure`, and `guess` is the most probable one.",
        SHARE,
    )
    language: str | None = option(
        None,
        "The language of the texts by its code, such as en or de, whose abbreviations end no "
        "sentence; unless given, that of the corpus, where it is known.",
    )
    max_body: int | None = option(
        None,
        "The most bytes of a request's body; by default 1 MiB, and 10 MiB for a recording or an "
        "image.",
        COUNT,
    )
    max_seconds: float = option(60.0, "The most seconds of a recording.", POSITIVE)
    max_pixels: int = option(25_000_000, "The most pixels of an image.", COUNT)
    max_texts: int = option(128, "The most texts of a request.", COUNT)
    max_length: int = option(10_000, "The most characters of a text.", COUNT)
    max_batch: int = option(32, "The most texts or files that are predicted together.", COUNT)
    max_queue: int = option(
        256,
        "The most texts or files that wait; what comes beyond is refused with status 503.",
        COUNT,
    )
    client_seconds: float = option(
        10.0,
        "Time that a client has for the headers of a request, for its body, and to take the "
        "answer.",
        POSITIVE,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.language is not None and not re.fullmatch("[a-z]{2,3}", self.language):
            raise UserError(
                "language is a code of two or three small letters, such as en or de. "
                f"Received: language={self.language!r}"
            )
