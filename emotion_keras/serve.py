# PYTHON_ARGCOMPLETE_OK
"""Serve a trained model over HTTP: `python -m emotion_keras.serve FOLDER` -> predictions as JSON.

`POST /predict` takes {"text": "..."} or {"texts": [...]}, and "explain": true for what the gate
makes of each word. A model of recordings or of images takes the file itself as the body, and
`?explain=true`. The page at `/` is for people. Nobody is asked who they are: without --host, only
this machine is answered.
"""

import dataclasses
import functools
import ipaddress
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotion_keras.command.entry import run_command
from emotion_keras.command.options import make_parser
from emotion_keras.errors import UserError
from emotion_keras.record.options import SHARE, Limit, Options, option, without
from emotion_keras.service.options import ServiceOptions

# A process may have 1,024 files open on most machines.
_MAX_CONNECTIONS = 512
_BACKLOG = 2048
# Requests in flight have this long to be answered after the service was asked to end.
_SECONDS_TO_END = 30


@dataclass(frozen=True, kw_only=True)
class AddressOptions(Options):
    """Where the service listens."""

    host: str = option(
        "127.0.0.1", "Name or address to listen on; 0.0.0.0 is every one that the machine has."
    )
    port: int = option(
        8000,
        "Port to listen on; 0 is any that is free.",
        Limit("0 to 65535", lambda value: 0 <= value < 2**16),
    )


@dataclass(frozen=True, kw_only=True)
class AccuracyOptions(Options):
    """How often answers shall be right."""

    target_accuracy: float | None = option(
        None,
        "In place of `min_confidence`, how often answers shall be right, such as 0.9: the smallest "
        "confidence is taken that surely reaches it on the validation split of the run.",
        SHARE,
    )


def serve(folder: str | Path, *, notify: Callable[[str], Any] = print, **options: Any) -> None:
    """Serves a trained model until SIGTERM or Ctrl-C ends it.

    Args:
        folder: Folder of a finished run, or of an exported model.
        notify: Called with messages for the user.
        **options: Values by option of `AddressOptions`, `AccuracyOptions` and `ServiceOptions`.

    Raises:
        UserError: If the folder or an option is wrong, or the address cannot be used.
    """
    address = AddressOptions.pick(options)
    accuracy = AccuracyOptions.pick(options).target_accuracy
    limits = ServiceOptions(**without(options, AddressOptions, AccuracyOptions))
    if accuracy is not None and limits.min_confidence is not None:
        raise UserError("Give `--min-confidence` or `--target-accuracy`, not both.")
    if limits.max_queue < limits.max_texts:
        raise UserError(
            "The queue has room for the texts of a request. Received: "
            f"max_queue={limits.max_queue}, max_texts={limits.max_texts}"
        )
    if not Path(folder).is_dir():
        raise UserError(f"There is no folder {folder}. Give that of a run or an exported model.")
    # Before the model, which takes seconds to load; who connects meanwhile waits.
    with _listen(address.host, address.port) as listener:
        # Imported here because it takes seconds.
        from emotion_keras.inference.predictor import Predictor
        from emotion_keras.service.app import make_app

        predictor = Predictor.load(folder, parallel=True)
        # The first predictions take longest, of one example and of several that are not alike in
        # length, and say whether the model works.
        for examples in (predictor.samples[:1], predictor.samples):
            predictor(examples, explain=predictor.can_explain)
        if accuracy is not None:
            threshold = predictor.threshold_for(accuracy)
            limits = dataclasses.replace(limits, min_confidence=threshold.min_confidence)
        if limits.min_confidence is not None:
            predictor.mark_unsure([], limits.min_confidence)  # It says where it cannot.
        app = make_app(predictor, limits)
        for line in _greeting(predictor.name, listener):
            notify(line)
        if accuracy is not None:
            notify(threshold.in_words(predictor.plural))
        _run(app, listener, client_seconds=limits.client_seconds)


def _listen(host, port):
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server(address[:2], family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"Cannot listen on port {port} of {host}: {reason}. Choose others with --port, --host."
        ) from error
    # Connections inherit it. Else an answer's second packet waits 40 ms for the first's receipt.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _greeting(name, listener):
    """The lines that say what is served, where, and to whom."""
    address, port = listener.getsockname()[:2]
    shown = f"[{address}]" if ":" in address else address
    yield f"Serving {name} on http://{shown}:{port} (Ctrl-C ends it)."
    if not ipaddress.ip_address(address.partition("%")[0]).is_loopback:
        yield "Whoever reaches this machine can use it: there is no password and no encryption."


def _run(app, listener, client_seconds):
    """Answers requests until a signal says to end, and then those in flight."""
    import uvicorn

    from emotion_keras.service.guard import Protocol

    config = uvicorn.Config(
        app,
        http=functools.partial(Protocol, seconds=client_seconds, max_connections=_MAX_CONNECTIONS),
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_graceful_shutdown=_SECONDS_TO_END,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _end(*_):
    raise SystemExit(0)


def main(arguments: list[str] | None = None) -> int:
    """The command `python -m emotion_keras.serve`."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    classes = [AddressOptions, AccuracyOptions, ServiceOptions]
    parser = make_parser("python -m emotion_keras.serve", __doc__, classes)
    parser.add_argument("folder", help="Folder of a finished run, or of an exported model.")

    def run():
        options = vars(parser.parse_args(arguments))
        # At once, also where a program reads on which port it is.
        notify = functools.partial(print, flush=True)
        serve(options.pop("folder"), notify=notify, **options)
        return 0

    return run_command(run, continues=False)


if __name__ == "__main__":
    # Asked to end, uvicorn answers what is in flight and then raises the signal again: that is the
    # end, and no failure.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    sys.exit(main())
