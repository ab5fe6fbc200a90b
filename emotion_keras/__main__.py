"""List the commands: `python -m emotion_keras`."""

import argparse
import ast
import difflib
import importlib.util
from pathlib import Path

import emotion_keras

COMMANDS = (
    "emotion_keras.fit",
    "emotion_keras.compare",
    "emotion_keras.combine",
    "emotion_keras.evaluate",
    "emotion_keras.predict",
    "emotion_keras.faithfulness",
    "emotion_keras.export",
    "emotion_keras.serve",
    "tuning.search",
    "tuning.sensitivity",
    "tuning.paper",
    "reports.render",
    "reports.results",
)


def describe_command(name: str) -> str | None:
    """What a command does, from the first line of its docstring, without importing it.

    Args:
        name: The command's module.

    Returns:
        The part of the line before the colon, or `None` where the module is not installed.

    Example:

    >>> describe_command("emotion_keras.fit")
    'Train one model once'
    """
    try:
        module = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return None
    if module is None or module.origin is None:
        return None
    docstring = ast.get_docstring(ast.parse(Path(module.origin).read_text(encoding="utf-8"))) or ""
    return docstring.partition(":")[0]


def main(arguments: list[str] | None = None) -> None:
    """The command `python -m emotion_keras`."""
    described = {name: describe_command(name) for name in COMMANDS}
    width = max(map(len, COMMANDS))
    commands = [f"  python -m {name:<{width}} {line}." for name, line in described.items() if line]
    parser = argparse.ArgumentParser(
        "python -m emotion_keras",
        description=(emotion_keras.__doc__ or "").partition("\n")[0],
        epilog="\n".join(["commands, each with --help:", *commands]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    version = f"emotion_keras {emotion_keras.__version__}"
    parser.add_argument("--version", action="version", version=version)
    _, others = parser.parse_known_args(arguments)
    if others:
        by_name = {name.rpartition(".")[2]: name for name in COMMANDS}
        (meant,) = difflib.get_close_matches(others[0], by_name, n=1) or ["fit"]
        parser.error(
            f"each command is a module of its own, such as python -m {by_name[meant]}. "
            f"Received: {' '.join(others)}"
        )
    parser.print_help()


if __name__ == "__main__":
    main()
