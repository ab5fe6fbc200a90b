"""What holds of the input of every modality, with whatever it has learned."""

import importlib.util
import json

import keras
import numpy as np
import pytest
import soundfile

from emotion_keras.data.options import Preparation
from emotion_keras.errors import UserError
from emotion_keras.inputs import (
    INPUTS,
    FeaturesInput,
    FusionInput,
    ImageInput,
    SpeechInput,
    TextInput,
    find_modality,
    load_input,
)
from emotion_keras.inputs.sequences import real_tokens
from tests.toys import NumbersInput

CLASSES = [*INPUTS.values(), NumbersInput, find_modality("text+speech+image+features")]


# Of modalities together, each has a length of its own.
LENGTHS_OF = {
    "text+features": {"text_sequence_length": 40, "features_sequence_length": 5},
    "speech+image": {"speech_sequence_length": 11, "image_size": 32},
}


@pytest.fixture(
    scope="session",
    params=[
        "scratch",
        "toy_bert",
        "toy_roberta",
        "toy_mpnet",
        "toy_e5",
        "numbers",
        "speech",
        "resemblyzer",
        "image",
        "features",
        "text+features",
        "speech+image",
    ],
    ids=lambda p: p,
)
def learned(request):
    """An input that has learned from the samples of its modality."""
    if request.param == "numbers":
        return NumbersInput.learn(NumbersInput.samples, sequence_length=5)
    if request.param == "speech":
        return SpeechInput.learn(SpeechInput.samples, sequence_length=11, embedding_dim=8)
    if request.param == "resemblyzer":
        if importlib.util.find_spec("resemblyzer") is None:
            pytest.skip("resemblyzer is not installed")
        return SpeechInput.learn(
            SpeechInput.samples, encoder="resemblyzer", encoder_layers=1, sequence_length=11
        )
    if request.param == "features":
        return FeaturesInput.learn(FeaturesInput.samples, sequence_length=5, embedding_dim=8)
    if "+" in request.param:
        modality = find_modality(request.param)
        options = {"embedding_dim": 8, "encoder": "scratch+scratch"}
        return modality.learn(modality.samples, **options, **LENGTHS_OF[request.param])
    if request.param == "image":
        return ImageInput.learn(ImageInput.samples, image_size=32, embedding_dim=8)
    encoder = request.param
    if encoder != "scratch":
        encoder = str(request.getfixturevalue(encoder))
    keras.utils.set_random_seed(0)
    return TextInput.learn(
        TextInput.samples, encoder=encoder, sequence_length=20, embedding_dim=8, encoder_dropout=0.0
    )


def to_lists(sequences):
    """What each example is encoded as, without padding."""
    lists = []
    for i in range(len(sequences)):
        inputs = sequences.inputs([i], int(sequences.lengths[i]))
        masks = [values[0] for name, values in inputs.items() if name.endswith("mask")]
        parts = [values[0] for name, values in inputs.items() if not name.endswith("mask")]
        pairs = zip(parts, masks, strict=True)
        lists.append([values[mask.astype(bool)].tolist() for values, mask in pairs])
    return lists


def num_tokens(sequences):
    longest = int(sequences.lengths.max())
    inputs = sequences.inputs(range(len(sequences)), longest)
    return real_tokens(inputs).sum(axis=1).tolist()


def is_cut_by_its_length(learned):
    """Whether a long cell has more tokens than are read; an image has as many as any."""
    return not isinstance(learned, ImageInput)


@pytest.mark.parametrize("modality", CLASSES)
def test_the_samples_are_prepared_cells(modality):
    samples = list(modality.samples)
    assert modality.prepare(samples, Preparation().to_dict()) == samples
    for cell in samples:
        assert isinstance(cell, modality.cell_type) and modality.flaw(cell) == ""
        assert modality.size(cell) > 0 and modality.elements(cell) and not modality.is_cut(cell)
    assert len({modality.fold(cell) for cell in samples}) == len(samples)
    assert modality.flaw(modality.read(None)) in modality.flaws
    assert list(modality.doubts(samples)) == []


@pytest.mark.parametrize("modality", CLASSES)
def test_a_cell_survives_its_noises(modality):
    rng = np.random.default_rng(0)
    samples = modality.samples
    for noise in modality.noises.values():
        noisy = [noise(cell, 0.5, rng) for cell in samples]
        assert [modality.flaw(cell) for cell in noisy] == [""] * len(samples)
        assert list(map(modality.content, noisy)) == list(map(modality.content, samples))
        assert len({hash(cell) for cell in noisy}) == len(samples)


def test_cells_with_noise_are_encoded_with_their_units(learned):
    rng = np.random.default_rng(0)
    for noise in learned.noises.values():
        cells = [noise(cell, 0.5, rng) for cell in learned.samples]
        numbers = [sum(number for _, number in units) for units in learned.units(cells)]
        assert numbers == num_tokens(learned.encode(cells))


def test_cells_are_encoded_one_by_one_and_cut(learned):
    cells = [*learned.samples] * 2
    together = to_lists(learned.encode(cells))
    assert together == [to_lists(learned.encode([cell]))[0] for cell in cells]
    lengths = [len(tokens) for parts in together for tokens in parts]
    assert 1 <= min(lengths) and max(lengths) <= learned.sequence_length
    if not isinstance(learned, FusionInput):
        assert max(learned.encode(cells, longest=3).lengths) <= 3


def repeated(learned, cell, times, folder):
    """A cell that holds another several times."""
    if isinstance(learned, FusionInput):
        inputs = learned.inputs.values()
        parts = zip(inputs, learned.split(cell), strict=True)
        return learned.join([repeated(one, part, times, folder) for one, part in parts])
    if isinstance(learned, FeaturesInput):
        vectors = np.atleast_2d(json.loads(cell)).tolist()
        return json.dumps(vectors * times)
    if not learned.reads_files:
        return " ".join([cell] * times)
    if isinstance(learned, ImageInput):  # All are of one length.
        return cell
    sound, rate = soundfile.read(cell)
    soundfile.write(folder / "long.wav", np.tile(sound, times), rate)
    return str(folder / "long.wav")


def test_windows_hold_all_of_a_cell(learned, tmp_path):
    short = min(learned.samples, key=lambda cell: learned.encode([cell]).lengths[0])
    windows, cell_of = learned.windows([short, repeated(learned, short, 30, tmp_path), short])
    assert to_lists(windows.take([0])) == to_lists(learned.encode([short]))
    assert cell_of[0] == 0 and cell_of[-1] == 2 and set(cell_of[1:-1]) == {1}
    assert (len(windows) > 3) == is_cut_by_its_length(learned) and len(windows) == len(cell_of)
    assert max(windows.lengths) <= learned.sequence_length


def test_cells_that_lose_their_end_are_marked(learned, tmp_path):
    short = min(learned.samples, key=lambda cell: learned.encode([cell]).lengths[0])
    long = repeated(learned, short, 30, tmp_path)
    sequences, is_long = learned.encode_and_mark([short, long])
    assert is_long.tolist() == [False, is_cut_by_its_length(learned)]
    assert sequences.lengths.tolist() == learned.encode([short, long]).lengths.tolist()
    sequences, is_long = learned.encode_and_mark([short])
    assert not is_long.any() and sequences.lengths[0] == learned.encode([short]).lengths[0]


def test_units_name_all_tokens(learned, tmp_path):
    cells = [*learned.samples, repeated(learned, learned.samples[0], 9, tmp_path)]
    units = learned.units(cells)
    numbers = [sum(number for _, number in of_cell) for of_cell in units]
    assert numbers == num_tokens(learned.encode(cells))
    for of_cell in units:
        assert {unit for unit, _ in of_cell} - learned.special_units


def test_what_is_silent_is_said_of_each_sequence(learned):
    sequences = learned.encode(learned.samples)
    are_silent = learned.are_silent(sequences)
    assert are_silent.shape == (len(sequences),) and are_silent.dtype == bool
    one_by_one = [learned.are_silent(sequences.take([i]))[0] for i in range(len(sequences))]
    assert are_silent.tolist() == one_by_one


def test_more_padding_changes_no_vector(learned):
    embedded = learned.embed()
    assert tuple(embedded.inputs) == learned.input_names
    model = keras.Model(embedded.inputs, embedded.vectors)
    sequences = learned.encode(learned.samples)
    longest = int(sequences.lengths.max())

    def vectors(length):
        inputs = sequences.inputs(range(len(sequences)), length)
        found, mask = model.predict(inputs, verbose=0), real_tokens(inputs)
        assert found.shape[:2] == mask.shape
        return found[mask]

    expected = vectors(longest)
    assert np.ptp(expected, axis=0).max() > 1e-4
    np.testing.assert_allclose(vectors(learned.sequence_length), expected, atol=1e-5)


@pytest.fixture
def loaded(learned, tmp_path, monkeypatch):
    """A function that loads what was saved as a run loads it, by its record or a changed one."""
    monkeypatch.setitem(INPUTS, learned.name, type(learned))
    learned.save(tmp_path)
    recorded = {
        "modality": learned.name,
        "inputs": learned.options.to_dict(),
        "state": learned.state(),
    }
    recorded = json.loads(json.dumps(recorded))
    return lambda **changes: load_input(tmp_path, recorded | changes, "Make the run again.")


def test_what_was_saved_is_loaded(learned, loaded, tmp_path):
    assert {path.name for path in tmp_path.iterdir()} <= {*learned.name.split("+")}
    again, cells = loaded(), learned.samples
    assert (type(again), again.options, again.state()) == (
        type(learned),
        learned.options,
        learned.state(),
    )
    assert to_lists(again.encode(cells)) == to_lists(learned.encode(cells))
    assert again.units(cells) == learned.units(cells)
    assert again.needs_keras == learned.needs_keras


def test_a_damaged_record_is_told(loaded):
    for damage in ({"state": 7}, {"inputs": 7}, {"inputs": {"embedding_dim": "x"}}):
        with pytest.raises(UserError, match=r"run\.json is damaged.*Make the run again"):
            loaded(**damage)


def test_a_file_that_is_missing_is_named(loaded, learned, tmp_path):
    files = [*tmp_path.glob("*/tokenizer.json"), *tmp_path.glob("*/*/preprocessor.json")]
    assert (files == []) == ("text" not in learned.name.split("+"))
    for path in files:
        path.unlink()
        with pytest.raises(UserError, match=rf"{path.name}.*Make the run again"):
            loaded()
