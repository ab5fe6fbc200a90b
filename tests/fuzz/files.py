"""Reads and answers files that nobody would write on purpose, and looks for what must not happen.

    python tests/fuzz/files.py [--files 10000] [--seed 0]

Each file is a table in one of the formats, of which it is known what is in it, or such a table with
some of its bytes changed. Of each, the reader of `fit` and `predict --input` must end with a corpus
or a message; rows must add up; and where the file was not damaged, each text must come back as it
was written. A finding is printed with the seed that makes its file again. 10,000 files take five
minutes of CPU time; the suite reads two hundred.
"""

import argparse
import bz2
import csv
import gzip
import io
import json
import lzma
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

import pyarrow
import rich.progress
from pyarrow import parquet

sys.path.insert(0, str(Path(__file__).parents[2]))

from emotion_keras.data import load_corpus, prepare
from emotion_keras.errors import UserError
from emotion_keras.inference.labelling import label_file

MOST_SECONDS = 10
MOST_MEMORY = 2 << 30

# fmt: off
WORDS = [
    "joy", "fear", "a", "b c", "I was late", "café", "col\u00e8re", "cole\u0300re", "你好",
    "привет", "שלום", "😀", "é", "“x”", "", " ", "  x ", "NA", "null", "nan", "None", "~", "#1",
    "1", "1.0", "true", "-", "=1+1", '"', '"a"', 'he said "no"', 'a "b', '""', "it's", "a,b",
    "a;b", "a\tb", "a|b", "a\nb", "a\r\nb", "a\n\nb", "\\", "\\n", "<b>", "[red]x[/red]", "label",
    "text", "id", "split", "\u200b", "\xa0", "\ufeff", "\u2028", "x" * 300, "!!!", "...",
]
# fmt: on
HEADERS = ["text", "label", "id", "who", "Text ", "emotion", "", "note", "text"]
ENCODINGS = ["utf-8"] * 6 + ["utf-8-sig", "utf-16", "utf-32", "cp1252", "cp1251", "gb18030"]


class Table:
    """A table as it was made: what is in it, and its bytes.

    Args:
        chance: `random.Random`.
    """

    def __init__(self, chance):
        others = [name for name in chance.sample(HEADERS[2:], chance.randint(0, 2))]
        self.columns = ["text", "label", *(name for name in others if name.strip() != "text")]
        self.columns = [name for name in self.columns if name.strip().lower() != "emotion"]
        chance.shuffle(self.columns)
        if chance.random() < 0.15:
            self.columns = ["text"]  # Which `fit` refuses, for want of labels.
        self.rows = [
            [chance.choice(WORDS) for _ in self.columns]
            if chance.random() < 0.9
            else [""] * len(self.columns)
            for _ in range(chance.randint(0, 12))
        ]
        makers = [self._csv] * 3 + [self._tsv, self._json_lines, self._parquet]
        self.name, content = chance.choice(makers)(chance)
        self.is_damaged = chance.random() < 0.5
        if self.is_damaged:
            content = _damage(chance, content)
        pack = chance.choice([None] * 8 + [".gz", ".bz2", ".xz", ".zst"])
        if pack and self.name != "a.parquet":
            self.name += pack
            content = _pack(pack, content)
            if self.is_damaged and chance.random() < 0.3:
                content = _damage(chance, content)
        self.content = content

    def _csv(self, chance):
        file = io.StringIO(newline="")
        end = chance.choice(["\n", "\r\n"])
        writer = csv.writer(
            file,
            # Without a delimiter in the header it can be a comma alone.
            delimiter=chance.choice(",,,;|") if len(self.columns) > 1 else ",",
            quoting=chance.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
            lineterminator=end,
        )
        for row in [self.columns, *self.rows]:
            if any(row) or chance.random() < 0.3:
                writer.writerow(row)
            else:
                file.write(end)
        return "a.csv", self._encoded(chance, file.getvalue())

    def _tsv(self, chance):
        """Without quotes: cells hold neither tabs nor line ends, nor an empty pair of quotes."""
        self.rows = [[" ".join(cell.split("\t")) for cell in row] for row in self.rows]
        self.rows = [[" ".join(cell.splitlines()) for cell in row] for row in self.rows]
        self.rows = [["x" if cell == '""' else cell for cell in row] for row in self.rows]
        lines = ["\t".join(row) for row in [self.columns, *self.rows]]
        return "a.tsv", self._encoded(chance, "\n".join(lines) + "\n")

    def _json_lines(self, chance):
        lines = [
            json.dumps(
                dict(zip(self.columns, row, strict=True)), ensure_ascii=chance.random() < 0.5
            )
            for row in self.rows
        ]
        return "a.jsonl", self._encoded(chance, "".join(f"{line}\n" for line in lines))

    def _parquet(self, chance):
        columns = list(zip(*self.rows, strict=True)) or [[] for _ in self.columns]
        arrays = [pyarrow.array(list(cells), pyarrow.string()) for cells in columns]
        if chance.random() < 0.3:
            arrays = [array.dictionary_encode() for array in arrays]
        file = io.BytesIO()
        parquet.write_table(pyarrow.Table.from_arrays(arrays, names=self.columns), file)
        return "a.parquet", file.getvalue()

    def _encoded(self, chance, text):
        self.encoding = chance.choice(ENCODINGS)
        if self.encoding == "gb18030" and "\ufeff" in text:
            self.encoding = "utf-8"  # Its four bytes are digits and quotes of Windows-1252.
        try:
            return text.encode(self.encoding)
        except UnicodeEncodeError:
            self.encoding = "utf-8"
            return text.encode()


def _damage(chance, content):
    """Changes, removes, repeats or cuts some bytes."""
    content = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        place = chance.randint(0, len(content))
        kind = chance.randint(0, 5)
        if kind == 0:
            del content[place:]
        elif kind == 1:
            content[place:place] = bytes(chance.randrange(256) for _ in range(chance.randint(1, 4)))
        elif kind == 2:
            content[place:place] = chance.choice(
                [
                    b'"',
                    b"\t",
                    b",",
                    b"\n",
                    b"\r",
                    b"\0",
                    b"\xff",
                    b"\xe9",
                    b"NaN",
                    b"{",
                    b"[[[[",
                    b"\\",
                ]
            )
        elif kind == 3:
            del content[place : place + chance.randint(1, 9)]
        elif kind == 4:
            content[place:place] = content[max(0, place - 20) : place] * chance.choice([1, 2, 500])
        elif content and place < len(content):
            content[place] ^= 1 << chance.randrange(8)
    return bytes(content)


def _pack(ending, content):
    if ending == ".zst":
        return pyarrow.compress(content, codec="zstd", asbytes=True)
    return {".gz": gzip, ".bz2": bz2, ".xz": lzma}[ending].compress(content)


def check(seed: int, folder: Path) -> str | None:
    """Makes the file of a seed and reads it in both ways.

    Args:
        seed: Integer.
        folder: Where the file is written.

    Returns:
        What is wrong, or `None`.
    """
    table = Table(random.Random(seed))
    path, output = folder / table.name, folder / "out.jsonl"
    path.write_bytes(table.content)
    seen = []

    def predict(texts):
        seen.extend(texts)
        return {"answer": texts}

    started = time.monotonic()
    signal.alarm(2 * MOST_SECONDS)
    try:
        corpus = _ended(lambda: load_corpus(path, notify=_ignore))
        answered = _ended(
            lambda: label_file(
                predict,
                path,
                output,
                column="text",
                columns=["answer"],
                settings={},
                notify=_ignore,
            )
        )
        if corpus is not None:
            problem = _add_up(corpus) or _alike(corpus, answered, seen)
            if problem:
                return problem
        if not table.is_damaged:
            return _as_written(table, answered, seen)
        if time.monotonic() - started > MOST_SECONDS:
            return f"took {time.monotonic() - started:.0f} s"
    except Exception:
        return traceback.format_exc()
    finally:
        signal.alarm(0)
        for left in folder.iterdir():
            left.unlink()
    return None


def _ignore(message):
    pass


def _ended(function):
    """What a function returns; `None` where it ends with a message."""
    try:
        return function()
    except UserError as error:
        assert str(error).strip(), "a message without words"
        return None


def _add_up(corpus):
    if corpus.reading["rows"] != len(corpus):
        return f"{corpus.reading['rows']} rows were read, and {len(corpus)} are there"
    try:
        prepared, audit = prepare(corpus)
    except UserError:
        return None
    found = audit.to_dict()
    removed = sum(
        n for step in found["steps"] for by in step["removed"].values() for n in by.values()
    )
    by_label = found["labels"].values()
    if found["num_in"] != found["num_out"] + removed or found["num_out"] != len(prepared):
        return f"{found['num_in']} in, {found['num_out']} out, {removed} removed"
    if found["num_in"] != sum(row["in"] for row in by_label):
        return f"{found['num_in']} in, by label {found['labels']}"
    return None


def _alike(corpus, answered, seen):
    if answered is not None and seen != corpus.examples["text"].tolist():
        return f"fit reads {corpus.examples['text'].tolist()}, predict {seen}"
    return None


def _as_written(table, answered, seen):
    """Whether what was written came back; a file that is refused lacks what makes it plain."""
    written = [row[table.columns.index("text")] for row in table.rows]
    if answered is None:
        is_plain = getattr(table, "encoding", "utf-8").startswith("utf")
        is_empty = table.name.startswith("a.jsonl") and not table.rows
        is_twice = table.columns.count("text") > 1
        return (
            "refused, though nothing is wrong" if is_plain and not (is_empty or is_twice) else None
        )
    is_read = table.name.startswith(("a.jsonl", "a.parquet"))
    if not is_read:
        # Empty lines at the end are no rows, unless delimiters or quotes stand in them.
        while len(written) > len(seen) and not any(table.rows[len(written) - 1]):
            written.pop()
    if seen == written or [text.lstrip(" ") for text in seen] == [w.lstrip(" ") for w in written]:
        return None
    return f"{table.name}: written {written}, read {seen}"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=10_000, help="how many files")
    parser.add_argument("--seed", type=int, default=0, help="the first file's seed")
    parser.add_argument("--findings", type=int, default=10, help="stop after so many")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))
    findings = 0
    with tempfile.TemporaryDirectory() as folder:
        seeds = range(arguments.seed, arguments.seed + arguments.files)
        for seed in rich.progress.track(seeds, description="Files"):
            problem = check(seed, Path(folder))
            if problem:
                print(f"seed {seed}: {problem}", flush=True)
                findings += 1
            if findings == arguments.findings:
                break
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"{findings} findings; peak memory {memory / 1e9:.2f} GB")
    return int(bool(findings) or memory > MOST_MEMORY)


if __name__ == "__main__":
    sys.exit(main())
