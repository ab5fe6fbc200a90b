"""Tries random command lines: `KERAS_BACKEND=torch python -m tests.fuzz.command_lines 1000`.

Each is a line that a careless user, or a hostile one, may type: every option of every command, with
values that are right, wrong, or strange, in a strange environment. Training and serving are not
begun. A finding is a line that ends with a traceback, with another exit code than 0, 1 or 2, after
more than 10 s of CPU, or with more than 2 GB. It is printed, and can be tried again by its seed.
"""

import argparse
import contextlib
import dataclasses
import functools
import io
import json
import os
import random
import resource
import shlex
import shutil
import signal
import sys
import tempfile
import traceback
import typing
from pathlib import Path
from typing import NamedTuple

# A process that is forked from one with threads of torch would wait for them.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from emotion_keras import combine, compare, evaluate, export, fit, predict, serve
from emotion_keras.data import corpus
from emotion_keras.data.options import DATA_STAGES, Reading
from emotion_keras.inference import export as exporting
from emotion_keras.inference.options import ExportOptions
from emotion_keras.models import MODELS
from emotion_keras.models.baselines import BASELINES
from emotion_keras.service.options import ServiceOptions
from emotion_keras.studies import comparison, study
from emotion_keras.studies.options import CombineOptions, EvaluateOptions
from emotion_keras.training import run as training_run
from emotion_keras.training.options import PlaceOptions, RunOptions
from emotion_keras.training.settings import stage_classes
from reports import findings, render
from tuning import paper, parallel, search, sensitivity

SECONDS = 10
MEMORY = 2 * 2**30


class Began(BaseException):
    """What would take long was about to begin: the command line was taken."""


class Command(NamedTuple):
    """A command.

    Args:
        main: Function of a list of arguments.
        classes: List of the classes of its options.
        positional: List of what may stand without an option.
        least: Integer, how many of these stand there at least.
    """

    main: object
    classes: list
    positional: list = ()
    least: int = 0


def _of_fit():
    stages = [stage_classes(model) for model in (*MODELS, *BASELINES)]
    of_models = {one: None for of_model in stages for one in of_model.values()}
    return [fit.SourceOptions, RunOptions, PlaceOptions, *of_models]


_DATA = list(DATA_STAGES.values())
RUNS = ["run", "network", "best", "missing", "folder", "file.txt", "", "no\0", "/dev/null"]
COMMANDS = {
    "fit": Command(fit.main, _of_fit()),
    "compare": Command(compare.main, [comparison.CompareOptions, *_DATA]),
    "predict": Command(
        predict.main, [predict.PredictOptions], [*RUNS, "a text", "", "--", "-x", "\ud800", "😀"], 1
    ),
    "combine": Command(combine.main, [CombineOptions], RUNS, 2),
    "evaluate": Command(evaluate.main, [EvaluateOptions, Reading], RUNS, 1),
    "export": Command(export.main, [ExportOptions], RUNS, 1),
    "serve": Command(serve.main, [serve.AddressOptions, ServiceOptions], RUNS, 1),
    "search": Command(search.main, [search.SearchOptions, *_DATA]),
    **{
        name: Command(
            lambda arguments, name=name: sensitivity.main([name, *arguments]),
            [options, sensitivity.AnalysisOptions, *_DATA],
        )
        for name, options in sensitivity.ANALYSES.items()
    },
    "paper": Command(paper.main, [paper.PaperOptions, *_DATA]),
    "render": Command(
        render.main, [render.RenderOptions], ["runs", "missing", "/dev/null", "file.txt"]
    ),
}

TEXTS = [
    *(
        "",
        " ",
        "a",
        "joy,fear",
        "#x",
        "null",
        "~",
        "~nobody",
        "~/x",
        "-x",
        "--",
        "=",
        "a b",
        "é喜😀",
    ),
    *("\ud800", "no\0", "a\nb", "%s", "%(default)s", "{0}", "[x", "*", "'", '"', '"a', ",", ",,"),
    *("x" * 300, "x" * 5000, "x/" * 3000, "../..", ".", "..", "/dev/null", "/dev/full", "/proc/x"),
    *("folder", "missing/x", "file.txt/x", "/dev/zero", "/dev/urandom", "unreadable", "loop"),
]
NUMBERS = [
    *("0", "1", "2", "-1", "3.5", "1e400", "-0.0", "nan", "inf", "-inf", "9" * 30, "9" * 5000),
    *("1e-320", "0x10", "1_0", "010", "null", "", "true", "٣", "2147483648", "4294967296", "0.999"),
]
NAMES = {
    "data": ["days.csv", "situations", "isear", "auto", "empty.csv", "broken.csv", "days.xlsx"],
    "models": ["majority", "cnn", "cnn,bert", "cnn@x", "@", "cnn@", "bert@scratch", "cnn@folder"],
    "model": ["majority", "cnn", "bert", "gated_transformer", "cnn@scratch", "tfidf_svm@x"],
    "encoder": [
        "scratch",
        "minilm",
        "e5",
        "embeddings",
        "glove",
        "vectors.txt",
        "folder",
        "file.txt",
    ],
    "config": ["good.yaml", "deep.yaml", "bytes.yaml", "wrong.yaml", "list.yaml", "a: 1", "{"],
    "settings": ["good.yaml", "deep.yaml", "bytes.yaml", "settings.yaml", "best.json"],
    "space": ["space.yaml", "mixed.yaml", "good.yaml", "deep.yaml", "bytes.yaml"],
    "from-run": ["run", "network", "folder", "missing", "damaged"],
    "from-trial": ["best.json", "good.yaml", "deep.yaml", "settings.yaml", "bytes.yaml"],
    "input": ["days.csv", "empty.csv", "broken.csv", "deep.jsonl", "bytes.yaml", "good.parquet"],
    "output": ["out.csv", "out.jsonl", "out.parquet", "out.html", "days.csv", "folder/out.csv"],
    "noise": ["typos:0.1", "labels:0.2", "typos", "x:1", "typos:nan", "typos:2", ":", "a:b:c"],
    "labels": ["joy,fear", "joy", '"joy",fear', '"joy'],
    "text-column": ["text", "label", "days"],
    "label-column": ["label", "text"],
    "host": ["127.0.0.1", "nowhere.invalid", "::1", "256.1.1.1", "é" * 70, "a..b"],
    "runs-dir": ["runs", "new", "folder", "file.txt"],
    "study": ["fit", "a/b", "..", "compared"],
}
ENVIRONMENT = {
    "KERAS_BACKEND": ["nonsense", "", "jax"],
    "KERAS_HOME": ["/dev/null", "missing", "~nobody", ""],
    "HOME": ["/missing", "", "/dev/null"],
    "TMPDIR": ["/missing", "/dev/null"],
    "COLUMNS": ["0", "-1", "x", "1", "100000"],
    "LINES": ["0"],
    "TERM": ["dumb", "nonsense", ""],
    "NO_COLOR": ["1"],
    "FORCE_COLOR": ["1"],
    "PYTHONIOENCODING": ["ascii"],
    "CUDA_VISIBLE_DEVICES": ["x", "", "-1"],
    "KERASTUNER_TUNER_ID": ["chief", "tuner0"],
    "KERASTUNER_ORACLE_IP": ["127.0.0.1", "x"],
    "KERASTUNER_ORACLE_PORT": ["0", "x", "99999", "8000", "²"],
    "PATH": ["", "/missing"],
    "SOURCE_DATE_EPOCH": ["x", "-1", "99999999999999"],
}


def _value(chance, name, annotation, default):
    """A value of an option: usual, of its type, or strange."""
    named = NAMES.get(name, [])
    if named and chance.random() < 0.7:
        return chance.choice(named)
    if chance.random() < 0.3:
        return "null" if default is None else str(default)
    kinds = {annotation, *typing.get_args(annotation)}
    if typing.get_origin(annotation) is typing.Literal and chance.random() < 0.7:
        return chance.choice(typing.get_args(annotation))
    if kinds & {int, float} and chance.random() < 0.8:
        number = chance.choice(NUMBERS)
        return f"[{number}, 1]" if "tuple" in str(annotation) else number
    return chance.choice([*TEXTS, *TEXTS, *NUMBERS])


def make_line(chance):
    """A random command line: its command's name, its arguments, and changes of the environment."""
    name = chance.choice(list(COMMANDS))
    command = COMMANDS[name]
    options = {}
    for field in (field for one in command.classes for field in dataclasses.fields(one)):
        options[field.name.replace("_", "-")] = field.type, field.default
    options["config"] = str, "good.yaml"
    if name == "fit":
        options |= {"from-run": (str, "run"), "from-trial": (str, "best.json")}
    number = min(len(options), int(chance.expovariate(0.4)))
    chosen = chance.sample(list(options), number)
    if "data" in options and chance.random() < 0.8:
        chosen.append("data")
        options["data"] = str, "days.csv"
    arguments = []
    for option in chosen:
        value = _value(chance, option, *options[option])
        form = chance.random()
        arguments += [f"--{option}={value}"] if form < 0.7 else [f"--{option}", value]
        if form > 0.99:
            arguments.pop()
    for _ in range(chance.choice([command.least, command.least, len(command.positional) and 3])):
        arguments.insert(chance.randint(0, len(arguments)), chance.choice(command.positional))
    if chance.random() < 0.03:
        arguments.append(chance.choice(["--help", "--print_config", "--nonsense", "-h", "--", "-"]))
    if chance.random() < 0.02:
        arguments.append(chance.choice(TEXTS))
    environment = {}
    while chance.random() < 0.3:
        variable = chance.choice(list(ENVIRONMENT))
        environment[variable] = chance.choice(ENVIRONMENT[variable])
    return name, arguments, environment


def make_folder(folder):
    """Makes the files that command lines name."""
    emotions = {"joy": "sunny day", "fear": "dark night", "anger": "loud noise"}
    rows = [
        f"on a {text} number {i} we met,{label}"
        for i in range(20)
        for label, text in emotions.items()
    ]
    (folder / "days.csv").write_text("text,label\n" + "\n".join(rows) + "\n")
    texts = {
        "empty.csv": "",
        "broken.csv": 'text,label\n"a,joy\n',
        "days.xlsx": "no workbook",
        "file.txt": "a file",
        "vectors.txt": "day 0 1\nnight 1 0\n",
        "good.yaml": "data: days.csv\nseed: 1\n",
        "wrong.yaml": "seed: [1]\nnonsense: {a: *b}\n",
        "list.yaml": "- 1\n",
        "deep.yaml": "[" * 100_000,
        "deep.jsonl": "[" * 100_000,
        "settings.yaml": "networks: {epochs: 1, jit: on}\n",
        "space.yaml": "learning_rate: [1e-4, 1e-3]\n",
        "mixed.yaml": "epochs: [1, 2.5, x, null, [1], {a: b}]\n",
    }
    for name, content in texts.items():
        (folder / name).write_text(content)
    (folder / "bytes.yaml").write_bytes(b"\xff\xfe\x00\x80data: x")
    (folder / "good.parquet").write_bytes(b"PAR1PAR1")
    best = {"schema_version": 1, "contender": "cnn@scratch", "options": {"epochs": 1}}
    (folder / "best.json").write_text(json.dumps(best))
    for name in ("folder", "unreadable", "damaged"):
        (folder / name).mkdir()
    (folder / "unreadable").chmod(0)
    (folder / "loop").symlink_to("loop")
    (folder / "damaged" / "run.json").write_text('{"schema_version": 1, "model": 3}')
    make = functools.partial(
        training_run.fit, data=str(folder / "days.csv"), notify=lambda message: None
    )
    toy = {"encoder": "scratch", "epochs": 1, "embedding_dim": 8, "num_heads": 2}
    runs = str(folder / "runs")
    shutil.copytree(make(model="tfidf_svm", runs_dir=runs), folder / "run")
    toy |= {"vocabulary_size": 100, "num_layers": 1, "intermediate_dim": 8, "sequence_length": 16}
    shutil.copytree(make(model="gated_transformer", runs_dir=runs, **toy), folder / "network")


def _stop(*arguments, **options):
    raise Began


def _offline():
    raise OSError("there is no network")


def stub():
    """Stops what takes long where it would begin."""
    training_run.train_network = training_run.train_baseline = _stop
    study.run_tasks = search._try_settings = parallel.run_here = _stop
    serve._run = exporting.explaining_model = exporting._with_named_output = _stop
    findings.gather = _stop
    exporting.keras.backend.backend = lambda: "tensorflow"
    corpus._probe = _offline


def run_line(name, arguments, environment):
    """Runs a command line in this process.

    Returns:
        `None`, or what is wrong with how it ended.
    """
    os.environ.update(environment)
    tempfile.tempdir = None
    output = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    errors = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace")
    sys.stdin = io.TextIOWrapper(io.BytesIO(b"a text\n\xff\n"), encoding="utf-8")
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            code = COMMANDS[name].main(arguments)
    except Began:
        return None
    except SystemExit as end:
        code = end.code
    except BaseException:
        return traceback.format_exc()
    if code not in (None, 0, 1, 2):
        return f"exit code {code!r}"
    if b"Traceback" in errors.buffer.getvalue():
        return errors.buffer.getvalue().decode()
    return None


def try_line(folder, line):
    """Runs a command line in a process and a folder of its own; see `run_line`."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        os.chdir(folder)
        os.environ["HOME"] = str(folder)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        # Of CPU; waiting has more time, as other processes may keep the machine busy.
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        signal.alarm(4 * SECONDS)
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
        with open(os.devnull, "r+b") as nothing:
            for number in (0, 1, 2):
                os.dup2(nothing.fileno(), number)
        found = run_line(*line)
        with contextlib.suppress(BaseException):
            os.write(write, (found or "").encode("utf-8", "backslashreplace")[-60_000:])
        os._exit(0)
    os.close(write)
    with open(read, "rb") as file:
        found = file.read().decode()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        number = signal.Signals(os.WTERMSIG(status))
        is_late = number in (signal.SIGALRM, signal.SIGXCPU, signal.SIGKILL)
        return "too slow" if is_late else f"killed by {number.name}"
    return found


def as_shell(name, arguments, environment):
    """A line as it can be read; not all of it can be typed."""
    variables = [f"{variable}={shlex.quote(value)}" for variable, value in environment.items()]
    shown = [*variables, name, *map(shlex.quote, arguments)]
    return " ".join(part if len(part) < 200 else f"{part[:60]}...({len(part)})" for part in shown)


def main():
    """Tries lines, prints findings, one of a kind; returns how many kinds there were."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("number", type=int, help="How many command lines to try.")
    parser.add_argument(
        "--seed", type=int, default=0, help="The first line's seed; the next has one more."
    )
    options = parser.parse_args()
    kinds = {}
    with tempfile.TemporaryDirectory() as place:
        original = Path(place) / "original"
        original.mkdir()
        make_folder(original)
        stub()
        for seed in range(options.seed, options.seed + options.number):
            if (seed - options.seed) % 1000 == 0:
                print(f"from seed {seed}", file=sys.stderr, flush=True)
            if (seed - options.seed) % 50 == 0:  # What lines have written is in the way of others.
                folder = Path(place) / "folder"
                shutil.rmtree(folder, ignore_errors=True)
                shutil.copytree(original, folder, symlinks=True)
            line = make_line(random.Random(seed))
            found = try_line(folder, line)
            if not found:
                continue
            places = [part for part in found.splitlines() if part.startswith('  File "')]
            kind = (found.splitlines() or [""])[-1][:60], *places[-1:]
            kinds[kind] = kinds.get(kind, 0) + 1
            if kinds[kind] == 1:
                print(f"\n--- seed {seed}: {as_shell(*line)}".encode("utf-8", "replace").decode())
                print("\n".join(found.splitlines()[-14:]), flush=True)
    print(f"{options.number} lines, {sum(kinds.values())} findings of {len(kinds)} kinds.")
    return len(kinds)


if __name__ == "__main__":
    sys.exit(min(main(), 100))
