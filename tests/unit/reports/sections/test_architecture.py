from reports.sections.architecture import collapse_layers, draw_architecture


def texts(axes):
    return [text.get_text() for text in axes.texts]


def layer(name, kind, inputs=(), shape=(None, None, 8), parameters=50):
    return {
        "name": name,
        "type": kind,
        "inputs": list(inputs),
        "output_shape": list(shape),
        "parameters": parameters,
    }


def test_blocks_that_repeat_are_one():
    found = collapse_layers(
        [
            layer("tokens", "InputLayer", parameters=0),
            layer("block", "TransformerEncoder", ["tokens"]),
            layer("block_1", "TransformerEncoder", ["block"]),
            layer("block_2", "TransformerEncoder", ["block_1"]),
            layer("larger", "TransformerEncoder", ["block_2"], parameters=60),
            layer("gate", "GatingLayer", ["larger"]),
        ]
    )
    assert [(one["name"], one["times"]) for one in found] == [
        ("tokens", 1),
        ("block", 3),
        ("larger", 1),
        ("gate", 1),
    ]
    assert found[2]["inputs"] == ["block"]


def test_the_architecture_shows_layers_shapes_and_parameters():
    layers = [
        layer("tokens", "InputLayer", shape=(None, None), parameters=0),
        layer("block", "TransformerEncoder", ["tokens"]),
        layer("block_1", "TransformerEncoder", ["block"]),
        layer("gate", "GatingLayer", ["block_1"], parameters=72),
        layer("pool", "GlobalAveragePooling1D", ["gate", "tokens"], (None, 8), 0),
    ]
    axes = draw_architecture(layers).axes[0]
    assert [text for text in texts(axes) if text] == [
        "tokens",
        "(batch, length)",
        "TransformerEncoder × 2",
        "(batch, length, 8) · 100 parameters",
        "GatingLayer",
        "(batch, length, 8) · 72 parameters",
        "GlobalAveragePooling1D",
        "(batch, 8)",
    ]
    heights = [patch.get_y() for patch in axes.patches if hasattr(patch, "get_boxstyle")]
    assert heights == sorted(heights, reverse=True)


def test_layers_of_several_outputs_are_drawn():
    outputs = layer("two", "Split", shape=([None, 8], [None, 3]), parameters=0)
    axes = draw_architecture([outputs]).axes[0]
    assert texts(axes)[1] == "(batch, 8), (batch, 3)"
