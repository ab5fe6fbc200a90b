"""Train one model once: `python -m emotion_keras.fit` -> one run.

With defaults it fine-tunes the gated Transformer over the MiniLM encoder on ISEAR; the README says
what that takes and reaches.
"""

if __name__ == "__main__":
    from emotion_keras.machine.quiet import load_keras

    load_keras()  # Before whatever needs it, so that what goes wrong is told as a command tells it.

import argparse
import os
import shlex
import sys
from pathlib import Path

from rich.console import Group
from rich.text import Text

from emotion_keras import record
from emotion_keras.command import durations
from emotion_keras.command.entry import run_command
from emotion_keras.command.options import (
    load_texts_of,
    make_parser,
    option_defaults,
    parse,
)
from emotion_keras.command.score_table import ScoreTable, print_tables
from emotion_keras.errors import UserError
from emotion_keras.evaluation.faithfulness import in_words, read_faithfulness
from emotion_keras.inputs.encoders import find_encoder
from emotion_keras.models import MODELS
from emotion_keras.models.baselines import BASELINES
from emotion_keras.training.defaults import default_encoder, defaults_for
from emotion_keras.training.run import fit, stages


def summarize(directory):
    """A finished run as tables for the terminal: metrics, F1 by label, cost, the gate."""
    run = record.read_run(directory)
    scores = ScoreTable(
        f"{run['model']} on {run['corpus']['name']}, in per cent",
        ("split", "texts", "accuracy", "macro F1", "weighted F1", "AUC", "ECE"),
    )
    for name, metrics in run["metrics"].items():
        values = [metrics[key] for key in ("accuracy", "macro_f1", "weighted_f1", "auc", "ece")]
        scores.add_row(name, str(metrics["num_examples"]), *(_per_cent(value) for value in values))
    last = list(run["metrics"])[-1]  # The test split, unless the run was made to choose by.
    by_label = ScoreTable(
        f"Split {last} by label, in per cent", ("label", "precision", "recall", "F1", "texts")
    )
    for label, metrics in run["metrics"][last]["per_label"].items():
        values = [metrics[key] for key in ("precision", "recall", "f1")]
        by_label.add_row(label, *map(_per_cent, values), str(metrics["support"]))
    cost = run["cost"]
    best = f"Best epoch {run['best_epoch']}. " if run["best_epoch"] else ""
    return Group(
        scores,
        by_label,
        Text(
            f"{best}Trained for {durations.in_words(cost['seconds'])} at "
            f"{cost['examples_per_second']:.0f} texts a second; "
            f"peak memory {cost['peak_memory_bytes'] / 1e9:.1f} GB."
        ),
        *map(Text, in_words(read_faithfulness(directory))),
    )


def next_command(directory):
    """The command that makes a run once more with another seed, ready for a shell."""
    run = record.read_run(directory)
    places = {"study": run["study"], "runs_dir": os.fspath(directory.parents[1])}
    arguments = ["--from-run", os.fspath(directory), "--seed", str(run["seed"] + 1)]
    for name, default in option_defaults(fit).items():
        if name in places and places[name] != default:
            arguments += [f"--{name.replace('_', '-')}", places[name]]
    return shlex.join(["python", "-m", "emotion_keras.fit", *arguments])


def _per_cent(value):
    return "-" if value is None else f"{100 * value:.1f}"


def main(arguments=None):
    """The command `python -m emotion_keras.fit`."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)

    def run():
        directory = fit(**_parse(arguments))
        print_tables(summarize(directory))
        # Not by rich, which would fold the lines.
        print(
            f"The run: {directory}\nOnce more with another seed: {next_command(directory)}\n"
            f'Label texts: python -m emotion_keras.predict {shlex.quote(str(directory))} "..."'
        )
        return 0

    return run_command(run)


def _parse(arguments):
    """Reads the command line; which options there are, and their defaults, depends on three."""
    first = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    first.add_argument("--from-run")
    first.add_argument("--from-trial")
    first.add_argument("--model")
    first.add_argument("--encoder")
    first.add_argument("--data")
    first.add_argument("--freeze-encoder", nargs="?", const="true")
    first.add_argument("--config")
    try:
        chosen, _ = first.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        raise UserError(str(error)) from error
    for name, value in _read_options(chosen.config).items():
        if name in chosen and getattr(chosen, name) is None:
            setattr(chosen, name, value)
    found = _options_of_trial(chosen.from_trial) if chosen.from_trial else {}
    if found and (chosen.from_run or chosen.model or chosen.encoder):
        raise UserError(
            "--from-trial says which model: leave out --from-run, --model and --encoder."
        )
    chosen.model, chosen.encoder = (
        found.get("model", chosen.model),
        found.get("encoder", chosen.encoder),
    )
    defaults = _options_of(chosen.from_run, chosen.model) if chosen.from_run else {}
    model = chosen.model or defaults.get("model", "gated_transformer")
    functions = [fit, *stages(model).values()]
    repeats = chosen.from_run and model == defaults["model"]
    if model in MODELS and (chosen.encoder or chosen.freeze_encoder or not repeats):
        frozen = str(chosen.freeze_encoder).lower() == "true"
        known = {option for function in functions for option in option_defaults(function)}
        encoder = chosen.encoder or defaults.get("encoder") or default_encoder(model)
        usual = defaults_for(model, encoder, frozen)
        defaults |= {option: usual[option] for option in usual if option in known}
    defaults |= found
    parser = make_parser("python -m emotion_keras.fit", __doc__, functions, defaults)
    parser.add_argument("--from-run", help="Repeat a run: take all options from its record.")
    parser.add_argument(
        "--from-trial", help="Take model and setting from the best.json of a search."
    )
    options = vars(parse(parser, arguments))
    of_command = ("config", "from_run", "from_trial")
    chosen_options = {name: options[name] for name in options if name not in of_command}
    if chosen.from_run:
        run = record.read_run(chosen.from_run)
        if chosen.data is None:
            chosen_options["data_sha256"] = run["corpus"]["sha256"]
        if chosen.encoder is None and model == run["model"]:
            _check_encoder(run)
    return chosen_options


def _check_encoder(run):
    """Makes sure that an encoder with a path is the one that a run was trained with."""
    before, encoder = run.get("encoder_sha256"), run["inputs"].get("encoder")
    now = encoder and before and find_encoder(encoder).sha256()
    if now != before:
        raise UserError(
            f"The encoder is not what the run was trained with: its SHA-256 is {str(now)[:12]}, "
            f"expected {before[:12]}... Give it as it was, or say that this is the encoder with "
            f"`--encoder`. Received: encoder={encoder!r}"
        )


def _read_options(path):
    """What a file of options holds; that it holds anything, the parser makes sure."""
    options = {} if path is None else load_texts_of(path, "options")
    return options if isinstance(options, dict) else {}


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


def _options_of(directory, model=None):
    """The options that repeat a run; with another model, those of its data, and its seed."""
    run = record.read_run(directory)
    try:
        parts = [run["corpus"][part] for part in ("reading", "preparation", "protocol")]
        if model in (None, run["model"]):
            parts += [run["inputs"], run["hyperparameters"], run["training"]]
        recorded = {"model": run["model"], "seed": run["seed"]}
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{Path(directory) / record.RUN} is damaged: it lacks {error}. Make the run again."
        ) from error
    for part in parts:
        recorded |= part
    model = model or run["model"]
    functions = [fit, *stages(model).values()]
    options = {name for function in functions for name in option_defaults(function)}
    if model in BASELINES:
        options.remove("precision")  # They have one, whatever is asked for.
    # None stands for what was without effect, such as the test's size where there are folds.
    return {
        name: value for name, value in recorded.items() if name in options and value is not None
    }


if __name__ == "__main__":
    sys.exit(main())
