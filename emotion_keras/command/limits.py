"""What numbers the options of a run, and of the service, accept."""

from typing import NamedTuple

from emotion_keras.errors import UserError


class Limit(NamedTuple):
    """The numbers that an option accepts.

    Args:
        words: String, them in words, for the message.
        accepts: Function of a number that says whether it is accepted.
    """

    words: str
    accepts: object


COUNT = Limit("1 or more", lambda value: value >= 1)
COUNT_OR_NONE = Limit("0 or more", lambda value: value >= 0)
POSITIVE = Limit("above 0", lambda value: 0 < value < float("inf"))
NOT_NEGATIVE = Limit("0 or above", lambda value: 0 <= value < float("inf"))
SHARE = Limit("a share from 0 to 1", lambda value: 0 <= value <= 1)
PART = Limit("a share from 0 to below 1", lambda value: 0 <= value < 1)

LIMITS = {
    # Keras, NumPy and scikit-learn take seeds of 32 bits.
    "seed": Limit("0 to 4294967295", lambda value: 0 <= value < 2**32),
    # A text is at least the marks of its start and end, and a token.
    "sequence_length": Limit("3 or more", lambda value: value >= 3),
    # Four tokens stand for no piece of a word.
    "vocabulary_size": Limit("5 or more", lambda value: value >= 5),
    "embedding_dim": COUNT,
    "token_dropout": PART,
    "encoder_dropout": PART,
    "num_layers": COUNT_OR_NONE,
    "num_heads": COUNT,
    "intermediate_dim": COUNT,
    "num_filters": COUNT,
    "filter_widths": COUNT,
    "units": COUNT,
    "dropout": PART,
    "C": POSITIVE,
    "batch_size": COUNT,
    "epochs": COUNT,
    "learning_rate": POSITIVE,
    "warmup": SHARE,
    "weight_decay": NOT_NEGATIVE,
    "clip_norm": NOT_NEGATIVE,
    "label_smoothing": PART,
    "patience": COUNT_OR_NONE,
    "port": Limit("0 to 65535", lambda value: 0 <= value < 2**16),
    "max_body": COUNT,
    "max_texts": COUNT,
    "max_length": COUNT,
    "max_batch": COUNT,
    "max_queue": COUNT,
    "client_seconds": POSITIVE,
}


def check_limits(options):
    """Makes sure that options are numbers that make sense.

    Args:
        options: Dictionary of values by option; options without a limit are not looked at.

    Raises:
        UserError: If a number is out of its option's limits.
    """
    for name, limit in LIMITS.items():
        if name not in options:
            continue
        value = options[name]
        values = value if isinstance(value, list | tuple) else [value]
        if not values or not all(limit.accepts(number) for number in values):
            raise UserError(f"{name} is {limit.words}. Received: {name}={value}")
