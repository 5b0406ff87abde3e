"""`cnnkit describe`."""

import json

import pytest

from cnnkit.cnncore.presets import PRESETS


def total_weights(rows):
    return sum(row["weights"] for row in rows)


def test_a_spec_is_shown_layer_by_layer(cnnkit):
    spec = "conv 8x3x3 | pool 2x2 | relu | gap"
    arguments = ("describe", spec, "--input", "2x10x12", "--outputs", 5)
    rows = json.loads(cnnkit(*arguments, "--json").stdout)
    # By hand: 8 filters of 2 x 3 x 3 and a bias; 5 outputs of 8 features and a bias.
    assert total_weights(rows) == 8 * (2 * 9 + 1) + 5 * (8 + 1)
    shown = cnnkit(*arguments).stdout
    assert shown.startswith("conv 8x3x3 | pool 2x2/2 | relu | gap\n")
    assert "8 x 5 x 6" in shown


def test_a_preset_is_shown_as_its_spec(cnnkit):
    assert cnnkit("describe", "small", "--input", "1x28x28").stdout.startswith("conv 16x3x3 | pool")


@pytest.mark.parametrize("name", ["text", "text-quick", "bytes"])
def test_a_preset_for_texts_is_shown_whole(cnnkit, name):
    shown = cnnkit("describe", name).stdout
    assert shown.startswith(f"{PRESETS[name]}\n\n")


def test_the_weights_of_a_preset_for_texts_are_those_of_words_or_bytes(cnnkit):
    def weights(name):
        rows = json.loads(cnnkit("describe", name, "--outputs", 3, "--json").stdout)
        assert rows[-2]["text"] == "wide"
        return [row["weights"] for row in rows]

    # By hand: 64 numbers for each category; windows of 3, 4 and 5 pixels of 64 features; a bias;
    # three outputs of each n-gram and of each of the 192 features.
    assert weights("text-quick")[-2:] == [2**20 * 3, 3]
    of_words = weights("text")
    windows = [64 * 64 * size + 64 for size in (3, 4, 5)]
    assert sum(of_words) == 32768 * 64 + sum(windows) + 2**20 * 3 + (192 + 1) * 3
    assert 257 * 32 in weights("bytes")


def test_a_preset_that_is_cut_to_the_image_is_shown_before_and_after(cnnkit):
    shown = cnnkit("describe", "text", "--input", "1x1x64").stdout
    assert shown.startswith(
        f"text, before it is cut to the image:\n{PRESETS['text']}\n\ndrop 0.2 |"
    )


def test_a_model_is_shown_as_it_was_trained(cnnkit, model):
    shown = cnnkit("describe", model).stdout
    assert shown.startswith("conv 4x5x5/4 | relu | gap\n")
    weights = json.loads((model / "metrics.json").read_text())["parameters"]["weights"]
    assert total_weights(json.loads(cnnkit("describe", model, "--json").stdout)) == weights


def test_a_model_knows_its_own_input(refused, model):
    message = refused("describe", model, "--input", "1x8x8")
    assert message.endswith("is a model: it knows its --input and --outputs")


@pytest.mark.parametrize("shape", ["1x64", "1x64x0", "axbxc", "1x64x64x1", "", "1x-4x4"])
def test_a_shape_that_is_none_is_refused(refused, shape):
    message = refused("describe", "audio", "--input", shape)
    assert f"--input: {shape!r}: expected channels x rows x columns" in message


@pytest.mark.parametrize(
    ("network", "message"),
    [
        ("audoi", '"audoi" is no preset; did you mean "audio"?'),
        ("conv 8x3", 'layer 1 "conv 8x3": expected conv 32x3x3'),
        ("conv 8x3x3 | gap | pool 2x2", 'layer 3 "pool 2x2/2"'),
    ],
)
def test_a_network_that_is_none_is_refused(refused, network, message):
    assert message in refused("describe", network)


def test_a_folder_that_is_no_model_is_refused(refused, sounds):
    assert "no config.json, so this is no whole cnnkit model" in refused("describe", sounds)
