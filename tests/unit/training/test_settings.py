"""Settings go from a command line into a record and back, and nothing is lost on the way."""

import json
import os

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from emotion_keras.errors import UserError
from emotion_keras.fit import parse_options
from emotion_keras.inputs import INPUTS
from emotion_keras.models import MODELS
from emotion_keras.models.baselines import BASELINES, SEVERAL
from emotion_keras.record.options import without
from emotion_keras.training.options import PlaceOptions, RunOptions
from emotion_keras.training.settings import Settings, identity_of, stage_classes

COUNTS, SHARES = st.integers(1, 1000), st.floats(0, 0.99)
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
OF_ALL = {
    "seed": st.integers(0, 2**32 - 1),
    "read_test": st.booleans(),
    # A folder would be looked into.
    "data": TEXTS.filter(lambda text: not os.path.isdir(os.path.expanduser(text))),
    "text_column": TEXTS,
    "clean": st.booleans(),
    "labels": st.lists(TEXTS, min_size=2, max_size=3),
    "repeats": st.sampled_from(["drop", "keep"]),
    "split_seed": st.integers(0, 99),
    "val_size": st.floats(0.01, 0.3),
    "train_fraction": st.floats(0.01, 1),
    "noise": st.sampled_from(["typos:0.1", "labels:0.2"]),
}
OF_NETWORKS = {
    # Resolved, as it stands in the record of a run.
    "precision": st.sampled_from(["float32", "mixed_bfloat16"]),
    "encoder": st.sampled_from(["scratch", "embeddings", "glove", "minilm", "a_preset"]),
    "freeze_encoder": st.booleans(),
    "sequence_length": st.integers(3, 512),
    "token_dropout": SHARES,
    "dropout": SHARES,
    "epochs": COUNTS,
    "learning_rate": st.floats(1e-9, 10),
    "schedule": st.sampled_from(["linear", "cosine", "constant"]),
    "patience": st.integers(0, 9),
    "jit": st.sampled_from(["auto", "on", "off"]),
}
OF_MODELS = {
    "cnn": {"filter_widths": st.lists(COUNTS, min_size=1, max_size=3).map(tuple)},
    "lstm": {"units": COUNTS},
    "gated_transformer": {"gate": st.sampled_from(["features", "scalar"]), "num_layers": COUNTS},
    "tfidf_svm": {"C": st.floats(0.01, 99)},
}


@st.composite
def options(draw):
    model = draw(st.sampled_from([*MODELS, *BASELINES]))
    known = OF_ALL | (OF_NETWORKS if model in MODELS else {}) | OF_MODELS.get(model, {})
    chosen = draw(st.lists(st.sampled_from(sorted(known)), unique=True))
    needed = {"precision": "float32"} if model in MODELS else {}
    if model in BASELINES and BASELINES[model].modalities:
        modality = draw(st.sampled_from(BASELINES[model].modalities))
        needed["modality"] = "speech+features" if modality == SEVERAL else modality
    return {"model": model, **needed, **{name: draw(known[name]) for name in chosen}}


def record_of(settings):
    """What `fit` writes of settings into a run's record, after a journey by JSON."""
    written = {
        **settings.to_record(settings.precision),
        "metrics": dict.fromkeys(settings.splits),
        "environment": {"backend": "torch"},
    }
    written["corpus"] |= {"sha256": "0" * 64, "labels": ["joy", "fear"]}
    return json.loads(json.dumps(written))


def parsed(arguments):
    return Settings.make(**without(parse_options(arguments), PlaceOptions))


@given(options())
@examples(max_examples=150, deadline=None)
def test_from_a_command_line_to_a_record_and_back(given):
    asked = Settings.make(**given)
    words = asked.command()
    assert words[:3] == ["python", "-m", "emotion_keras.fit"]
    from_line = parsed(words[3:])
    from_record = Settings.from_record(record_of(from_line))
    assert asked == from_line == from_record
    assert from_record.command() == words
    of_run = {"corpus": "0" * 64, "labels": ["joy", "fear"], "backend": "torch"}
    identity = asked.identity(**of_run, precision=asked.precision, encoder_sha256=None)
    assert identity_of(record_of(asked)) == identity


@given(options())
@examples(max_examples=50, deadline=None)
def test_from_a_file_of_options_and_from_python(tmp_path_factory, given):
    asked = Settings.make(**given)
    path = tmp_path_factory.getbasetemp() / "options.yaml"
    given = {k: list(v) if isinstance(v, tuple) else v for k, v in given.items()}
    path.write_text(yaml.safe_dump(given, allow_unicode=True), encoding="utf-8")
    assert parsed([f"--config={path}"]) == asked
    assert Settings.make(**asked.options()) == asked


def test_what_changes_the_result_is_part_of_the_identity():
    same = {"corpus": "0", "labels": ["joy"], "backend": "torch", "precision": "float32"}
    identity = Settings.make(encoder="scratch").identity(**same, encoder_sha256=None)
    for changed in ({"seed": 1}, {"read_test": False}, {"clean": False}, {"noise": "typos:0.1"}):
        other = Settings.make(encoder="scratch", **changed)
        assert other.identity(**same, encoder_sha256=None) != identity
    for changed in ({"corpus": "1"}, {"labels": ["fear"]}, {"backend": "jax"}):
        other = Settings.make(encoder="scratch")
        assert other.identity(**{**same, **changed}, encoder_sha256=None) != identity
    files = [Settings.make(encoder="x").identity(**same, encoder_sha256=n) for n in ("1", "2")]
    assert files[0] != files[1]


@pytest.mark.parametrize("changed", [{"data": "moved.csv"}, {"max_labels": 9}])
def test_where_the_data_lie_is_no_part_of_the_identity(changed):
    same = {"corpus": "0", "labels": ["joy"], "backend": "torch", "precision": "float32"}
    first, second = (Settings.make(**options) for options in ({}, changed))
    assert first.identity(**same, encoder_sha256=None) == second.identity(
        **same, encoder_sha256=None
    )


def test_unknown_options_are_told():
    with pytest.raises(UserError, match="Unknown option.*Received: epoch"):
        Settings.make(epoch=3)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"epoch": 3}, "Did you mean epochs?"),
        ({"units": 3}, "units is an option of lstm."),
        ({"mask_seconds": 3}, "mask_seconds is an option of models of recordings."),
        ({"num_layers": 3, "model": "cnn"}, "is an option of transformer, gated_transformer."),
        ({"epochs": 3, "model": "majority"}, "epochs is an option of networks, which baselines"),
        ({"encoder": "minilm", "model": "majority"}, "encoder is an option of networks"),
        ({"model": "ccn"}, "Unknown model. Did you mean cnn?"),
        ({"modality": "speach"}, "Unknown modality. Did you mean speech?"),
    ],
)
def test_what_may_have_been_meant_is_asked(arguments, said):
    with pytest.raises(UserError) as of_call:
        Settings.make(**arguments)
    assert said in str(of_call.value)
    with pytest.raises(UserError) as of_command:
        parse_options([f"--{name}={value}" for name, value in arguments.items()])
    assert said.replace("mean epochs", "mean --epochs") in str(of_command.value)


@pytest.mark.parametrize("modality", [*INPUTS, "text+image", "speech+features"])
@pytest.mark.parametrize("model", [*MODELS, *BASELINES])
def test_no_two_options_of_a_run_have_one_name(model, modality):
    kinds = [RunOptions, PlaceOptions, *stage_classes(model, modality).values()]
    names = [name for kind in kinds for name in kind.names()]
    assert sorted(set(names)) == sorted(names)
