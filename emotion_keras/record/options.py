"""Options: what a command, a file, a call in Python or a record may say. Standard library only.

The options of a stage are the fields of one frozen dataclass, and a field has its type, default,
limit and help there and nowhere else. Whoever makes such an object gets its values read and
checked, whether they come from a command line, a file or Python.
"""

import csv
import dataclasses
import io
import numbers
import os
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Self

from emotion_keras.errors import UserError

_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


class Limit(NamedTuple):
    """The numbers that an option accepts.

    Args:
        words: String, them in words, for the message.
        accepts: Function of a number that says whether it is accepted.
    """

    words: str
    accepts: Callable[[float], bool]


COUNT = Limit("1 or more", lambda value: value >= 1)
COUNT_OR_NONE = Limit("0 or more", lambda value: value >= 0)
POSITIVE = Limit("above 0", lambda value: 0 < value < float("inf"))
NOT_NEGATIVE = Limit("0 or above", lambda value: 0 <= value < float("inf"))
SHARE = Limit("a share from 0 to 1", lambda value: 0 <= value <= 1)
PART = Limit("a share from 0 to below 1", lambda value: 0 <= value < 1)
# Keras, NumPy and scikit-learn take seeds of 32 bits.
SEED = Limit("0 to 4294967295", lambda value: 0 <= value < 2**32)


def option(
    default: Any,
    help: str,
    limit: Limit | None = None,
    *,
    is_basic: bool = False,
    is_hidden: bool = False,
) -> Any:
    """A field of a class of options.

    Args:
        default: Its default, a value of its type.
        help: Sentences that say what it is about.
        limit: `Limit` of a number, or of each number of a list.
        is_basic: Whether the help of a command with many options shows it at first sight.
        is_hidden: Whether no command line and no file of options has it.

    Returns:
        `dataclasses.Field`.
    """
    metadata = {"help": help, "limit": limit, "is_basic": is_basic, "is_hidden": is_hidden}
    return dataclasses.field(default=default, metadata=metadata)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """The base of classes of options, each a dataclass whose fields are made by `option`.

    Raises:
        UserError: If a value is of a wrong type, or out of its limit.

    Example:

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Bake(Options):
    ...     minutes: int = option(50, "How long.", COUNT)
    >>> Bake(minutes="70").minutes
    70
    """

    def __post_init__(self):
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, read_field(field, getattr(self, field.name)))

    @classmethod
    def names(cls) -> list[str]:
        """The names of the options, in their order."""
        return [field.name for field in dataclasses.fields(cls)]

    @classmethod
    def pick(cls, values: Mapping[str, Any]) -> Self:
        """Makes the options of what a dictionary says of them; the rest of it is left out."""
        return cls(**{name: values[name] for name in cls.names() if name in values})

    def to_dict(self) -> dict[str, Any]:
        """The values by option, in their order."""
        return {name: getattr(self, name) for name in self.names()}


def option_names(classes: Iterable[type[Options]]) -> set[str]:
    """The names of the options of several classes."""
    return {name for one in classes for name in one.names()}


def without(given: Mapping[str, Any], *classes: type[Options]) -> dict[str, Any]:
    """The values by option of a dictionary, without those of some classes."""
    known = option_names(classes)
    return {name: value for name, value in given.items() if name not in known}


def as_words(values: Mapping[str, Any]) -> list[str]:
    """The words of a command line that say these values by option.

    Example:

    >>> as_words({"learning_rate": 0.001, "clean": False, "filter_widths": (3, 4)})
    ['--learning-rate=0.001', '--clean=false', '--filter-widths=[3, 4]']
    """
    return [f"--{name.replace('_', '-')}={_as_text(value)}" for name, value in values.items()]


def _as_text(value):
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(list(value)) if isinstance(value, tuple) else str(value)


def read_field(field: dataclasses.Field, value: Any) -> Any:
    """Reads the value of a field that `option` has made, and checks its limit; see `read_option`.

    Raises:
        UserError: If the value is of a wrong type, or out of its limit.
    """
    value, limit = read_option(field.name, field.type, value), field.metadata["limit"]
    if limit is not None and value is not None:
        given = value if isinstance(value, tuple) else (value,)
        if not given or not all(limit.accepts(number) for number in given):
            raise UserError(f"{field.name} is {limit.words}. Received: {field.name}={value}")
    return value


def read_option(name: str, annotation: Any, value: Any) -> Any:
    """Reads the value of an option.

    Args:
        name: The option.
        annotation: Its type: `str`, `int`, `float`, `bool`, `Literal`, `list` or `tuple` of one of
            these, `None`, or a union of such.
        value: A string as it is typed, or the value itself. A string for an option that is a text
            is that text; for any other it is a number, `true`, `false`, `null`, or a list in
            brackets.

    Returns:
        The value in the type.

    Raises:
        UserError: If the value is of a wrong type, or a string that is no text.

    Example:

    >>> read_option("epochs", int, "3"), read_option("labels", str | None, "null")
    (3, 'null')
    """
    if isinstance(value, str) and _is_no_text(value):
        raise UserError(
            f"{name} holds a NUL or half a character, as no text and no path does. "
            f"Received: {name}={value!r}"
        )
    try:
        return _read(annotation, value)
    except (ValueError, OverflowError):
        raise UserError(f"{name} is {in_words(annotation)}. Received: {name}={value}") from None


def _is_no_text(value):
    try:
        os.fsencode(value)  # Bytes of a path that are no character have a form of their own.
    except UnicodeEncodeError:
        return True
    return "\0" in value


def _read(annotation, value):
    kinds = typing.get_args(annotation)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return _read_one_of(kinds, value)
    if typing.get_origin(annotation) is typing.Literal:
        return _only_if(isinstance(value, str) and value in kinds, value)
    if typing.get_origin(annotation) in (list, tuple):
        values = _in_brackets(value) if isinstance(value, str) else value
        _only_if(isinstance(values, list | tuple), values)
        return typing.get_origin(annotation)(_read(kinds[0], one) for one in values)
    if typing.get_origin(annotation) is dict:
        return _only_if(isinstance(value, Mapping), value)
    if annotation is types.NoneType:
        return _only_if(value is None or value in ("null", "~"), None)
    if annotation is str:
        return os.fspath(_only_if(isinstance(value, str | os.PathLike), value))
    if annotation is bool:
        read = _BOOLEANS.get(value.lower()) if isinstance(value, str) else value
        return _only_if(isinstance(read, bool), read)
    # Python's own rules for numbers: `010` is ten, and no octal number as YAML has it.
    if isinstance(value, str):
        return annotation(value)
    kind = numbers.Integral if annotation is int else numbers.Real
    return annotation(_only_if(isinstance(value, kind) and not isinstance(value, bool), value))


def _read_one_of(kinds, value):
    # A text first: it is what was typed. Only a value that is no string is something else.
    for kind in sorted(kinds, key=lambda kind: kind is not str):
        try:
            return _read(kind, value)
        except (ValueError, OverflowError):
            continue
    raise ValueError


def _in_brackets(text):
    """The texts of a list such as `[3, 4, 5]`."""
    text = text.strip()
    _only_if(text.startswith("[") and text.endswith("]"), text)
    inner = text[1:-1].strip()
    return inner.split(",") if inner else []


def _only_if(is_right, value):
    if not is_right:
        raise ValueError
    return value


def placeholder(annotation: Any) -> str:
    """What stands for the value of an option in the help of a command."""
    kinds = [kind for kind in typing.get_args(annotation) if kind is not types.NoneType]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return placeholder(kinds[0])
    if typing.get_origin(annotation) is typing.Literal:
        return "NAME"
    names = {int: "N", float: "X", bool: "true|false", str: "TEXT"}
    return names.get(annotation, "[...]")


def in_words(annotation: Any) -> str:
    """What an option's type accepts, for people."""
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
    if annotation in names:
        return names[annotation]
    inner = [part for part in typing.get_args(annotation) if part not in (type(None), ...)]
    if typing.get_origin(annotation) is typing.Literal:
        return f"one of {', '.join(inner)}"
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return " or ".join(map(in_words, inner))
    return f"a list in brackets, each of it {' or '.join(map(in_words, inner))}"


def split_names(option: str, text: str) -> list[str]:
    """The names in a list with commas; one that holds a comma stands in double quotes.

    Args:
        option: The option, for the message.
        text: String such as `joy,"fear, or dread",shame`.

    Returns:
        List of strings.

    Raises:
        UserError: If quotes are not closed.
    """
    try:
        rows = list(csv.reader([text], skipinitialspace=True, strict=True))
    except csv.Error as error:
        raise UserError(
            f"{option} are names with commas between them; one that holds a comma or begins with "
            f"a quote stands in double quotes, and a quote within it is doubled: {error}. "
            f"Received: {option}={text!r}"
        ) from None
    return [name.strip() for row in rows for name in row]


def join_names(names: Iterable[str]) -> str:
    """The list with commas that `split_names` reads as these names."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(names)
    return line.getvalue()
