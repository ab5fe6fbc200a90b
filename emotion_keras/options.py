"""Command-line options from the signatures of the functions that take them."""

import argparse
import inspect
import re
import types
import typing

import jsonargparse

from emotion_keras.errors import UserError


def option_defaults(function):
    """The options of a function: its annotated arguments that have a default.

    Args:
        function: A function or class.

    Returns:
        Dictionary of defaults by option.
    """
    return {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is not parameter.empty and parameter.annotation is not parameter.empty
    }


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
    parser = jsonargparse.ArgumentParser(
        prog=program, description=description, allow_abbrev=False, exit_on_error=False
    )
    parser.add_argument("--config", action="config", help="Read options from a YAML or JSON file.")
    for function in functions:
        others = set(inspect.signature(function).parameters) - set(option_defaults(function))
        parser.add_function_arguments(function, skip=others | set(skip), as_group=True)
    parser.set_defaults(defaults)
    _write_with_dashes(parser)
    return parser


def parse(parser, functions, arguments):
    """Parses a command line, or a dictionary of options.

    Args:
        parser: What `make_parser` returned, or a parser with such as subcommands.
        functions: The functions whose options the command has.
        arguments: List of strings, or dictionary of values by option.

    Returns:
        `jsonargparse.Namespace`.

    Raises:
        UserError: If an option is unknown or lacks its value, or a value is of a wrong type.
    """
    try:
        if isinstance(arguments, dict):
            return parser.parse_object(arguments)
        return parser.parse_args(arguments)
    except argparse.ArgumentError as error:
        message = " ".join(str(error).split())
    if found := re.match(r'Parser key "([\w.]+)": .*(?:Got|Given) value: (.*)$', message):
        name, value = found[1].split(".")[-1], found[2]
        for function in functions:
            if name in option_defaults(function):
                annotation = inspect.signature(function).parameters[name].annotation
                raise UserError(f"{name} is {_in_words(annotation)}. Received: {name}={value}")
    if found := re.match(r"unrecognized arguments: (.*)$", message):
        raise UserError(f"There is no such option; `--help` lists them. Received: {found[1]}")
    message = message.removeprefix('Parser key "config": ').rstrip(".")
    raise UserError(f"{message}. `--help` lists the options.")


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
