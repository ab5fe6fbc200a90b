"""Command-line options from the signatures of the functions that take them.

What stands on a command line, in a file of options or in a Python call is read by one function,
`read_option`, so that it means the same in all three: an option that is a text is the text as it
was typed, whatever YAML would make of it.
"""

import argparse
import csv
import inspect
import json
import numbers
import os
import re
import types
import typing
from pathlib import Path

import docstring_parser
import jsonargparse
import yaml

from emotion_keras.errors import UserError

_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def option_defaults(function):
    """The options of a function: its annotated arguments that have a default.

    Args:
        function: A function or class.

    Returns:
        Dictionary of defaults by option.
    """
    return {name: parameter.default for name, parameter in _options(function).items()}


def _options(function):
    return {
        name: parameter
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is not parameter.empty and parameter.annotation is not parameter.empty
    }


def read_options(function, values):
    """Reads the values of a function's options; see `read_option`.

    Args:
        function: A function or class.
        values: Dictionary of values by option, of which others than the function's are left out.

    Returns:
        Dictionary of values by option.

    Raises:
        UserError: If a value is of a wrong type.
    """
    return {
        name: read_option(name, parameter.annotation, values[name])
        for name, parameter in _options(function).items()
        if name in values
    }


def read_option(name, annotation, value):
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
    except (ValueError, OverflowError, yaml.YAMLError):
        raise UserError(f"{name} is {_in_words(annotation)}. Received: {name}={value}") from None


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
        values = load_texts(value) if isinstance(value, str) else value
        _only_if(isinstance(values, list | tuple), values)
        return typing.get_origin(annotation)(_read(kinds[0], one) for one in values)
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
        except (ValueError, OverflowError, yaml.YAMLError):
            continue
    raise ValueError


def _only_if(is_right, value):
    if not is_right:
        raise ValueError
    return value


def load_texts(text):
    """Reads YAML or JSON and leaves its scalars the texts that they are written as.

    Args:
        text: String.

    Returns:
        Dictionary, list, string, or `None` where `null` or `~` stands without quotes.

    Raises:
        yaml.YAMLError: If it is neither, has a key twice, or a key has no value.
    """
    try:
        # Not by YAML, which has other escapes.
        return json.loads(
            text,
            parse_int=str,
            parse_float=str,
            parse_constant=str,
            object_pairs_hook=_without_repetition,
        )
    except ValueError:
        pass
    except RecursionError as error:
        raise yaml.YAMLError("it is nested too deeply") from error
    try:
        return yaml.load(text, Loader=_TextLoader)
    except RecursionError as error:
        raise yaml.YAMLError("it is nested too deeply") from error


def load_texts_of(path, what):
    """Reads a YAML or JSON file; see `load_texts`.

    Args:
        path: The file.
        what: What it is to hold, such as `settings`, for the message.

    Returns:
        What `load_texts` returns.

    Raises:
        UserError: If there is no such file, or it cannot be read.
    """
    try:
        file = Path(path)
        if file.exists() and not file.is_file():  # A device might have no end.
            raise OSError(f"{path} is no file")
        return load_texts(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise UserError(f"{path} cannot be read as {what}: {reason}") from error


def _without_repetition(pairs):
    names = [name for name, _ in pairs]
    if twice := [name for name in names if names.count(name) > 1]:
        raise yaml.YAMLError(f"it has {twice[0]!r} twice")
    return dict(pairs)


class _TextLoader(yaml.SafeLoader):
    yaml_implicit_resolvers = {
        letter: [("tag:yaml.org,2002:null", re.compile("(?:~|null|Null|NULL|)$"))]
        for letter in ("~", "n", "N", "")
    }

    def construct_nothing(self, node):
        if node.value:
            return None
        raise yaml.YAMLError(
            f"no value on line {node.start_mark.line + 1}: write null for none, and what begins "
            "with # in quotes"
        )

    def construct_mapping(self, node, deep=False):
        pairs = [
            (self.construct_object(key, deep=True), self.construct_object(value, deep=True))
            for key, value in node.value
        ]
        return _without_repetition(pairs)


_TextLoader.add_constructor("tag:yaml.org,2002:null", _TextLoader.construct_nothing)
_TextLoader.add_constructor("tag:yaml.org,2002:map", _TextLoader.construct_mapping)
jsonargparse.set_loader("texts", load_texts, exceptions=(yaml.YAMLError, ValueError))


def split_names(option, text):
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


def make_parser(program, description, functions, defaults, skip=()):
    """Builds a command-line parser; options can also be read from a file, and printed as one.

    Args:
        program: The command, for its help.
        description: What it does.
        functions: The functions whose options the command has.
        defaults: Dictionary of defaults that differ from the functions' own.
        skip: Names of options that the command does not have.

    Returns:
        `jsonargparse.ArgumentParser`.
    """
    parser = _Parser(
        prog=program,
        description=description,
        allow_abbrev=False,
        exit_on_error=False,
        parser_mode="texts",
    )
    parser.add_argument(
        "--config", action=_OptionsFile, help="Read options from a YAML or JSON file."
    )
    for function in functions:
        documented = docstring_parser.parse(inspect.getdoc(function) or "")
        texts = {parameter.arg_name: parameter.description for parameter in documented.params}
        group = parser.add_argument_group(documented.short_description)
        for name, parameter in _options(function).items():
            if name not in skip:
                choices = typing.get_args(parameter.annotation)
                is_choice = typing.get_origin(parameter.annotation) is typing.Literal
                group.add_argument(
                    f"--{name}",
                    metavar=f"{{{','.join(choices)}}}" if is_choice else None,
                    type=_Type(name, parameter.annotation),
                    default=parameter.default,
                    help=(texts.get(name) or "").replace("%", "%%"),
                )
    parser.set_defaults(defaults)
    _write_with_dashes(parser)
    return parser


class _Parser(jsonargparse.ArgumentParser):
    def _get_values(self, action, arg_strings):
        # Python before 3.13 takes `--` away from an option's value, too, as in `--prefix=--`.
        if action.option_strings and arg_strings == ["--"]:
            return self._get_value(action, "--")
        return super()._get_values(action, arg_strings)


class _OptionsFile(jsonargparse.ActionConfigFile):
    def __call__(self, parser, cfg, values, option_string=None):
        if not isinstance(load_texts_of(values, "options"), dict):
            raise UserError(f"{values} holds no options. Expected a value by option, as in seed: 1")
        super().__call__(parser, cfg, values, option_string)


class _Type:
    """What argparse calls with a string, and shows in the help."""

    def __init__(self, name, annotation):
        self._name, self._annotation = name, annotation

    def __call__(self, value):
        return read_option(self._name, self._annotation, value)

    def __repr__(self):
        return inspect.formatannotation(self._annotation).replace("typing.", "")


def parse(parser, arguments):
    """Parses a command line.

    Args:
        parser: What `make_parser` returned, or a parser with such as subcommands.
        arguments: List of strings.

    Returns:
        `jsonargparse.Namespace`.

    Raises:
        UserError: If an option is unknown or lacks its value, or a value is of a wrong type.
    """
    try:
        return parser.parse_args(arguments)
    except argparse.ArgumentError as error:
        message = " ".join(str(error).split())
    if found := re.match(r"unrecognized arguments: (.*)$", message):
        raise UserError(f"There is no such option; `--help` lists them. Received: {found[1]}")
    message = message.removeprefix('Parser key "config": ').rstrip(".")
    message = f"{message}. `--help` lists the options."
    if "expected one argument" in message:
        message += " A value that begins with a dash follows an equals sign: --option=-x."
    raise UserError(message)


def _in_words(annotation):
    """What an option's type accepts, for people."""
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
    if annotation in names:
        return names[annotation]
    inner = [part for part in typing.get_args(annotation) if part not in (type(None), ...)]
    if typing.get_origin(annotation) is typing.Literal:
        return f"one of {', '.join(inner)}"
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return " or ".join(map(_in_words, inner))
    return f"a list in brackets, each of it {' or '.join(map(_in_words, inner))}"


def _write_with_dashes(parser):
    # The library names options as the arguments are named; a command line has dashes. Both work.
    for action in parser._actions:
        if action.dest == "print_config":
            continue  # The library looks for it under its own name.
        dashed = [name.replace("_", "-") for name in action.option_strings]
        parser._option_string_actions |= dict.fromkeys(dashed, action)
        action.option_strings = dashed
