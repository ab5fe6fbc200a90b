"""Tables of texts: CSV, TSV, JSON Lines, Parquet and workbooks, read alike by all commands.

`scan` opens a file or a pipe and finds its encoding, `open_table` reads it part by part,
`choose_column` and `read_table` take what matters of it, and `sinks` writes tables.
"""

from emotion_keras.tables.cells import ABSENT, as_cell, as_json, as_text
from emotion_keras.tables.columns import (
    LABEL_NAMES,
    CellColumns,
    cells_of,
    check_values,
    choose_column,
    match_columns,
    read_table,
)
from emotion_keras.tables.delimited import DelimitedTable
from emotion_keras.tables.json_lines import JsonLinesTable
from emotion_keras.tables.parquet import ParquetTable, parquet_file
from emotion_keras.tables.source import (
    ACCEPTED,
    DELIMITED,
    JSON_LINES,
    PARQUET,
    WORKBOOK,
    Source,
    format_of,
    is_pipe,
    scan,
)
from emotion_keras.tables.workbook import WorkbookTable

__all__ = [
    "ABSENT",
    "ACCEPTED",
    "CellColumns",
    "DELIMITED",
    "JSON_LINES",
    "LABEL_NAMES",
    "PARQUET",
    "Source",
    "Table",
    "WORKBOOK",
    "as_cell",
    "as_json",
    "as_text",
    "cells_of",
    "check_values",
    "choose_column",
    "format_of",
    "is_pipe",
    "match_columns",
    "open_table",
    "parquet_file",
    "read_table",
    "scan",
]

Table = DelimitedTable | JsonLinesTable | ParquetTable | WorkbookTable


def open_table(source: Source) -> Table:
    """Opens a table.

    Args:
        source: What `scan` returned.

    Returns:
        `DelimitedTable`, `JsonLinesTable`, `ParquetTable` or `WorkbookTable`, which have `columns`,
        `num_rows`, `schema()`, `check_values(index)`, `parts(start, most_rows)` and `describe()` in
        common. What a part takes in memory has a bound, however long the table and however wide
        its rows.

    Raises:
        UserError: If the table is broken; the message names the line.

    Example:

    >>> table = open_table(scan("reviews.csv"))
    >>> table.columns
    ['body', 'mood']
    >>> for part in table.parts(start=0, most_rows=1000):
    ...     print(part.column(table.columns.index("body")))
    ['I was late.', 'We won!', '']
    """
    readers: dict[tuple[str, ...], type[Table]] = {
        DELIMITED: DelimitedTable,
        JSON_LINES: JsonLinesTable,
        PARQUET: ParquetTable,
        WORKBOOK: WorkbookTable,
    }
    return readers[source.format](source)
