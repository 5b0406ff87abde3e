"""`cnnkit describe`: every layer of a network with its shape, weights and operations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnnkit.cli.options import json_option, written_options

if TYPE_CHECKING:
    from cnnkit.cnncore.input import Input

UNITS_OF_PRESETS = {"text": "words", "text-quick": "words", "bytes": "bytes"}


@click.command()
@click.argument("network", metavar="SPEC|PRESET|MODEL")
@click.option(
    "--input",
    "shape",
    metavar="CxHxW",
    default="1x64x64",
    show_default=True,
    help="Channels x rows x columns of the image; of the presets for texts a window, with n-grams.",
)
@click.option("--outputs", type=click.IntRange(1), default=10, show_default=True)
@json_option
@click.pass_context
def describe(context: click.Context, network: str, shape: str, outputs: int, as_json: bool) -> None:
    """Show what a network does: shape, weights and multiply-adds of every layer.

    \b
    conv FxKHxKW[/S]        F features of KH x KW pixels, stride S
    pool, avgpool KHxKW[/S] window and stride
    norm, norm group        batch or group normalisation
    relu, gelu, …           activation
    gap, gmp, gsum, flatten mean, maximum or sum over all pixels, or all pixels side by side
    dense N, drop P         N hidden neurons; dropout
    N*( … )  res( … )  par( … ; … )   repeat, add the input, branches side by side
    embed D, side, wide, forest  category numbers as D features; side features
    """
    import json
    from dataclasses import asdict

    from cnnkit.cnncore.describe import describe as describe_layers
    from cnnkit.cnncore.describe import format_table
    from cnnkit.cnncore.layer_types import to_text
    from cnnkit.cnncore.presets import PRESETS, resolve

    name, note = network.strip().lower(), ""
    if Path(network).is_dir():
        if written_options(context) & {"shape", "outputs"}:
            raise click.UsageError(f"{network} is a model: it knows its --input and --outputs")
        from cnnkit.cnncore.model_folder import load

        model = load(network, device="cpu")
        image, outputs = model.adapter_.spec_, model.objective_.outputs
        layers = resolve(model.network_, image)
    elif name in UNITS_OF_PRESETS and "shape" not in written_options(context):
        image = input_of_texts(UNITS_OF_PRESETS[name])
        layers = resolve(name, image)
        note = f"\n\nwide: for {image.side:,} n-grams, the most; a model has those of its texts"
    else:
        image = read_shape(shape)
        layers = resolve(network, image)
    rows = describe_layers(layers, image, outputs)
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows]))
        return
    if name in PRESETS and to_text(layers) != PRESETS[name]:
        click.echo(f"{name}, before it is cut to the image:\n{PRESETS[name]}\n")
    click.echo(f"{to_text(layers)}\n\n{format_table(rows)}{note}")


def input_of_texts(unit: str) -> Input:
    """Return what a network sees of a window of texts in this unit, with all the n-grams it may.

    Examples
    --------
    >>> input_of_texts("words").shape
    (6, 1, 80)
    """
    from cnnkit.adapters.text.units import UNITS
    from cnnkit.cnncore.input import Input

    of = UNITS[unit]
    shape = (len(of.channels), 1, of.window)
    return Input(shape, vocabulary=of.vocabulary, side=of.most_features, sparse=True)


def read_shape(text: str) -> tuple[int, int, int]:
    """Read CxHxW.

    Raises
    ------
    click.BadParameter
        If the text isn't three whole numbers above 0.

    Examples
    --------
    >>> read_shape("1x40x64")
    (1, 40, 64)
    """
    numbers = text.lower().replace("×", "x").split("x")
    if len(numbers) != 3 or not all(number.isdigit() and int(number) for number in numbers):
        raise click.BadParameter(
            f"{text!r}: expected channels x rows x columns, such as 1x64x64", param_hint="--input"
        )
    channels, rows, columns = map(int, numbers)
    return channels, rows, columns
