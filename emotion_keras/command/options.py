"""Command lines and files of options, from the classes that say which options there are.

What stands on a command line, in a file of options or in a Python call is read by one function,
`read_option`, so that it means the same in all three: an option that is a text is the text as it
was typed, whatever YAML would make of it.
"""

import argparse
import dataclasses
import json
import re
import sys
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import yaml

from emotion_keras import __version__
from emotion_keras.command.completion import answer_shell, completer_of
from emotion_keras.errors import UserError, did_you_mean
from emotion_keras.record.options import Options, in_words, placeholder, read_field

# What argparse is given in place of two dashes that are an option's value: Python before 3.13 would
# take them away. No command line can hold it.
_TWO_DASHES = "\0--"

# Of a command with more options `--help` shows the basic ones.
_MANY = 25


def load_texts(text: str) -> Any:
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


def load_texts_of(path: str | Path, what: str) -> Any:
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


def make_parser(
    program: str,
    description: str | None,
    classes: Iterable[type[Options]],
    defaults: Mapping[str, Any] = types.MappingProxyType({}),
    *,
    skip: Iterable[str] = (),
    switches: Iterable[str] = (),
    elsewhere: Callable[[str], str] = lambda name: "",
) -> "Parser":
    """Makes the command line of several classes of options; see `Parser`."""
    parser = Parser(program, description, elsewhere)
    for options in classes:
        parser.add_options(options, defaults, skip=skip, switches=switches)
    return parser


class Parser(argparse.ArgumentParser):
    """A command line whose options can also be read from a file, and printed as one.

    An option is written with dashes; with underscores, as in Python, it is the same.

    Args:
        prog: The command, for its help.
        description: What it does.
        elsewhere: Function of the name of an option that the command lacks, which says where there
            is one of that name: a sentence with a blank before it, or an empty string.

    Example:

    >>> from emotion_keras.data.options import Protocol
    >>> parser = Parser("python -m emotion_keras.compare", "Compare models.")
    >>> parser.add_options(Protocol, skip={"fold"})
    >>> parser.parse_args(["--split-seed=1"]).split_seed
    1
    """

    def __init__(
        self,
        prog: str,
        description: str | None = None,
        elsewhere: Callable[[str], str] = lambda name: "",
    ):
        super().__init__(prog=prog, description=description, allow_abbrev=False, add_help=False)
        self._fields = {}
        self._advanced = []
        self.elsewhere = elsewhere
        self.add_argument("-h", "--help", action=_Help, help="Show this, and end.")
        self._help_all = self.add_argument(
            "--help-all", action=_Help, help="Show all options, and end."
        )
        version = f"emotion_keras {__version__}"
        self.add_argument(
            "--version", action="version", version=version, help="Show the version, and end."
        )

    def add_options(
        self,
        options: type[Options],
        defaults: Mapping[str, Any] = types.MappingProxyType({}),
        *,
        skip: Iterable[str] = (),
        switches: Iterable[str] = (),
    ) -> None:
        """Adds a group of options.

        Args:
            options: The class that says which.
            defaults: Values by option that differ from the class's own defaults; others than the
                class's are left out.
            skip: Names of options that the command does not have.
            switches: Names of options that are given without a value, for true.
        """
        if not self._fields:
            self._add_files()
        group = self.add_argument_group((options.__doc__ or "").partition("\n")[0].rstrip("."))
        for field in dataclasses.fields(options):
            if field.name in skip or field.metadata["is_hidden"]:
                continue
            self._fields[field.name] = field
            name, text = f"--{field.name.replace('_', '-')}", field.metadata["help"]
            default = defaults.get(field.name, field.default)
            if field.name in switches:
                action: Any = group.add_argument(
                    name, action="store_true", default=default, help=_literal(text)
                )
            else:
                action = group.add_argument(
                    name,
                    metavar=placeholder(field.type),
                    action=_Store,
                    default=default,
                    help=_literal(f"{text}{_about_value(field.type, default)}"),
                )
                # What argcomplete asks for values.
                action.completer = completer_of(field.type)
            if not field.metadata["is_basic"]:
                self._advanced.append(action)

    def format_help(self, everything: bool = True) -> str:
        """The help: of all options, or of a command with many of the basic ones."""
        is_short = not everything and self._hides_some
        hidden = self._advanced if is_short else [self._help_all]
        texts = [action.help for action in hidden]
        for action in hidden:
            action.help = argparse.SUPPRESS
        self.usage = self._usage()
        self.epilog = f"`--help-all` shows all {len(self._fields)} options." if is_short else None
        text = super().format_help()
        for action, help_of_action in zip(hidden, texts, strict=True):
            action.help = help_of_action
        return text

    def format_usage(self) -> str:
        """The command, its options in a word, and what else it takes."""
        return f"usage: {self._usage()}\n"

    def _usage(self):
        others = (
            f"[{action.dest} ...]" if action.nargs == "*" else action.dest
            for action in self._get_positional_actions()
        )
        return " ".join([self.prog, "[options]", *others])

    def _add_files(self):
        suppressed = {"default": argparse.SUPPRESS}
        self.add_argument(
            "--config",
            action=_ReadFile,
            help="Read options from a YAML or JSON file.",
            **suppressed,
        )
        self.add_argument(
            "--print-config",
            action="store_true",
            help="Print the options, as `--config` reads them, in place of doing anything.",
            **suppressed,
        )

    def suggest(self, name: str, values: Iterable[str]) -> None:
        """Lets a shell complete the value of an option, or of what else there is, from a list."""
        found: list[Any] = [one for one in self._actions if one.dest == name]
        (action,) = found
        action.completer = lambda **_: list(values)  # As `completer_of` gives.

    def read(self, name: str, value: Any) -> Any:
        """Reads the value of an option; see `read_field`."""
        return read_field(self._fields[name], value)

    def read_file(self, path: str) -> dict[str, Any]:
        """Reads a file of options.

        Raises:
            UserError: If it holds something else, or an option that the command does not have.
        """
        values = load_texts_of(path, "options")
        if not isinstance(values, dict):
            raise UserError(f"{path} holds no options. Expected a value by option, as in seed: 1")
        named = {str(name).replace("-", "_"): value for name, value in values.items()}
        if unknown := [name for name in named if name not in self._fields]:
            raise UserError(
                f"{path}: there is no such option; `{self._lists()}` lists them."
                f"{self._meant(unknown)} Received: {', '.join(unknown)}"
            )
        return {name: self.read(name, value) for name, value in named.items()}

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        answer_shell(self)
        return super().parse_args(args, namespace)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        arguments = sys.argv[1:] if args is None else args
        found, left = super().parse_known_args(_as_dashes(arguments), namespace)
        if found.__dict__.pop("print_config", False) and not left:
            values = {name: getattr(found, name) for name in self._fields}
            print(_as_yaml(values), end="")
            self.exit()
        return found, left

    def error(self, message: str) -> NoReturn:
        message = " ".join(message.split())
        if found := re.match(r"unrecognized arguments: (.*)$", message):
            words = (word.partition("=")[0] for word in found[1].split())
            unknown = [word[2:].replace("-", "_") for word in words if word.startswith("--")]
            raise UserError(
                f"There is no such option; `{self._lists()}` lists them.{self._meant(unknown)} "
                f"Received: {found[1]}"
            )
        message = message.removeprefix("argument ").rstrip(".")
        message = f"{message}. `{self._lists()}` lists the options."
        if "expected one argument" in message:
            message += " A value that begins with a dash follows an equals sign: --option=-x."
        raise UserError(message)

    @property
    def _hides_some(self):
        """Whether `--help` leaves some options out: where there are many, and some are basic."""
        is_basic = [field.metadata["is_basic"] for field in self._fields.values()]
        return len(is_basic) > _MANY and any(is_basic)

    def _lists(self):
        """What lists all options."""
        return "--help-all" if self._hides_some else "--help"

    def _meant(self, unknown):
        """What may have been meant by names of options that the command does not have."""
        said = []
        for name in unknown:
            where = self.elsewhere(name)
            dashed = [
                action.option_strings[-1] for action in self._actions if action.option_strings
            ]
            said.append(where or did_you_mean(f"--{name.replace('_', '-')}", dashed))
        return "".join(said)


class _Help(argparse.Action):
    def __init__(self, option_strings, dest, **options):
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, **options)

    def __call__(self, parser, namespace, values, option_string=None):
        print(parser.format_help(everything=option_string == "--help-all"), end="")
        parser.exit()


class _Store(argparse.Action):
    def __call__(self, parser, namespace, value, option_string=None):
        value = "--" if value == _TWO_DASHES else value
        setattr(namespace, self.dest, parser.read(self.dest, value))


class _ReadFile(argparse.Action):
    def __call__(self, parser, namespace, path, option_string=None):
        for name, value in parser.read_file(path).items():
            setattr(namespace, name, value)


def _as_dashes(arguments):
    """A command line whose options are written as the parser knows them."""
    changed, waiting = [], iter(arguments)
    for argument in waiting:
        if argument == "--":
            return [*changed, argument, *waiting]
        name, equals, value = argument.partition("=")
        if name.startswith("--"):
            name = name.replace("_", "-")
        changed.append(name + equals + (_TWO_DASHES if equals and value == "--" else value))
    return changed


def _about_value(annotation, default):
    """What an option's value may be, where its placeholder does not say it, and its default."""
    kinds = [annotation, *typing.get_args(annotation)]
    is_choice = any(typing.get_origin(kind) in (typing.Literal, list, tuple) for kind in kinds)
    about = [in_words(annotation).removeprefix("one of ")] if is_choice else []
    about += [] if default is None else [f"default: {_as_yaml(default)}"]
    return f" ({'; '.join(about)})" if about else ""


def _literal(text):
    return text.replace("%", "%%")


def _as_yaml(value):
    style = {"sort_keys": False, "allow_unicode": True, "default_flow_style": None, "width": 1000}
    text = yaml.safe_dump(value, **style)
    return text if isinstance(value, dict) else text.removesuffix("\n...\n").rstrip("\n")
