"""The command: how it starts, whom it puts up with, and how it ends."""

import contextlib
import json
import os
import signal
import socket
import threading
import time
from pathlib import Path

import httpx
import pytest

from emotion_keras.serve import _listen, main

HEAD = b"POST /predict HTTP/1.1\r\nHost: service\r\nContent-Type: application/json\r\n"


def is_well(service):
    """Whether the service answers as if nothing had happened."""
    answer = httpx.post(f"{service.address}/predict", json={"text": "sun"})
    return answer.status_code == 200 and answer.json()["predictions"][0]["label"] == "joy"


@contextlib.contextmanager
def connect(service):
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
        yield connection


def read_all(connection):
    """All that comes until the other side closes the connection, or resets it."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            received += part
    return received


def test_a_slow_body_is_given_up_and_harms_nobody(service):
    with connect(service) as connection:
        connection.sendall(HEAD + b'Content-Length: 100\r\n\r\n{"text":')
        assert is_well(service)
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 408 ") and b"1.5 seconds" in answer


@pytest.mark.parametrize("sent", [b"", b"\r\n", b"POST /pre", HEAD])
def test_headers_that_do_not_come_are_waited_for_no_longer(service, sent):
    with connect(service) as connection:
        connection.sendall(sent)
        assert is_well(service)
        assert read_all(connection) == b""


def test_a_connection_is_kept_for_the_next_request(service):
    addresses = set()
    with httpx.Client(base_url=service.address) as client:
        # In all longer than a client has for one request.
        for _ in range(8):
            stream = client.get("/health").extensions["network_stream"]
            addresses.add(stream.get_extra_info("client_addr"))
            time.sleep(0.25)
    assert len(addresses) == 1 and None not in addresses


def test_connections_beyond_the_limit_are_refused(service):
    with contextlib.ExitStack() as others:
        for _ in range(512):
            others.enter_context(connect(service))
        answer = httpx.post(f"{service.address}/predict", json={"text": "sun"})
    assert answer.status_code == 503 and answer.headers["retry-after"] == "1"
    assert answer.json() == {"detail": "Too many connections are open; try again soon."}
    # Once it has noticed that the others are gone.
    assert any(is_well(service) or time.sleep(0.1) for _ in range(50))


def test_large_headers_are_refused(service):
    with connect(service) as connection, contextlib.suppress(OSError):
        connection.sendall(HEAD)
        for _ in range(100):
            connection.sendall(b"X: " + b"a" * 10_000 + b"\r\n")
        connection.sendall(b"Content-Length: 0\r\n\r\n")
        answer = read_all(connection)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
    assert is_well(service)


def test_a_client_that_leaves_half_way_harms_nobody(service):
    for sent in (HEAD + b'Content-Length: 100\r\n\r\n{"te', HEAD + b"Content-Le"):
        with connect(service) as connection:
            connection.sendall(sent)
    body = json.dumps({"text": "slow"}).encode()
    with connect(service) as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
    assert is_well(service)


def test_answers_wait_for_no_receipts():
    with _listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        connection, _ = listener.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_whoever_sends_too_much_gets_to_read_it(service):
    # More than what two sockets hold: on a connection that is reset, sending would fail.
    body = b" " * 30_000_000
    with connect(service) as connection:
        connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 413 ") and b"1,048,576 bytes" in answer


def test_answers_may_take_longer_than_a_client_and_come_in_order(start_service):
    with start_service("--client-seconds", "0.3") as service, connect(service) as connection:
        for text in ("sun", "slow"):
            body = json.dumps({"text": text}).encode()
            connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        answer = read_all(connection)
    assert answer.count(b"HTTP/1.1 200 ") == 2
    assert answer.index(b'"label":"joy"') < answer.index(b'"label":"fear"')


def test_what_is_no_http_is_refused(service):
    with connect(service) as connection:
        connection.sendall(b"\x16\x03\x01\x00\xff\xfe\r\n\r\n")
        assert read_all(connection).startswith(b"HTTP/1.1 400 ")
    assert is_well(service)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_answers_what_is_in_flight(start_service, number):
    with start_service() as service:
        answers = []
        asking = threading.Thread(
            target=lambda: answers.append(
                httpx.post(f"{service.address}/predict", json={"text": "slow"})
            )
        )
        asking.start()
        begin = time.monotonic()
        while "emotion_texts_total 1.0" not in httpx.get(f"{service.address}/metrics").text:
            assert time.monotonic() < begin + 20
            time.sleep(0.01)
        service.process.send_signal(number)
        output, errors = service.process.communicate(timeout=20)
        asking.join()
        assert answers[0].status_code == 200
        assert service.process.returncode == 0
        assert (output, errors) == ("", "")
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{service.address}/health")


def decoders(service):
    """Ids of the processes of a service that decode recordings."""
    threads = Path(f"/proc/{service.process.pid}/task").glob("*/children")
    found = [int(child) for thread in threads for child in thread.read_text().split()]
    return [one for one in found if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]


def has_ended(process):
    """Whether a process has ended, as one does soon after its service."""
    for _ in range(200):
        if not Path(f"/proc/{process}").exists() or "\nState:\tZ" in status_of(process):
            return True
        time.sleep(0.05)
    return False


def status_of(process):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/status").read_text()
    return "\nState:\tZ"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="there is no /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_process_that_decodes_is_replaced_and_ends_with_the_service(
    start_service, number, recordings, tmp_path, monkeypatch
):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    content = (recordings / "high" / "3.wav").read_bytes()

    def label():
        address, headers = f"{service.address}/predict", {"Content-Type": "audio/wav"}
        answer = httpx.post(address, content=content, headers=headers, timeout=60)
        return answer.json()["predictions"][0]["label"]

    with start_service(predictor="FakeListener") as service:
        assert label() == "joy"
        (first,) = decoders(service)
        os.kill(first, signal.SIGKILL)
        assert has_ended(first)
        assert label() == "joy"
        (second,) = decoders(service)
        service.process.send_signal(number)
        output, errors = service.process.communicate(timeout=20)
        assert has_ended(second)
        if number == signal.SIGTERM:
            assert (service.process.returncode, output, errors) == (0, "", "")


def refused(arguments, capsys):
    """What the command says where it does not start."""
    assert main(arguments) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("error: ") and "\n" not in error
    return error


def test_a_confidence_is_found_by_the_accuracy_that_is_asked_for(start_service):
    with start_service("--target-accuracy", "1") as service:
        assert service.process.stdout.readline() == (
            "Answers from a confidence of 87.5 % on: of the test split 50.0 % of the texts are "
            "answered, and 75.0 % of these answers are right.\n"
        )
        answer = httpx.post(f"{service.address}/predict", json={"texts": ["sun", "dark"]}).json()
    assert [one["label"] for one in answer["predictions"]] == ["unsure", "fear"]


def test_a_port_in_use(service, tmp_path, capsys):
    error = refused([str(tmp_path), "--port", str(service.port)], capsys)
    assert f"port {service.port} of 127.0.0.1: " in error and "in use" in error
    assert is_well(service)


# The first is for documentation, and no machine's; the second no name at all.
@pytest.mark.parametrize("host", ["203.0.113.1", "no such host", "a" * 300])
def test_a_host_that_is_not_here(tmp_path, capsys, host):
    assert f"of {host}: " in refused([str(tmp_path), "--host", host, "--port", "0"], capsys)


def test_a_folder_that_is_not_there(tmp_path, capsys):
    assert "There is no folder" in refused([str(tmp_path / "run")], capsys)


@pytest.mark.parametrize(
    "options, said",
    [
        (["--port", "70000"], "port is 0 to 65535"),
        (["--port", "http"], "port is a whole number"),
        (["--language", "German"], "language is a code of two or three small letters"),
        (["--max-body", "0"], "max_body is 1 or more"),
        (["--max-seconds", "0"], "max_seconds is above 0"),
        (["--max-queue", "5"], "max_queue=5, max_texts=128"),
        (["--min-confidence", "80"], "min_confidence is a share"),
        (["--min-confidence", "0.8", "--target-accuracy", "0.9"], "not both"),
        (["--client-seconds", "0"], "client_seconds is above 0"),
        (["--workers", "2"], "no such option"),
    ],
)
def test_an_option_that_is_wrong(tmp_path, capsys, options, said):
    assert said in refused([str(tmp_path), *options], capsys)
