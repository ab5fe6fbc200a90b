"""Label new texts: `python -m emotion_keras.predict RUN "a text" "another"`.

RUN is a run's folder, a folder that `emotion_keras.export` wrote (an ONNX model answers within a
second, without Keras), or `best`, the best finished run. Without texts, those on standard input are
taken, one a line; `--input` labels a file of any length into `--output`.
"""

import codecs
import contextlib
import hashlib
import json
import math
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from emotion_keras import record
from emotion_keras.command.entry import run_command
from emotion_keras.command.options import make_parser
from emotion_keras.errors import UserError
from emotion_keras.machine.terminal import is_read
from emotion_keras.record.options import Limit, Options, option

_LINES_AT_ONCE = 256
# What a label's column begins with, so that no label's name can be that of another column.
_PROBABILITY = "probability:"
# As a share of the gates' range in a text: background colours of 256, from pale to strong.
_SHADES = (230, 229, 222, 221, 220, 214)
_BLOCKS = "▁▂▃▄▅▆▇█"
# As many as stay on a line of 80 characters.
_MOST_BLOCKS = 14
_OF_WORDS = (
    "Words are shaded by their gate; +: the word that adds most to the label's score, "
    "-: the one that takes most."
)
_OF_UNITS = (
    "The higher a block, the more its {} adds to the label's score; ·: it adds nothing, or "
    "takes away."
)


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
        False, "Give the gate of each word, and what it adds to the label's score."
    )
    study: str | None = option(
        None, "With `best`, the study whose runs to choose from; unless given, all."
    )
    runs_dir: str = option("runs", "With `best`, folder of all runs.")


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

    def answer(part):
        return predictor(part, explain=asked.explain, long=asked.long)

    answer([])  # Options that do not suit the model are refused before anything is read.
    given = texts if texts or asked.input else _lines(sys.stdin, asked.encoding)
    if asked.output is None:
        view = _view_of(predictor.model.modality) if asked.explain else None
        _show(answer, given, bool(texts), asked.top, view)
    elif asked.output.endswith(".html"):
        from emotion_keras.inference.explained_page import write_page

        write_page(Path(asked.output), predictor, _in_parts(given), answer)
        notify(f"Written: {asked.output}")
    else:
        _write_table(answer, given, predictor, directory, asked, notify)


def _write_table(answer, given, predictor, directory, asked, notify):
    from emotion_keras.inference.labelling import label_file

    columns = [
        f"{asked.prefix}{name}" for name in _columns(predictor.labels, asked.top, asked.explain)
    ]
    if asked.input is None:
        table = _as_file(given, predictor.singular)
    else:
        table = contextlib.nullcontext(asked.input)
    with table as path:
        label_file(
            lambda part: _by_column(answer(part), columns, asked.prefix, asked.top),
            path,
            asked.output,
            column=_column_of(predictor.model.modality, asked),
            encoding=asked.encoding,
            resume=asked.resume,
            columns=columns,
            settings={"model": _identify(predictor.name, directory), "long": asked.long},
            modality=predictor.model.modality,
            notify=notify,
        )


_COLUMNS = ("text_column", "audio_column", "image_column")


def _column_of(modality, asked):
    """The column that is named, by the option of the model's modality."""
    named = {name: getattr(asked, name) for name in _COLUMNS}
    for name, column in named.items():
        if column is not None and name != modality.column_option:
            raise UserError(
                f"The model takes {modality.plural}: name their column with "
                f"`--{modality.column_option.replace('_', '-')}`. Received: {name}={column!r}"
            )
    return named[modality.column_option]


def _check(texts, asked):
    if asked.input and texts:
        raise UserError("Give texts, or a file of them with `--input`, not both.")
    if asked.input and not asked.output:
        raise UserError("Say where the labelled table shall be, with `--output`.")
    if (any(getattr(asked, name) for name in _COLUMNS) or asked.resume) and not asked.input:
        raise UserError(
            "`--text-column`, `--audio-column`, `--image-column` and `--resume` are for "
            "`--input`, a table."
        )
    if asked.output and asked.output.endswith(".html") and (asked.input or not asked.explain):
        raise UserError(
            "A page is made of texts that are given or come by standard input, with `--explain`; a "
            "file is labelled as CSV, TSV, JSON Lines or Parquet. "
            f"Received: output={asked.output!r}"
        )
    if asked.encoding:
        # Imported where it is needed: the table package takes a third of a second.
        from emotion_keras.tables.encodings import check_name

        check_name(asked.encoding)
        if texts:
            raise UserError("`--encoding` is for `--input` and for standard input.")


def _identify(name, directory):
    """A model's name and the checksum of its weights, which its folder's name does not tell."""
    files = (directory / file for file in (record.ONNX, record.MODEL, record.ESTIMATOR))
    with open(next(path for path in files if path.exists()), "rb") as file:
        return f"{name}, SHA-256 {hashlib.file_digest(file, 'sha256').hexdigest()}"


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


def _columns(labels, top, explain):
    """Names of the columns that are added to a file."""
    if top is None:
        names = [f"{_PROBABILITY}{label}" for label in labels]
    else:
        ranks = range(2, min(top, len(labels)) + 1)
        names = [f"{name}_{rank}" for rank in ranks for name in ("label", "confidence")]
    return ["label", "confidence", *names, "flag", *(["words"] if explain else [])]


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
    """The labels from the second on, numbered by their probability."""
    numbered = enumerate(_most_probable(answer)[1:], 2)
    return {
        f"{name}_{rank}": value
        for rank, pair in numbered
        for name, value in zip(("label", "confidence"), pair, strict=True)
    }


def _most_probable(answer):
    return sorted((answer["probabilities"] or {}).items(), key=lambda item: -item[1])


class _View(NamedTuple):
    """How the terminal shows an explanation.

    Args:
        draw: Function of a text and of its units that gives what is shown.
        legend: Sentence that says what it means.
    """

    draw: Callable
    legend: str


def _view_of(modality):
    if modality.units_recur:
        return _View(lambda text, units: _shade(units), _OF_WORDS)
    if modality.units_fill_a_square:
        return _View(lambda text, units: text + _square(units), _OF_UNITS.format("patch"))
    return _View(lambda text, units: text + _strip(units), _OF_UNITS.format("moment"))


def _show(answer, texts, is_table, top, view):
    """Prints a table of a few texts, or a line for each of many."""
    if is_table:
        import rich
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_lines=view is not None)
        for column in ("text", "label", "%", "others, %"):
            table.add_column(column, justify="right" if column == "%" else "left")
        answers = answer(texts)
        for text, one in zip(texts, answers, strict=True):
            shown = Text(_in_line(text))
            if view and one["label"]:
                shown = view.draw(shown, one["words"])
            table.add_row(shown, *map(Text, _cells(one, top)))
        rich.print(table)
        if view:
            rich.print(view.legend)
        return
    for part in _in_parts(texts):
        for text, one in zip(part, answer(part), strict=True):
            label, confidence, others = _cells(one, top)
            cells = [label, confidence, others, _in_line(text)]
            if view:
                cells.append(json.dumps(one["words"], ensure_ascii=False))
            print("\t".join(cells))
        sys.stdout.flush()
        if not is_read(sys.stdout):  # As behind `| head`.
            return


def _cells(answer, top):
    if not answer["label"]:
        return f"({answer['flag']})", "", ""
    best, *others = _most_probable(answer)[:top]
    label = answer["label"] + (f" ({answer['flag']})" if answer["flag"] else "")
    listed = ", ".join(f"{name} {100 * share:.0f}" for name, share in others)
    return label, f"{100 * best[1]:.0f}", listed


def _in_line(text):
    return " ".join(text.split())


def _shade(words):
    from rich.text import Text

    gates = [word["gate"] for word in words]
    low, high = min(gates), max(gates)
    added = [word["contribution"] for word in words]
    most, least = added.index(max(added)), added.index(min(added))
    shown = Text()
    for i, word in enumerate(words):
        share = (word["gate"] - low) / (high - low) if high > low else 0
        shade = _SHADES[round(share * (len(_SHADES) - 1))]
        mark = "+" if i == most else "-" if i == least and added[i] < 0 else ""
        shown.append(word["word"] + mark, style=f"black on color({shade})")
        shown.append(" ")
    return shown


def _strip(moments):
    """A few blocks, each as high as what its moments add to the label's score."""
    from rich.text import Text

    size = -(-len(moments) // _MOST_BLOCKS)
    starts = range(0, len(moments), size)
    added = [sum(moment["contribution"] for moment in moments[i : i + size]) for i in starts]
    return Text(f"\n{moments[0]['word']} {_blocks(added)} {moments[-1]['word']}")


def _square(patches):
    """A square of blocks, each as high as what its patch adds to the label's score."""
    from rich.text import Text

    side = math.isqrt(len(patches))
    blocks = _blocks([patch["contribution"] for patch in patches])
    rows = (blocks[i : i + side] for i in range(0, len(blocks), side))
    # A character is about twice as high as wide.
    return Text("".join("\n" + "".join(2 * block for block in row) for row in rows))


def _blocks(added):
    """A character for each of some numbers, as high as its share of the highest."""
    highest = max(*added, 1e-9)
    return "".join(
        _BLOCKS[min(int(len(_BLOCKS) * value / highest), len(_BLOCKS) - 1)] if value > 0 else "·"
        for value in added
    )


# Options that are given without a value, so that a text may follow them.
_SWITCHES = {"explain", "resume"}


def _options_first(arguments):
    """Moves what is no option behind the options.

    Otherwise texts that stand behind an option would not be taken for texts, as argparse takes what
    may be empty for empty where it comes first.
    """
    names = (*_SWITCHES, "help", "version", "print-config", "print_config")
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
        predict(**vars(parser.parse_args(_options_first(arguments))))
        return 0

    return run_command(run, continues=False)


if __name__ == "__main__":
    sys.exit(main())
