"""What TensorBoard's HParams view shows of a search, whatever the backend."""

import shutil
import time
from pathlib import Path
from typing import Any

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.hparams import summary_v2
from tensorboard.summary.writer.event_file_writer import EventFileWriter

HPARAMS = "hparams"  # Folder in that of the study: `tensorboard --logdir runs/search/hparams`.


def write_trial(
    directory: Path, name: str, values: dict[str, Any], metric: str, score: float
) -> None:
    """Writes a trial for the HParams view, in place of one of the same name.

    Args:
        directory: `pathlib.Path` of the study's folder.
        name: String, the trial's name.
        values: Dictionary of numbers, booleans and strings by option.
        metric: String, the name of the score.
        score: Float.
    """
    folder = directory / HPARAMS / name
    shutil.rmtree(folder, ignore_errors=True)
    writer = EventFileWriter(str(folder))
    scalar = summary_pb2.Summary.Value(tag=metric, simple_value=score)
    for summary in (
        summary_v2.hparams_pb(values, trial_id=name),
        summary_pb2.Summary(value=[scalar]),
    ):
        writer.add_event(event_pb2.Event(wall_time=time.time(), step=0, summary=summary))
    writer.close()
