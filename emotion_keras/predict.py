# PYTHON_ARGCOMPLETE_OK
"""Label new texts: `python -m emotion_keras.predict RUN "a text" "another"`.

RUN is a run's folder, a folder that `emotion_keras.export` wrote (an ONNX model answers within a
second, without Keras), or `best`, the best finished run. Without texts, those on standard input are
taken, one a line. A terminal shows the answers to texts as a table; else each answer is a line of
label, per cent, others and text, with tabs between them. `--input` labels a file of any length into
`--output`.
"""

import codecs
import contextlib
import functools
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from emotion_keras import record
from emotion_keras.command.entry import run_command
from emotion_keras.command.options import make_parser
from emotion_keras.errors import UserError
from emotion_keras.machine.terminal import is_read
from emotion_keras.record.options import SHARE, Limit, Options, option

_LINES_AT_ONCE = 256
# Of a text in a table in the terminal.
_MOST_CHARACTERS = 200
# What a label's column begins with, so that no label's name can be that of another column.
_PROBABILITY = "probability:"
# The columns that an explanation takes.
_EXPLANATION = ("words", "rest", "score")


@dataclass(frozen=True, kw_only=True)
class PredictOptions(Options):
    """What is labelled, and what is said of it."""

    input: str | None = option(
        None,
        "A table of texts in place of `texts`: CSV, TSV, JSON Lines, Parquet or a workbook.",
    )
    text_column: str | None = option(
        None,
        "The column of `input` that holds the texts; guessed from usual names unless given.",
    )
    audio_column: str | None = option(
        None, "The column of `input` that holds the paths of recordings; guessed likewise."
    )
    image_column: str | None = option(
        None, "The column of `input` that holds the paths of images; guessed likewise."
    )
    feature_columns: str | None = option(
        None,
        "The columns of `input` that hold numbers or vectors, as in training; guessed likewise.",
    )
    text: str | None = option(
        None, "The text of an example, with `audio`, `image` or `features` of several modalities."
    )
    audio: str | None = option(None, "The path of its recording.")
    image: str | None = option(None, "The path of its image.")
    features: str | None = option(None, "Its vector, as in `[0.5, 2.0]`.")
    encoding: str | None = option(
        None,
        "The encoding of `input` or of standard input, such as cp1252. Unless given, that of "
        "`input` is found out, and standard input is UTF-8.",
    )
    output: str | None = option(
        None,
        "Where to write the answers, in any of these formats, beside the columns of `input`: "
        "label, confidence, flag and, for each label, `probability:` and its name; or, with "
        "`explain`, a page, `.html`.",
    )
    resume: bool = option(False, "Go on with an output that was interrupted.")
    prefix: str = option(
        "",
        "What the names of the new columns begin with, where `input` has such names already.",
    )
    top: int | None = option(
        None,
        "How many of the most probable labels to give, in place of all probabilities.",
        Limit("a number of labels, at least 1", lambda value: value >= 1),
    )
    long: Literal["truncate", "split"] = option(
        "truncate",
        "What becomes of texts that are longer than the model reads: their beginning is read and "
        "they are marked as truncated, or the average over windows is given.",
    )
    explain: bool = option(
        False, "Show each word's contribution to the label's score, which is their sum."
    )
    explain_by: Literal["contribution", "gate"] | None = option(
        None,
        "What words are shaded by: `contribution`, as with `explain`, or `gate`, which says how "
        "much of a word passes and not which label it speaks for.",
    )
    min_confidence: float | None = option(
        None,
        "The confidence from which on a label is given: below it the label is `unsure`, and a "
        "column `guess` has the most probable label. Confidence and probabilities stay.",
        SHARE,
    )
    target_accuracy: float | None = option(
        None,
        "In place of `min_confidence`, how often answers shall be right, such as 0.9: the smallest "
        "confidence is taken that surely reaches it on the validation split of the run.",
        SHARE,
    )
    study: str | None = option(
        None, "With `best`, the study whose runs to choose from; unless given, all."
    )
    runs_dir: str = option("runs", "With `best`, folder of all runs.")

    @property
    def view(self) -> str | None:
        """What words are shaded by, or `None` where no explanation is asked for."""
        return self.explain_by or ("contribution" if self.explain else None)


def predict(
    run: str | Path, texts: list[str], *, notify: Callable[[str], Any] = print, **options: Any
) -> None:
    """Labels texts, and shows or writes the answers.

    Args:
        run: Folder of a run or of an exported model, or `best`.
        texts: List of strings; where it is empty and there is no `input`, lines of standard input.
        notify: Called with messages for the user.
        **options: Values by option of `PredictOptions`.

    Raises:
        UserError: If an option, a file or the model's folder is wrong.
    """
    asked = PredictOptions(**options)
    _check(texts, asked)
    directory = record.resolve_run(run, asked.runs_dir, asked.study)
    if run == "best":
        notify(f"The best run: {directory}")
    # Imported here because NumPy takes a moment, and Keras, which most models need, seconds.
    from emotion_keras.inference.predictor import Predictor

    predictor = Predictor.load(directory)

    least = _least_confidence(predictor, asked, notify)

    def answer(part):
        explain = asked.view is not None
        return predictor(part, explain=explain, long=asked.long, min_confidence=least)

    answer([])  # Options that do not suit the model are refused before anything is read.
    if example := _example(asked):
        texts = [_as_cell(example, predictor.model.modality)]
    given = texts if texts or asked.input else _lines(sys.stdin, asked.encoding)
    if asked.output is None:
        # What another program reads is the same however the texts came.
        show = _show_table if texts and sys.stdout.isatty() else _show_lines
        show(answer, given, predictor, asked.top, asked.view)
    elif asked.view and asked.output.endswith(".html"):
        from emotion_keras.inference.explained_page import write_page

        write_page(Path(asked.output), predictor, _in_parts(given), answer, asked.view)
        notify(f"Written: {asked.output}")
    else:
        _write_table(answer, given, predictor, directory, asked, least, notify)


def _least_confidence(predictor, asked, notify):
    """The confidence from which on a label is given, or `None` where each gets one."""
    if asked.target_accuracy is None:
        return asked.min_confidence
    threshold = predictor.threshold_for(asked.target_accuracy)
    notify(threshold.in_words(predictor.plural))
    return threshold.min_confidence


def _write_table(answer, given, predictor, directory, asked, least, notify):
    from emotion_keras.inference.labelling import label_file

    names = _columns(predictor, asked.top, asked.view, least is not None)
    columns = [f"{asked.prefix}{name}" for name in names]
    settings = {"model": _identify(predictor.name, directory), "long": asked.long}
    if least is not None:
        settings["min_confidence"] = least
    if asked.input is None:
        table = _as_file(given, predictor.singular)
    else:
        table = contextlib.nullcontext(asked.input)
    with table as path:
        label_file(
            lambda part: _by_column(answer(part), columns, asked.prefix, asked.top),
            path,
            asked.output,
            column=_columns_asked(predictor.model.modality, asked),
            encoding=asked.encoding,
            resume=asked.resume,
            columns=columns,
            settings=settings,
            modality=predictor.model.modality,
            notify=notify,
        )


_COLUMNS = ("text_column", "audio_column", "image_column", "feature_columns")


def _columns_asked(modality, asked):
    from emotion_keras.inputs import asked_columns

    return asked_columns(modality, {name: getattr(asked, name) for name in _COLUMNS})


# The options that say what one example has, by the modality.
_CELLS = {"text": "text", "speech": "audio", "image": "image", "features": "features"}


def _example(asked):
    """What the options say of one example, by the modality."""
    given = {name: getattr(asked, option) for name, option in _CELLS.items()}
    return {name: value for name, value in given.items() if value is not None}


def _as_cell(given, modality):
    """The cell of an example that options say."""
    names = [part.name for part in modality.parts()]
    if wrong := [name for name in given if name not in names]:
        right = ", ".join(f"`--{_CELLS[name]}`" for name in names if name in _CELLS)
        raise UserError(
            f"The model takes {' and '.join(names)}: use {right}. "
            f"Received: {', '.join(f'`--{_CELLS[name]}`' for name in wrong)}"
        )
    return json.dumps(given, ensure_ascii=False) if len(names) > 1 else given[names[0]]


def _check(texts, asked):
    if bool(asked.input) + bool(texts) + bool(_example(asked)) > 1:
        raise UserError(
            "Give examples, or one by `--text`, `--audio`, `--image` and `--features`, or a file "
            "of them with `--input`, and no two of these."
        )
    if asked.input and not asked.output:
        raise UserError("Say where the labelled table shall be, with `--output`.")
    if (any(getattr(asked, name) for name in _COLUMNS) or asked.resume) and not asked.input:
        raise UserError("`--resume` and the options that name columns are for `--input`, a table.")
    if asked.output and asked.output.endswith(".html") and (asked.input or not asked.view):
        raise UserError(
            "A page is made of texts that are given or come by standard input, with `--explain`; a "
            "file is labelled as CSV, TSV, JSON Lines or Parquet. "
            f"Received: output={asked.output!r}"
        )
    if asked.min_confidence is not None and asked.target_accuracy is not None:
        raise UserError("Give `--min-confidence` or `--target-accuracy`, not both.")
    if asked.encoding:
        # Imported where it is needed: the table package takes a third of a second.
        from emotion_keras.tables.encodings import check_name

        check_name(asked.encoding)
        if texts:
            raise UserError("`--encoding` is for `--input` and for standard input.")


def _identify(name, directory):
    """A model's name and the checksum of its weights, which its folder's name does not tell."""
    return f"{name}, SHA-256 {record.model_sha256(directory)}"


def _lines(file, encoding):
    """The lines of standard input, each as it comes.

    A line that is not UTF-8 is damaged where lines before it are beyond doubt UTF-8; otherwise all
    may be in another encoding, and the user is asked for it.
    """
    if file.isatty():
        raise UserError(
            "There are no texts: give them after the run's folder, one a line on standard input, "
            "or a file with `--input`. `--help` lists the options."
        )
    return _decoded(getattr(file, "buffer", None) or file, encoding)


def _decoded(file, encoding):
    from emotion_keras.tables.encodings import decode_line

    is_certain = False
    for number, line in enumerate(file, 1):
        if isinstance(line, bytes):
            line = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            try:
                line, is_beyond_ascii = decode_line(line, number, encoding)
                is_certain |= is_beyond_ascii and encoding is None
            except UserError:
                if not is_certain:
                    raise
                line = line.decode("utf-8", "replace")
                print(
                    f"Standard input, line {number}: bytes that are not UTF-8 are read as "
                    "\N{REPLACEMENT CHARACTER}.",
                    file=sys.stderr,
                )
        yield line.rstrip("\r\n")


def _in_parts(texts):
    part = []
    for text in texts:
        part.append(text)
        if len(part) == _LINES_AT_ONCE:
            yield part
            part = []
    if part:
        yield part


@contextlib.contextmanager
def _as_file(texts, column):
    """A file of texts that were given otherwise, so that any number of them can be written."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "texts.jsonl"
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(json.dumps({column: text}) + "\n" for text in texts)
        yield path


def _columns(predictor, top, view, with_guess):
    """Names of the columns that are added to a file."""
    labels = predictor.labels
    if top is None:
        names = [f"{_PROBABILITY}{label}" for label in labels]
    else:
        # The first is the label itself, unless several may hold.
        ranks = range(1 if predictor.several else 2, min(top, len(labels)) + 1)
        names = [f"{name}_{rank}" for rank in ranks for name in ("label", "confidence")]
    guess = ["guess"] if with_guess else []
    explanation = _explanation(predictor) if view else ()
    return ["label", "confidence", *guess, *names, "flag", *explanation]


def _explanation(predictor):
    """What an answer holds of an explanation."""
    return (*(["explained"] if predictor.several else []), *_EXPLANATION)


def _by_column(answers, columns, prefix, top):
    found = {name: [] for name in columns}
    for answer in answers:
        values = answer | (_named(answer) if top is None else _ranked(answer))
        for name, column in found.items():
            value = values.get(name.removeprefix(prefix))
            # The digits of float32, in which a model computes.
            column.append(round(value, 6) if isinstance(value, float) else value)
    return found


def _named(answer):
    """The probabilities, by the names of their columns."""
    probabilities = answer["probabilities"] or {}
    return {f"{_PROBABILITY}{label}": value for label, value in probabilities.items()}


def _ranked(answer):
    """The labels, numbered by their probability."""
    numbered = enumerate(_most_probable(answer), 1)
    return {
        f"{name}_{rank}": value
        for rank, pair in numbered
        for name, value in zip(("label", "confidence"), pair, strict=True)
    }


def _most_probable(answer):
    return sorted((answer["probabilities"] or {}).items(), key=lambda item: -item[1])


def _show_table(answer, texts, predictor, top, view):
    """Prints a table of a few texts."""
    import rich
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from emotion_keras import shading
    from emotion_keras.shading.terminal import legend, shade

    layout, units = predictor.layout, predictor.unit_plural
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_lines=view is not None)
    names = ("labels", "%", "each, %") if predictor.several else ("label", "%", "others, %")
    for column in (predictor.singular, *names):
        table.add_column(column, justify="right" if column == "%" else "left")
    for text, one in zip(texts, answer(texts), strict=True):
        shown = Text(_in_line(text) if view else _cut(_in_line(text)))
        if view and one["label"]:
            shaded = shade(one, view, layout)
            shown = shaded if layout == "words" else shown.append("\n").append(shaded)
            shown.append(f"\n{shading.total(one, units, layout)}", style="dim")
        table.add_row(shown, *map(Text, _cells(one, top)))
    rich.print(table)
    if view:
        rich.print(legend(view, units, layout))
        rich.print(Text(shading.faithful(predictor.faithfulness, view, units)))


def _show_lines(answer, texts, predictor, top, view):
    """Prints a line for each of many texts."""
    for part in _in_parts(texts):
        for text, one in zip(part, answer(part), strict=True):
            label, confidence, others = _cells(one, top)
            cells = [label, confidence, others, _in_line(text)]
            if view:
                explanation = {name: one[name] for name in _explanation(predictor)}
                cells.append(json.dumps(explanation, ensure_ascii=False))
            print("\t".join(cells))
        sys.stdout.flush()
        if not is_read(sys.stdout):  # As behind `| head`.
            return


def _cells(answer, top):
    if not answer["label"]:
        return f"({answer['flag']})", "", ""
    ranked = _most_probable(answer)[:top]
    if "labels" in answer:
        return _cells_of_several(answer, ranked)
    label = answer["label"] + (f" ({answer['flag']})" if answer["flag"] else "")
    # Of an unsure answer the most probable label is one of the others.
    others = ranked if answer["label"] != answer.get("guess", answer["label"]) else ranked[1:]
    listed = ", ".join(f"{name} {100 * share:.0f}" for name, share in others)
    return label, f"{100 * ranked[0][1]:.0f}", listed


def _cells_of_several(answer, ranked):
    """The cells of an answer with several labels: `others` are all with their probabilities."""
    label = answer["label"].replace(",", ", ")
    label += f" ({answer['flag']})" if answer["flag"] else ""
    listed = ", ".join(f"{name} {100 * share:.0f}" for name, share in ranked)
    return label, f"{100 * answer['confidence']:.0f}", listed


def _cut(text):
    return text if len(text) <= _MOST_CHARACTERS else f"{text[: _MOST_CHARACTERS - 1]}…"


def _in_line(text):
    return " ".join(text.split())


# Options that are given without a value, so that a text may follow them.
_SWITCHES = {"explain", "resume"}


def _options_first(arguments):
    """Moves what is no option behind the options.

    Otherwise texts that stand behind an option would not be taken for texts, as argparse takes what
    may be empty for empty where it comes first.
    """
    names = (*_SWITCHES, "help", "help-all", "version", "print-config", "print_config")
    switches = {"-h", *(f"--{name}" for name in names)}
    options, others, waiting = [], [], iter(arguments)
    for argument in waiting:
        if argument == "--":
            others += waiting
        elif not argument.startswith("--") and argument != "-h":
            others.append(argument)
        else:
            options.append(argument)
            if argument not in switches and "=" not in argument:
                options += [value for value in [next(waiting, None)] if value is not None]
    return [*options, *(["--", *others] if others else [])]


def main(arguments: list[str] | None = None) -> int:
    """The command `python -m emotion_keras.predict`."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    program = "python -m emotion_keras.predict"
    parser = make_parser(program, __doc__, [PredictOptions], switches=_SWITCHES)
    parser.add_argument("run", help="Folder of a run or of an exported model, or `best`.")
    parser.add_argument("texts", nargs="*", default=[], help="Texts to label.")

    def run():
        # Standard output is for answers.
        notify = functools.partial(print, file=sys.stderr)
        predict(**vars(parser.parse_args(_options_first(arguments))), notify=notify)
        return 0

    return run_command(run, continues=False)


if __name__ == "__main__":
    sys.exit(main())
