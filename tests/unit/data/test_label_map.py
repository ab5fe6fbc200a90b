"""Which labels of a model and of a corpus go together."""

import json

import pytest

from emotion_keras.data.label_map import as_pairs, map_labels
from emotion_keras.errors import UserError

MODEL = ["joy", "fear", "shame", "guilt"]


def test_labels_of_equal_names_go_together_whatever_their_case():
    found = map_labels(MODEL, ["Fear", "surprise", "JOY "])
    assert found.shared == ["joy", "fear"]
    assert found.of_data == {"Fear": "fear", "surprise": None, "JOY ": "joy"}
    assert found.model_only == ["shame", "guilt"] and found.data_only == ["surprise"]


def test_several_labels_of_the_corpus_may_be_one_of_the_model():
    found = map_labels(MODEL, ["love", "joy", "fear"], "joy=love")
    assert found.sources("joy") == ["love", "joy"] and found.shared == ["joy", "fear"]


def test_several_labels_of_the_model_may_be_one_of_the_corpus():
    found = map_labels(MODEL, ["joy", "self-blame"], "shame=self-blame,Guilt=Self-Blame")
    assert found.shared == ["joy", "shame+guilt"]
    assert found.of_model["guilt"] == found.of_data["self-blame"] == "shame+guilt"


def test_what_pairs_link_however_indirectly_is_one():
    found = map_labels(MODEL, ["a", "b", "fear"], "joy=a,shame=a,shame=b,guilt=b")
    assert found.shared == ["joy+shame+guilt", "fear"]
    assert found.sources("joy+shame+guilt") == ["a", "b"]


def test_a_label_without_a_partner_is_taken_back():
    found = map_labels(MODEL, ["joy", "fear", "guilt"], "fear=")
    assert found.shared == ["joy", "guilt"] and found.data_only == ["fear"]


def test_a_file_and_a_dictionary_say_what_pairs_say(tmp_path):
    asked = {"joy": ["love", "pride, of sorts"], "fear": None, "shame": "blame"}
    labels = ["love", "pride, of sorts", "fear", "blame"]
    expected = map_labels(MODEL, labels, asked)
    path = tmp_path / "map.yaml"
    path.write_text(json.dumps(asked))
    assert map_labels(MODEL, labels, str(path)) == expected
    assert map_labels(MODEL, labels, as_pairs(asked)) == expected
    assert expected.shared == ["joy", "shame"] and expected.data_only == ["fear"]


@pytest.mark.parametrize(
    ("labels", "asked", "said"),
    [
        (["joy", "calm"], None, "there is one, joy"),
        (["calm", "rage"], None, "there is none.*Labels of the corpus: calm, rage"),
        (["joy", "fear"], "fear=", "there is one, joy"),
        (["joy", "fear"], "shame=joy,fear=joy", "there is one, joy.fear.shame"),
        (["joy", "fear"], "sham=joy", "'sham' is no label of the model. Did you mean shame"),
        (["joy", "fear"], "shame=jo", "'jo' is no label of the corpus. Did you mean joy"),
        (["joy", "fear"], "shame", "map is pairs of labels.*Received: shame"),
        (["joy", "fear"], "=joy", "map is pairs of labels"),
        (["joy", "fear"], "nowhere.yaml", "nowhere.yaml cannot be read"),
        (["joy", "fear"], {"joy": [["fear"]]}, "Received: joy="),
    ],
)
def test_what_is_wrong_is_said(labels, asked, said):
    with pytest.raises(UserError, match=said):
        map_labels(MODEL, labels, asked)


def test_a_file_of_something_else_is_refused(tmp_path):
    (tmp_path / "map.json").write_text('["joy"]')
    with pytest.raises(UserError, match="holds no mapping of labels"):
        map_labels(MODEL, ["joy", "fear"], str(tmp_path / "map.json"))
