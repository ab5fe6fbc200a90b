"""Labels a file of any length: every row once and in order, whatever interrupts the work.

The table grows part by part in `<output>.part`, a Parquet file's parts in `<output>.parts/`, and
after each part, once it is on disk, `<output>.progress.json` says how far it is. What stands behind
that place when the work is resumed is cut off. The output's name is given to the whole table alone.
"""

import contextlib
import glob
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from emotion_keras import record, tables
from emotion_keras.command.progress import RowProgress
from emotion_keras.data.corpus import joined_notice
from emotion_keras.errors import UserError
from emotion_keras.inputs import Input, TextInput
from emotion_keras.tables import sinks

_RESUME = "The same command with --resume continues from there."


def label_file(
    predict: Callable[[list[Any]], Mapping[str, Sequence[Any]]],
    input_path: str | Path,
    output_path: str | Path,
    *,
    column: Any = None,
    encoding: str | None = None,
    resume: bool = False,
    columns: Sequence[str],
    settings: Mapping[str, Any],
    rows_at_a_time: int = 4096,
    modality: type[Input] = TextInput,
    notify: Callable[[str], Any] = print,
) -> dict[str, int]:
    """Writes a table again with new columns that are computed from its texts.

    Its own columns are kept, in their order and unchanged as far as the output's format can hold
    them: the cells of a delimited file as strings, the values of JSON, the types of Parquet. A
    delimited output is in UTF-8; it has the input's delimiter where its ending does not say
    another. Lists and objects are JSON in delimited files and Parquet, and so is in Parquet a
    column of JSON whose values are of several kinds. A character that a format cannot hold becomes
    U+FFFD.

    The input is read through before anything is labelled, so that a broken row ends the work before
    it begins.

    Args:
        predict: Function from a list of texts to a dictionary of lists as long, the new columns:
            of strings, numbers or `None`, or of lists or dictionaries, which are stored as JSON.
            It is called first when all else has been checked.
        input_path: CSV, TSV, JSON Lines or Parquet, which the name's ending tells; delimiter and
            encoding are detected.
        output_path: Where the table shall be, in any of these formats. What is there already is
            never overwritten.
        column: Column of the cells, or what else `Input.asked_columns` gives; guessed from usual
            names where `None`. A missing cell is an empty one.
        encoding: Encoding of a text file; found out where `None`.
        resume: Whether to go on with what was interrupted; where nothing was, it is begun.
        columns: Names of the new columns, in order.
        settings: JSON-able dictionary of all that the answers depend on: what was begun with
            others does not continue.
        rows_at_a_time: Most rows a call of `predict`, and most to be done again after a crash.
        modality: Class of the `Input` that reads the texts, or what else the model takes.
        notify: Called with messages.

    Returns:
        Dictionary of numbers of rows: `rows`, of the table; `labelled`, by this call; `empty`,
        without a text. All are 0 where the output was complete before.

    Raises:
        UserError: If the input is broken or another one than before, a new column's name is taken,
            the output exists or cannot be written. Rows that were labelled stay for `resume`.

    Example:

    >>> label_file(
    ...     lambda texts: {"length": [len(text) for text in texts]},
    ...     "reviews.csv",
    ...     "labelled.jsonl",
    ...     columns=["length"],
    ...     settings={},
    ...     column="body",
    ... )
    {'rows': 3, 'labelled': 3, 'empty': 1}
    """
    path, output = Path(os.path.expanduser(input_path)), Path(os.path.expanduser(output_path))
    sinks.output_format(output)
    with _only_one(output):
        if _is_complete(output, resume):
            notify(f"{output} is complete already. Delete it to make it again.")
            return {"rows": 0, "labelled": 0, "empty": 0}
        _check_leftovers(output, sinks.leftovers(output), resume)
        stamp = _stamp(path)
        source = tables.scan(path, option="input", encoding=encoding)
        if source.encoding.notice:
            notify(source.encoding.notice)
        table = tables.open_table(source)
        chosen = modality.choose_columns(path, table.columns, column)
        for name in chosen.names:
            tables.check_values(table, table.columns.index(name), modality)
        _check_new_columns(path, table.columns, columns)
        sink = sinks.open_sink(output, table, columns)
        made_from = {
            "input": source.sha256,
            "input_columns": table.columns,
            "text_column": ", ".join(chosen.names),
            "encoding": source.encoding.name,
            "columns": columns,
            "settings": settings,
        }
        if table.num_rows and table.describe().get("joined_lines"):
            notify(f"{path}: {joined_notice(table.describe())}")
        state = _begin(output, json.loads(json.dumps(made_from)), table.num_rows)
        before = state["rows"]
        if before:
            notify(f"{before:,} of {table.num_rows:,} rows are labelled already.")
        _tell_of_space(output, path, 1 - before / max(table.num_rows, 1), notify)
        with contextlib.closing(sink), _interruptible(state):
            parts = table.parts(before, rows_at_a_time)
            _label(
                predict,
                _with_cells(parts, table.columns, chosen, path, before, modality),
                columns,
                sink,
                output,
                state,
            )
            is_changed = source.is_stored and stamp != _stamp(path)
            if is_changed or state["rows"] != table.num_rows:
                raise UserError(
                    f"{path} was changed while it was labelled, and its rows may be of two files. "
                    f"{_start_over(output)}"
                )
            with _writing(output, state):
                os.replace(sink.finish(), output)
        _clean_up(output)
    return {
        "rows": table.num_rows,
        "labelled": table.num_rows - before,
        "empty": state["empty"],
    }


def _with_cells(parts, columns, chosen, path, start, modality):
    for part in parts:
        cells = tables.cells_of(part, columns, chosen, path, start)
        yield part, [modality.locate(cell, path.parent) for cell in cells]
        start += len(part)


def _label(predict, parts, columns, sink, output, state):
    with _writing(output, state):
        sink.start(state["position"])
    with RowProgress(state["total"], state["rows"]) as progress:
        for part, texts in parts:
            answers = predict(texts)
            _check_answers(answers, columns, len(texts))
            with _writing(output, state):
                reached = {
                    "position": sink.write(part, [answers[name] for name in columns]),
                    "rows": state["rows"] + len(texts),
                    "empty": state["empty"] + texts.count(""),
                }
                record.write_versioned(_journal(output), {**state, **reached})
            state.update(reached)
            progress.advance(len(texts))


def _check_answers(answers, columns, num_texts):
    lengths = {name: len(values) for name, values in answers.items()}
    if lengths != dict.fromkeys(columns, num_texts):
        raise ValueError(
            f"Of {num_texts} texts {num_texts} answers were expected in each of {columns}. "
            f"Received: {lengths}"
        )


def _journal(output):
    return output.with_name(f"{output.name}.progress.json")


def _read_journal(output):
    return record.read_versioned(_journal(output)) if _journal(output).exists() else None


def _is_complete(output, resume):
    """Whether there is nothing left to do; what is no finished work of ours is not overwritten."""
    if not output.exists():
        return False
    # It may have been stopped after the output had its name, and before the journal was removed.
    state = _read_journal(output)
    if not resume or (state and state["rows"] < state["total"]):
        raise UserError(
            f"{output} exists already, and is not overwritten. Delete it, or choose another name "
            f"with --output. Received: output={os.fspath(output)!r}"
        )
    _clean_up(output)
    return True


def _check_leftovers(output, leftovers, resume):
    state = _read_journal(output)
    if state and state["rows"] and not resume:
        raise UserError(
            f"{output} was begun before, and {state['rows']:,} rows of it are labelled. {_RESUME} "
            f"{_start_over(output)}"
        )
    if leftovers and not state:
        raise UserError(
            f"{leftovers[0]} is in the way: nothing says how far it is. {_start_over(output)}"
        )


def _start_over(output):
    paths = ", ".join(map(str, [_journal(output), *sinks.leftovers(output)]))
    return f"To start again, delete {paths}."


def _check_new_columns(path, columns, new):
    if taken := [name for name in new if name in columns]:
        raise UserError(
            f"{path} has columns of the names that the new ones get: {', '.join(taken)}. Give the "
            f"new ones others with `--prefix`. Its columns: {', '.join(columns)}."
        )


def _begin(output, made_from, total):
    """Where the work stands, as the journal says, which is written before anything else."""
    state = _read_journal(output)
    if state and state["rows"]:
        _check_same(output, state["made_from"], made_from)
        return state
    state = {"made_from": made_from, "total": total, "rows": 0, "empty": 0, "position": 0}
    with _writing(output, state):
        record.write_versioned(_journal(output), state)
    return state


def _check_same(output, before, now):
    what = {
        "input": "another input, or the input was changed",
        "input_columns": "an input with other columns",
        "text_column": "another column",
        "encoding": "another encoding",
        "columns": "other new columns",
        "settings": "other settings",
    }
    for name, other in what.items():
        if before.get(name) != now[name]:
            difference = _difference(before.get(name), now[name])
            raise UserError(
                f"{output} was begun with {other}, and its rows would not go together. Give what "
                f"it was begun with. {_start_over(output)} {difference}"
            )


def _difference(before, now):
    if isinstance(before, dict) and isinstance(now, dict):
        names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
        before, now = ({name: values.get(name) for name in names} for values in (before, now))
    return f"Before: {json.dumps(before)}. Received: {json.dumps(now)}"


def _tell_of_space(output, path, share, notify):
    free, needed = shutil.disk_usage(output.parent).free, path.stat().st_size * share
    if free < needed:
        notify(
            f"The disk of {output} has {free / 1e9:.1f} GB left, and the rows to come may need "
            f"more than {needed / 1e9:.1f} GB. If it gets full, the work can continue later."
        )


def _stamp(path):
    """What changes when a file is changed; `None` where there is no file."""
    with contextlib.suppress(OSError):
        status = path.stat()
        return status.st_size, status.st_mtime_ns


@contextlib.contextmanager
def _only_one(output):
    """Keeps a second process from writing the same file."""
    with _writing(output, {"rows": 0}):
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output.parent):
            pass  # A lock that cannot be made looks as one that another process has.
    lock = FileLock(output.with_name(f"{output.name}.lock"), timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise UserError(
            f"Another process is labelling into {output}. Wait for its end, or choose another "
            "name with --output."
        ) from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.unlink(lock.lock_file)
        lock.release()


@contextlib.contextmanager
def _writing(output, state):
    try:
        yield
    except OSError as error:
        reason = f"{output} cannot be written: {error.strerror or error}."
        if not state["rows"]:
            raise UserError(f"{reason} Choose another place with --output.") from error
        raise UserError(
            f"{reason} {state['rows']:,} rows are labelled and stay. Make room. {_RESUME}"
        ) from error


@contextlib.contextmanager
def _interruptible(state):
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"Stopped. {state['rows']:,} of {state['total']:,} rows are labelled. {_RESUME}"
        ) from None


def _clean_up(output):
    sinks.discard(output)
    journal = _journal(output)
    journal.unlink(missing_ok=True)
    # What a kill left of the journal's next state.
    for part in output.parent.glob(f"{glob.escape(journal.name)}.*.part"):
        part.unlink(missing_ok=True)
