"""TensorBoard's HParams view of a search, read back by TensorBoard."""

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from tuning.hparams import HPARAMS, write_trial


def test_a_trial_is_shown_as_it_was_written_last(tmp_path):
    for score in (0.25, 0.5):
        write_trial(tmp_path, "1", {"C": 0.1, "gate": "scalar", "on": True}, "val_f1", score)
    events = EventAccumulator(str(tmp_path / HPARAMS / "1"))
    events.Reload()
    (shown,) = events.Scalars("val_f1")
    assert shown.value == pytest.approx(0.5)
    (metadata,) = events.PluginTagToContent("hparams").values()
    hparams = plugin_data_pb2.HParamsPluginData.FromString(metadata).session_start_info.hparams
    assert hparams["C"].number_value == pytest.approx(0.1)
    assert hparams["gate"].string_value == "scalar"
    assert hparams["on"].bool_value is True
