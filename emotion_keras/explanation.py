"""What a model is made of, and what its gate makes of each word."""

import collections

import keras
import numpy as np

from emotion_keras.data.batches import PredictionBatches

# A word that fewer texts hold says more about these texts than about the word.
_LEAST_TEXTS = 5


def describe_layers(model):
    """The layers and operations of a functional model.

    Args:
        model: `keras.Model`.

    Returns:
        List of dictionaries of `name`, `type`, `inputs` (names of the layers that it takes its
        inputs from), `output_shape` (a list, in which `None` stands for any size) and `parameters`
        (their number).
    """
    # Plain operations such as a cast are no layers, and are found here alone.
    parts = {part.name: part for part in model.operations}
    return [
        {
            "name": layer["name"],
            "type": layer["class_name"],
            "inputs": list(dict.fromkeys(_sources(layer["inbound_nodes"]))),
            "output_shape": list(parts[layer["name"]].output.shape),
            "parameters": parts[layer["name"]].count_params()
            if isinstance(parts[layer["name"]], keras.layers.Layer)
            else 0,
        }
        for layer in model.get_config()["layers"]
    ]


def _sources(node):
    """Names of the layers whose outputs stand in a part of a model's config."""
    if isinstance(node, dict):
        if node.get("class_name") == "__keras_tensor__":
            yield node["config"]["keras_history"][0]
            return
        node = list(node.values())
    if isinstance(node, (list, tuple)):
        for part in node:
            yield from _sources(part)


def has_gate(model):
    """Whether `explain` has something to say of a model: the gate is last, the pooling average."""
    layers = {layer["name"]: layer for layer in describe_layers(model)}
    types = [layers.get(name, {}).get("type") for name in ("gate", "pooling")]
    return (
        types == ["GatingLayer", "GlobalAveragePooling1D"] and "gate" in layers["pooling"]["inputs"]
    )


def explain(model, texts, *, tokenizer, sequence_length, feature="token_ids", batch_size=64):
    """What the gate makes of each word, and what the word adds to the prediction.

    After the gate a model is linear up to the softmax, so that the score of a label is a sum over
    tokens: `s_c = b_c + sum_i v_i W_c / n`, where `v_i` is the gated vector of token `i` of `n`.
    A word is given the sum over its tokens. Since what is added to all scores changes nothing, a
    score is counted from the mean of all labels'.

    Args:
        model: `keras.Model` for which `has_gate` holds.
        texts: List of strings.
        tokenizer: The model's tokenizer.
        sequence_length: Longest padded length.
        feature: Name of the model's input that takes the token ids.
        batch_size: Texts a step.

    Returns:
        List, by text, of lists of dictionaries of `word`, `gate` (the mean of the gate over
        features and tokens, between 0 and 1) and `contribution` (to the score of the label that is
        predicted). The marks of a text's start and end are among the words: together with `b_c`,
        counted likewise, the contributions are the score.
    """
    gate, classifier = model.get_layer("gate"), model.get_layer("classifier")
    vectors = keras.Model(model.inputs, [gate.input, gate.output])
    vectors.jit_compile = model.jit_compile
    kernel, bias = gate.get_weights()
    weights, biases = (w - w.mean(axis=-1, keepdims=True) for w in classifier.get_weights())
    sequences = tokenizer.encode(texts, sequence_length)
    words = tokenizer.words(texts, sequence_length)
    batches = PredictionBatches(
        sequences,
        feature=feature,
        batch_size=min(batch_size, len(sequences)),
        sequence_length=sequence_length,
    )
    explained = [None] * len(texts)
    for index in range(len(batches)):
        (inputs,) = batches[index]
        outputs = (np.asarray(part, "float32") for part in vectors.predict_on_batch(inputs))
        for i, vector, gated in zip(batches.indices(index), *outputs, strict=True):
            length = min(sequences.lengths[i], sequence_length)
            opened = 1 / (1 + np.exp(-(vector[:length] @ kernel + bias)))
            scores = gated[:length] @ weights / length
            added = scores[:, np.argmax(scores.sum(axis=0) + biases)]
            explained[i] = _by_word(words[i], opened.mean(axis=-1), added)
    return explained


def _by_word(words, gates, added):
    """Merges tokens to words."""
    ends = np.cumsum([num_tokens for _, num_tokens in words])
    starts = ends - [num_tokens for _, num_tokens in words]
    return [
        {
            "word": word,
            "gate": float(gates[start:end].mean()),
            "contribution": float(added[start:end].sum()),
        }
        for (word, _), start, end in zip(words, starts, ends, strict=True)
    ]


def summarize_words(explained):
    """The mean gate of each word, whatever its case, of those that enough texts hold.

    Args:
        explained: What `explain` returned.

    Returns:
        List of dictionaries of `word`, `count` (texts with it) and `gate`, the most open first.
    """
    gates = collections.defaultdict(list)
    for text in explained:
        of_text = collections.defaultdict(list)
        for row in text:
            of_text[row["word"].lower()].append(row["gate"])
        for word, values in of_text.items():
            gates[word].append(np.mean(values))
    rows = [
        {"word": word, "count": len(values), "gate": float(np.mean(values))}
        for word, values in gates.items()
        if len(values) >= _LEAST_TEXTS
    ]
    return sorted(rows, key=lambda row: -row["gate"])
