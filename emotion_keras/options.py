"""Command-line options from the signatures of the functions that take them."""

import inspect

import jsonargparse


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
    parser = jsonargparse.ArgumentParser(prog=program, description=description, allow_abbrev=False)
    parser.add_argument("--config", action="config", help="Read options from a YAML or JSON file.")
    for function in functions:
        others = set(inspect.signature(function).parameters) - set(option_defaults(function))
        parser.add_function_arguments(function, skip=others | set(skip), as_group=True)
    parser.set_defaults(defaults)
    _write_with_dashes(parser)
    return parser


def _write_with_dashes(parser):
    # The library names options as the arguments are named; a command line has dashes. Both work.
    for action in parser._actions:
        if action.dest == "print_config":
            continue  # The library looks for it under its own name.
        dashed = [name.replace("_", "-") for name in action.option_strings]
        parser._option_string_actions |= dict.fromkeys(dashed, action)
        action.option_strings = dashed
