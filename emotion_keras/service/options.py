"""What the service accepts of its clients."""

from dataclasses import dataclass

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
