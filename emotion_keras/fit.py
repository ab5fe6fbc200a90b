# PYTHON_ARGCOMPLETE_OK
"""Train one model once: `python -m emotion_keras.fit` -> one run.

With defaults it fine-tunes the gated Transformer over the MiniLM encoder on ISEAR; the README says
what that takes and reaches.
"""

import argparse
import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.text import Text

from emotion_keras import record
from emotion_keras.command import durations
from emotion_keras.command.completion import typed_words
from emotion_keras.command.entry import run_command
from emotion_keras.command.options import load_texts_of, make_parser
from emotion_keras.command.score_table import ScoreTable, print_tables
from emotion_keras.data.flaws import flaws_of
from emotion_keras.data.flaws import in_words as flaws_in_words
from emotion_keras.data.options import Reading
from emotion_keras.errors import UserError
from emotion_keras.inputs import modality_of
from emotion_keras.machine.quiet import load_keras
from emotion_keras.models import MODELS
from emotion_keras.models.baselines import BASELINES
from emotion_keras.record.options import Options, option
from emotion_keras.targets import target_of
from emotion_keras.training.options import PlaceOptions, RunOptions
from emotion_keras.training.settings import (
    DECISIVE,
    Settings,
    stage_classes,
    usual_options,
    where_is,
)


@dataclass(frozen=True, kw_only=True)
class SourceOptions(Options):
    """Where all options are taken from that are not given."""

    from_run: str | None = option(
        None, "Repeat a run: take all options from its record.", is_basic=True
    )
    from_trial: str | None = option(None, "Take model and setting from the best.json of a search.")


def summarize(directory: Path) -> Group:
    """A finished run as tables for the terminal: metrics, F1 by label, cost, the gate."""
    # Imported here because pandas takes a moment.
    from emotion_keras.evaluation.faithfulness import in_words, read_faithfulness

    run = record.read_run(directory)
    modality, target = modality_of(run), target_of(run)
    warning = flaws_in_words(flaws_of(run))
    scores = ScoreTable(
        f"{run['model']} on {run['corpus']['name']}, in per cent",
        ("split", modality.plural, *target.shown.values()),
    )
    for name, metrics in run["metrics"].items():
        values = [metrics[key] for key in target.shown]
        scores.add_row(name, str(metrics["num_examples"]), *(_per_cent(value) for value in values))
    last = list(run["metrics"])[-1]  # The test split, unless the run was made to choose by.
    by_label = ScoreTable(
        f"Split {last} by label, in per cent",
        ("label", "precision", "recall", "F1", modality.plural),
    )
    for label, metrics in run["metrics"][last]["per_label"].items():
        values = [metrics[key] for key in ("precision", "recall", "f1")]
        by_label.add_row(label, *map(_per_cent, values), str(metrics["support"]))
    cost = run["cost"]
    best = f"Best epoch {run['best_epoch']}. " if run["best_epoch"] else ""
    return Group(
        *([Text(warning, style="bold")] if warning else []),
        scores,
        by_label,
        Text(
            f"{best}Trained for {durations.in_words(cost['seconds'])} at "
            f"{cost['examples_per_second']:.0f} {modality.plural} a second; "
            f"peak memory {cost['peak_memory_bytes'] / 1e9:.1f} GB."
        ),
        *map(Text, _when_and_about_whom(directory, run, modality.plural)),
        *map(Text, in_words(read_faithfulness(directory), modality.unit_plural).values()),
    )


def _when_and_about_whom(directory, run, plural):
    """How often a finished run is right where it is surest, and by group, if it kept these."""
    if not record.predictions_path(directory).exists():
        return []
    from emotion_keras.evaluation import attributes, coverage
    from emotion_keras.evaluation.predictions import read_attributes, read_groups

    judged, groups = coverage.read_judged(directory, run), read_groups(directory)
    last = judged[list(run["metrics"])[-1]]
    known = read_attributes(directory)
    found = attributes.score_groups([last], [run["seed"]], known, groups)
    return [*coverage.in_words(judged, plural, groups), *attributes.in_words(found, plural)]


def next_command(directory: Path) -> str:
    """The command that makes a run once more with another seed, ready for a shell."""
    run = record.read_run(directory)
    place = PlaceOptions(study=run["study"], runs_dir=os.fspath(directory.parents[1])).to_dict()
    arguments = ["--from-run", os.fspath(directory), "--seed", str(run["seed"] + 1)]
    for name, default in PlaceOptions().to_dict().items():
        if place[name] != default:
            arguments += [f"--{name.replace('_', '-')}", place[name]]
    return shlex.join(["python", "-m", "emotion_keras.fit", *arguments])


def _quoted(text):
    """A word of a command in quotes, which stand for more of the kind."""
    return f'"{text}"' if '"' not in text else shlex.quote(text)


def _per_cent(value):
    return "-" if value is None else f"{100 * value:.1f}"


def main(arguments: list[str] | None = None) -> int:
    """The command `python -m emotion_keras.fit`."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)

    def run():
        options = parse_options(arguments)
        load_keras()
        from emotion_keras.training.run import fit

        directory = fit(**options)
        print_tables(summarize(directory))
        modality = modality_of(record.read_run(directory))
        # Not by rich, which would fold the lines.
        print(
            f"The run: {directory}\nOnce more with another seed: {next_command(directory)}\n"
            f"Label {modality.plural}: python -m emotion_keras.predict "
            f"{shlex.quote(str(directory))} {_quoted(modality.placeholder())}"
        )
        return 0

    return run_command(run)


def parse_options(arguments: list[str]) -> dict[str, Any]:
    """Reads the command line; which options there are, and their defaults, depends on some.

    Args:
        arguments: The words of the command line.

    Returns:
        The options, as `emotion_keras.training.run.fit` takes them.

    Raises:
        UserError: If an option, or a record that options are taken from, is wrong.
    """
    chosen = _look_ahead(typed_words(arguments))
    found = _options_of_trial(chosen["from_trial"]) if chosen.get("from_trial") else {}
    if found and any(chosen.get(name) for name in ("from_run", "model", "encoder")):
        raise UserError(
            "--from-trial says which model: leave out --from-run, --model and --encoder."
        )
    run = record.read_run(chosen["from_run"]) if chosen.get("from_run") else None
    if run and flaws_of(run):
        raise UserError(
            f"{chosen['from_run']} is a run under a protocol with flaws, which `fit` does not "
            f"repeat. {flaws_in_words(flaws_of(run))} It was made by: {shlex.join(run['command'])}"
        )
    chosen |= found
    model = chosen.get("model") or (run["model"] if run else RunOptions().model)
    defaults = _options_of(run, chosen["from_run"], model) if run else {}
    known = {name: defaults[name] for name in ("modality", "encoder") if name in defaults} | chosen
    classes = stage_classes(model, Reading.pick(known).modality)
    repeats = run is not None and model == run["model"]
    of_encoder = chosen.keys() & {*_OF_CELLS, "encoder", *DECISIVE}
    if model in MODELS and (of_encoder or not repeats):
        defaults |= usual_options(model, known)
    classes = [SourceOptions, RunOptions, PlaceOptions, *classes.values()]
    usual = {**defaults, **found}
    program = "python -m emotion_keras.fit"
    parser = make_parser(program, __doc__, classes, usual, elsewhere=where_is)
    parser.suggest("model", [*MODELS, *BASELINES])
    options = vars(parser.parse_args(arguments))
    for name in SourceOptions.names():
        del options[name]
    if run and not chosen.get("data"):
        options["data_sha256"] = run["corpus"]["sha256"]
    if repeats and not chosen.get("encoder"):
        _check_encoder(run)
    return options


# What decides which options there are, what their defaults are, and what is checked.
_OF_CELLS = (
    "modality",
    "text_column",
    "audio_column",
    "image_column",
    "feature_columns",
    "feature_table",
)
_AHEAD = (
    "from_run",
    "from_trial",
    "model",
    *_OF_CELLS,
    "encoder",
    "data",
    *DECISIVE,
)


def _look_ahead(arguments):
    """The first look at a command line: a few of its options, as they are written."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for name in (*_AHEAD, "config"):
        dashed = f"--{name.replace('_', '-')}"
        parser.add_argument(dashed, f"--{name}", dest=name, default=argparse.SUPPRESS)
    try:
        found = vars(parser.parse_known_args(arguments)[0])
    except argparse.ArgumentError as error:
        raise UserError(str(error)) from error
    of_file = load_texts_of(found.pop("config"), "options") if "config" in found else {}
    if not isinstance(of_file, dict):
        of_file = {}  # The parser says so.
    return {name: of_file[name] for name in _AHEAD if of_file.get(name) is not None} | found


def _check_encoder(run):
    """Makes sure that an encoder with a path is the one that a run was trained with."""
    before, encoder = run.get("encoder_sha256"), run["inputs"].get("encoder")
    now = encoder and before and modality_of(run).find_encoder(encoder).sha256()
    if now != before:
        raise UserError(
            f"The encoder is not what the run was trained with: its SHA-256 is {str(now)[:12]}, "
            f"expected {before[:12]}... Give it as it was, or say that this is the encoder with "
            f"`--encoder`. Received: encoder={encoder!r}"
        )


def _options_of_trial(path):
    """The options that make runs of what a search has found, from its `best.json`."""
    if not Path(path).is_file():
        raise UserError(
            f"There is no such file: {path}. `python -m tuning.search` writes best.json."
        )
    best = record.read_versioned(Path(path))
    if not {"contender", "options"} <= best.keys():
        raise UserError(f"{path} is not the best.json of a search.")
    model, _, encoder = best["contender"].partition("@")
    return {"model": model, **({"encoder": encoder} if encoder else {}), **best["options"]}


def _options_of(run, directory, model):
    """The options that repeat a run; with another model, those of its data, and its seed."""
    try:
        settings = Settings.from_record(run)
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{Path(directory) / record.RUN} is damaged: it lacks {error}. Make the run again."
        ) from error
    if model == settings.model:
        return settings.options()
    return {"seed": settings.seed, **settings.data.options()}


if __name__ == "__main__":
    sys.exit(main())
