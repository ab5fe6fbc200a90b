"""Load: a service under steady requests, and under malformed ones.

    python tests/benchmarks/service_load.py FOLDER [--rate 150] [--seconds 60] [--record]
    python tests/benchmarks/service_load.py FOLDER --fuzz 10000

Starts the service of a run's folder and asks for one text a request, of the built-in corpus, over
loopback. Requests begin by a schedule, whether earlier ones have been answered or not, and their
latency is counted from when they were due: a service that falls behind cannot hide it. The client
takes part of the cores that the service has. With `--fuzz` schemathesis makes requests that break
the service's schema instead (it is installed with the tests).

Takes a minute, and the fuzz ten; run nothing beside it.
"""

import argparse
import asyncio
import collections
import contextlib
import csv
import json
import re
import signal
import statistics
import subprocess
import sys
import time
import urllib.parse

import history
import processes

MOST_MEDIAN = 0.05
MOST_99TH = 0.1
_TEXTS = processes.ROOT / "emotion_keras" / "data" / "situations.csv"


@contextlib.contextmanager
def service(folder):
    """Runs the service of a folder; gives its address, and checks that it ends well."""
    command = [sys.executable, "-m", "emotion_keras.serve", folder, "--port", "0"]
    process = subprocess.Popen(
        command, env=processes.environment(), stdout=subprocess.PIPE, text=True
    )
    try:
        found = re.search(r"http://\S+", process.stdout.readline())
        if not found:
            sys.exit("The service did not start.")
        yield found[0]
    finally:
        process.send_signal(signal.SIGTERM)
        peak = processes.wait(process)
    print(f"The service ended with {process.returncode}; peak memory {peak / 1e9:.2f} GB.")


async def drive(address, texts, rate, seconds):
    """Sends requests by the clock.

    Args:
        address: URL of the service.
        texts: List of strings, sent one after the other, again and again.
        rate: Requests a second.
        seconds: For how long.

    Returns:
        Latencies in seconds of what was answered with status 200, and a `Counter` of all others
        by status or error.
    """
    # One string of bytes a text, made beforehand: the client has no core to waste.
    requests = [_request(address, text) for text in texts]
    url = urllib.parse.urlsplit(address)
    idle, latencies, errors = [], [], collections.Counter()
    loop = asyncio.get_running_loop()
    start = loop.time()

    async def ask(number, due):
        try:
            async with asyncio.timeout(30):
                connection = await _connect(idle, url)
                status, stays = await _exchange(connection, requests[number % len(requests)])
        except (OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            errors[type(error).__name__] += 1
            return
        if stays:
            idle.append((loop.time(), connection))
        if status == 200:
            latencies.append(loop.time() - due)
        else:
            errors[status] += 1

    async with asyncio.TaskGroup() as tasks:
        for number in range(round(rate * seconds)):
            due = start + number / rate
            await asyncio.sleep(due - loop.time())
            tasks.create_task(ask(number, due))
    for _, (_, writer) in idle:
        writer.close()
    return latencies, errors


def _request(address, text):
    body = json.dumps({"text": text}).encode()
    host = urllib.parse.urlsplit(address).netloc
    head = f"POST /predict HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def _connect(idle, url):
    """A connection that was used just now, or a new one: the service closes those that rest."""
    while idle:
        since, connection = idle.pop()
        if asyncio.get_running_loop().time() - since < 2:
            return connection
        connection[1].close()
    return await asyncio.open_connection(url.hostname, url.port)


async def _exchange(connection, request):
    reader, writer = connection
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(re.search(rb"content-length: (\d+)", head)[1])
    await reader.readexactly(length)
    return int(head[9:12]), b"connection: close" not in head


def fuzz(address, number):
    """Sends requests that break the service's schema.

    Args:
        address: URL of the service.
        number: How many.

    Returns:
        `Counter` of the statuses of the answers.
    """
    import hypothesis
    import schemathesis

    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    cases = schema["/predict"]["POST"].as_strategy(
        generation_mode=schemathesis.GenerationMode.NEGATIVE
    )
    statuses = collections.Counter()

    @hypothesis.given(case=cases)
    @hypothesis.settings(
        max_examples=number,
        deadline=None,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    def ask(case):
        statuses[case.call(base_url=address).status_code] += 1

    while statuses.total() < number:
        ask()
    return statuses


def report_load(address, rate, seconds):
    with open(_TEXTS, encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    cpu = time.process_time()
    latencies, errors = asyncio.run(drive(address, texts, rate, seconds))
    cpu = time.process_time() - cpu
    median = statistics.median(latencies)
    last = statistics.quantiles(latencies, n=100)[-1]
    print(
        f"{len(latencies)} answers at {rate:g} requests a second, {errors.total()} errors "
        f"{dict(errors) or ''}: median {1000 * median:.1f} ms, 99th percentile "
        f"{1000 * last:.1f} ms; less than {1000 * MOST_MEDIAN:g} and {1000 * MOST_99TH:g} wanted. "
        f"The client took {100 * cpu / seconds:.0f} % of a core."
    )
    return {"answers": len(latencies), "errors": errors, "median": median, "percentile_99": last}


def report_fuzz(address, number):
    statuses = fuzz(address, number)
    failures = sum(count for status, count in statuses.items() if status >= 500)
    print(f"{statuses.total()} malformed requests, by status {dict(statuses)}: {failures} failures")
    return {"statuses": statuses, "failures": failures}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", help="a run's folder, or the URL of a service that runs")
    parser.add_argument("--rate", type=float, default=150, help="requests a second")
    parser.add_argument("--seconds", type=float, default=60, help="for how long")
    parser.add_argument("--fuzz", type=int, help="malformed requests instead, and how many")
    history.add_option(parser)
    arguments = parser.parse_args()
    runs = arguments.folder.startswith("http")
    with contextlib.nullcontext(arguments.folder) if runs else service(arguments.folder) as address:
        if arguments.fuzz:
            result = report_fuzz(address, arguments.fuzz)
        else:
            result = report_load(address, arguments.rate, arguments.seconds)
    if arguments.record:
        history.record(result)


if __name__ == "__main__":
    main()
