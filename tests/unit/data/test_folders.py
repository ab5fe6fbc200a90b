import numpy as np
import pytest
import soundfile

from emotion_keras.data import load_corpus, prepare, split
from emotion_keras.errors import UserError


@pytest.fixture(autouse=True)
def home(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def clip(tmp_path):
    """Writes a short recording that is like no other; returns its path."""

    def write(name, seed, rate=16000, peak=0.3):
        path = tmp_path / "corpus" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = np.random.default_rng(seed).uniform(-1, 1, rate // 4)
        soundfile.write(path, np.clip(peak * samples, -1, 1), rate)
        return path

    return write


def load(path, **options):
    said = []
    return load_corpus(str(path), notify=said.append, **options), said


def test_the_folder_is_the_label(clip, tmp_path):
    for seed, name in enumerate(["joy/a.wav", "fear/x/b.flac", "joy/c.wav", "fear/.hidden.wav"]):
        clip(name, seed)
    (tmp_path / "corpus" / "notes.txt").write_text("notes")
    corpus, _ = load(tmp_path / "corpus")
    assert corpus.modality.name == "speech" and corpus.name == "corpus"
    assert dict(zip(corpus.examples["id"], corpus.examples["label"], strict=True)) == {
        "fear/x/b.flac": "x",
        "joy/a.wav": "joy",
        "joy/c.wav": "joy",
    }


NAMED = {
    "ravdess": ["03-01-01-01-01-01-02.wav", "03-01-05-02-01-01-24.wav"],
    "emodb": ["03a01Wa.wav", "16b10Nb.wav"],
    "crema_d": ["1001_DFA_ANG_XX.wav", "1091_WSI_NEU_XX.wav"],
}
SAID = {
    "ravdess": (["neutral", "angry"], ["02", "24"]),
    "emodb": (["anger", "neutral"], ["03", "16"]),
    "crema_d": (["anger", "neutral"], ["1001", "1091"]),
}


@pytest.mark.parametrize("name", NAMED)
def test_known_corpora_say_label_and_speaker_in_their_names(clip, tmp_path, name):
    for seed, file in enumerate(NAMED[name]):
        clip(f"any/{file}", seed)
    corpus, _ = load(tmp_path / "corpus")
    labels, subjects = SAID[name]
    assert corpus.name == name and corpus.licence != "unknown"
    assert corpus.examples["label"].tolist() == labels
    assert corpus.examples["subject"].tolist() == subjects


def test_one_foreign_file_makes_it_no_known_corpus(clip, tmp_path):
    for seed, file in enumerate([*NAMED["emodb"], "other.wav"]):
        clip(f"any/{file}", seed)
    corpus, _ = load(tmp_path / "corpus")
    assert corpus.name == "corpus" and corpus.labels == ("any",)


def test_the_folds_of_ravdess_are_those_of_the_literature(clip, tmp_path):
    emotions = ["01", "05"]
    for actor in range(1, 25):
        for emotion in emotions:
            clip(f"03-01-{emotion}-01-01-01-{actor:02}.wav", [actor, int(emotion)])
    corpus, _ = load(tmp_path / "corpus")
    corpus, _ = prepare(corpus, labels="neutral,angry")
    folds = [(2, 5, 14, 15, 16), (3, 6, 7, 13, 18), (10, 11, 12, 19, 20), (8, 17, 21, 23, 24)]
    for fold, actors in enumerate([*folds, (1, 4, 9, 22)]):
        parts = split(corpus, folds=5, fold=fold)
        tested = corpus.examples["subject"].iloc[parts.test]
        assert {int(subject) for subject in tested} == set(actors)
        assert parts.protocol["folds_of"] == "ravdess"
    assert "folds_of" not in split(corpus, folds=3, fold=0).protocol


def test_metadata_in_a_folder_is_its_table(clip, tmp_path):
    for seed in range(4):
        clip(f"{seed}.wav", seed)
    rows = ["file_name,emotion", "0.wav,joy", "1.wav,fear", "3.wav,joy"]
    (tmp_path / "corpus" / "metadata.csv").write_text("\n".join(rows))
    corpus, _ = load(tmp_path / "corpus")
    assert corpus.examples["label"].tolist() == ["joy", "fear", "joy"]
    assert corpus.cells == [str(tmp_path / "corpus" / f"{i}.wav") for i in (0, 1, 3)]


def test_what_is_wrong_is_counted_named_and_removed(clip, tmp_path):
    for seed in range(6):
        clip(f"{'joy' if seed % 2 else 'fear'}/{seed}.wav", seed, rate=16000 if seed else 8000)
    clip("joy/loud.wav", 9, peak=40)
    repeated = (tmp_path / "corpus/joy/1.wav").read_bytes()
    (tmp_path / "corpus/joy/again.wav").write_bytes(repeated)
    (tmp_path / "corpus/fear/under another label.wav").write_bytes(
        (tmp_path / "corpus/joy/3.wav").read_bytes()
    )
    (tmp_path / "corpus/joy/no sound.wav").write_text("no sound")
    corpus, said = load(tmp_path / "corpus")
    prepared, audit = prepare(corpus)
    text = "\n".join(said)
    assert "1 of 10 recordings is unreadable" in text and "no sound.wav" in text
    assert "8,000 Hz (1)" in text and "1 recordings are clipped" in text and "loud.wav" in text
    content = audit.to_dict()
    removed = {reason for step in content["steps"] for reason in step["removed"]}
    assert removed == {"unreadable speech", "two labels", "repeat"}
    assert content["num_in"] == 10 and content["num_out"] == len(prepared) == 6
    assert content["properties"]["sampling rate"] == {"16,000 Hz": 5, "8,000 Hz": 1}
    assert "clean=" not in str(audit) and "Sampling rate: 16,000 Hz 5, 8,000 Hz 1" in str(audit)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "holds no recordings.*none"),
        (["a.txt", "b/c.mp4"], r"holds no recordings.*1 \.mp4, 1 \.txt"),
    ],
)
def test_a_folder_without_recordings_is_refused(tmp_path, files, message):
    (tmp_path / "corpus").mkdir()
    for file in files:
        (tmp_path / "corpus" / file).parent.mkdir(exist_ok=True)
        (tmp_path / "corpus" / file).write_text("")
    with pytest.raises(UserError, match=message):
        load(tmp_path / "corpus")


def test_a_recording_without_a_folder_has_no_label(clip, tmp_path):
    clip("joy/a.wav", 0)
    clip("b.wav", 1)
    with pytest.raises(UserError, match=r"b\.wav stands in no folder.*table"):
        load(tmp_path / "corpus")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_column": "x"}, "Columns cannot be chosen"),
        ({"modality": "text"}, "corpus"),
    ],
)
def test_options_that_do_not_go_with_a_folder(clip, tmp_path, options, message):
    clip("joy/a.wav", 0)
    with pytest.raises(UserError, match=message):
        load(tmp_path / "corpus", **options)


def test_the_column_of_another_modality_is_refused(write):
    path = write("a.csv", "path,label\na.wav,joy\n")
    with pytest.raises(UserError, match="--audio-column"):
        load(path, modality="speech", text_column="path")
