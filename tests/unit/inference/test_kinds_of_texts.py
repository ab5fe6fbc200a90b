"""What a predictor takes for texts, and what it says of anything else."""

import numpy as np
import pandas as pd
import pytest

from emotion_keras.errors import UserError
from emotion_keras.inference.base import Model
from emotion_keras.inference.predictor import Predictor
from emotion_keras.inputs import TextInput
from emotion_keras.targets import SingleLabel


class Fake(Model):
    """Takes what holds «party» for joy, and all else for fear."""

    modality, input, outputs = TextInput, None, None
    target = SingleLabel(["joy", "fear"])
    can_explain = False

    def probabilities(self, texts):
        return np.array([[0.75, 0.25] if "party" in text else [0.25, 0.75] for text in texts])


@pytest.fixture
def predictor():
    return Predictor(
        Fake(),
        name="fake",
        temperature=1.0,
        preparation={"clean": True, "normalize_punctuation": True},
    )


TABLE = pd.DataFrame({"id": [1, 2], "text": ["a party", "dark"]})


@pytest.mark.parametrize(
    ("texts", "labels"),
    [
        pytest.param(["a party", "dark"], ["joy", "fear"], id="a list"),
        pytest.param(("a party", "dark"), ["joy", "fear"], id="a tuple"),
        pytest.param(TABLE["text"], ["joy", "fear"], id="a column of a table"),
        pytest.param(TABLE["text"][::-1], ["fear", "joy"], id="a column turned round"),
        pytest.param(TABLE["text"].set_axis(["x", "x"]), ["joy", "fear"], id="an index of repeats"),
        pytest.param(TABLE["text"].astype("category"), ["joy", "fear"], id="a categorical column"),
        pytest.param(TABLE["text"].astype("string"), ["joy", "fear"], id="a column of strings"),
        pytest.param(pd.Index(["a party"]), ["joy"], id="an index"),
        pytest.param(pd.Series(["a party", None]), ["joy", ""], id="a column with None"),
        pytest.param(pd.Series([np.nan, "dark"]), ["", "fear"], id="a column with NaN"),
        pytest.param(
            pd.Series(["a party", pd.NA], dtype="string"), ["joy", ""], id="a column with NA"
        ),
        pytest.param(["dark", None, float("nan"), pd.NA], ["fear", "", "", ""], id="missing ones"),
        pytest.param([np.float32("nan"), "dark"], ["", "fear"], id="NaN of float32"),
        pytest.param(np.array(["a party", "dark"]), ["joy", "fear"], id="an array of strings"),
        pytest.param(np.array(["a party", None], object), ["joy", ""], id="an array of objects"),
        pytest.param([np.str_("a party")], ["joy"], id="strings of NumPy"),
        pytest.param({"a party": 1}.keys(), None, id="keys of a dictionary, which is a set"),
        pytest.param([], [], id="no text"),
        pytest.param(pd.Series([], dtype=object), [], id="an empty column"),
    ],
)
def test_texts_are_answered_in_their_order(predictor, texts, labels):
    if labels is None:
        with pytest.raises(UserError, match="Texts are strings in a list"):
            predictor.predict(texts)
        return
    assert predictor.predict(texts) == labels
    assert [answer["label"] for answer in predictor(texts)] == labels
    expected = {"joy": [0.75, 0.25], "fear": [0.25, 0.75], "": [np.nan] * 2}
    found = predictor.predict_proba(texts)
    np.testing.assert_allclose(found, np.array([expected[x] for x in labels]).reshape(-1, 2))


@pytest.mark.parametrize("method", ["__call__", "predict", "predict_proba"])
def test_a_generator_is_read_once(predictor, method):
    assert len(getattr(predictor, method)(text for text in ["a party", None])) == 2


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        pytest.param(TABLE, r"table\['text'\].*DataFrame", id="a table"),
        pytest.param(TABLE[["text"]], r"table\['text'\]", id="a table of one column"),
        pytest.param(b"a party", "list of one.*bytes", id="bytes"),
        pytest.param({"text": "a party"}, "dict", id="a dictionary"),
        pytest.param({"a party", "dark"}, "set", id="a set, which has no order"),
        pytest.param(42, "42.*int", id="a number alone"),
        pytest.param(None, "None", id="nothing at all"),
        pytest.param(np.array([["a party"], ["dark"]]), "ndarray", id="an array of two dimensions"),
        pytest.param(np.array("a party"), "ndarray", id="an array of none"),
        pytest.param([["a party", "dark"]], "position 0 .*list", id="a list in a list"),
        pytest.param(["dark", 42], r"position 1 is no string.*str\(\).*42", id="a number"),
        pytest.param([b"dark"], "decode bytes", id="bytes in a list"),
        pytest.param(np.array([1.0, 2.0]), "position 0", id="an array of numbers"),
        pytest.param(TABLE["id"], "position 0", id="a column of numbers"),
        pytest.param([{"text": "dark"}], "position 0", id="dictionaries in a list"),
    ],
)
@pytest.mark.parametrize("method", ["__call__", "predict", "predict_proba"])
def test_what_is_no_texts_is_refused(predictor, method, texts, message):
    with pytest.raises(UserError, match=message):
        getattr(predictor, method)(texts)


@pytest.mark.parametrize("method", ["predict", "predict_proba"])
def test_a_single_string_is_not_taken_letter_by_letter(predictor, method):
    with pytest.raises(UserError, match="of a single text a list of one"):
        getattr(predictor, method)("a party")
    assert predictor("a party")["label"] == "joy"
