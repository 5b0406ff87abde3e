"""`cnnkit preview`: a picture of the very arrays that the network sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cnnkit.cli.options import ENCODING, adapter_options, check_output, seed_option

MEASURED = 100  # items that mean and scale are taken from


@click.command()
@click.argument("data", required=False, type=click.Path(path_type=Path))
@adapter_options
@click.option("--item", metavar="COL", help="Column of the table that holds the items.")
@click.option("--encoding", metavar="NAME", help=ENCODING)
@click.option("--count", type=click.IntRange(1, 24), default=4, show_default=True)
@click.option("--augmented", is_flag=True, help="As in training: moved, masked, coloured.")
@seed_option
@click.option("--out", type=click.Path(path_type=Path), default="preview.png", show_default=True)
@click.option("--overwrite", is_flag=True, help="Replace the file in --out.")
def preview(
    data: Path | None,
    adapter_name: str,
    settings: tuple[str, ...],
    item: str | None,
    encoding: str | None,
    count: int,
    augmented: bool,
    seed: int,
    out: Path,
    overwrite: bool,
) -> None:
    """Draw some items of DATA as the network would see them, with axes in their own units.

    DATA is one item, a folder or a table; without it the adapter's demo set is drawn.
    """
    check_output(out, overwrite=overwrite)
    import numpy as np

    from cnnkit.adapters.errors import count_of
    from cnnkit.cli.settings import make_adapter
    from cnnkit.cnncore.figures import draw_images

    adapter = make_adapter(adapter_name, settings)
    items, places = find_items(adapter, data, item, encoding)
    adapter.fit_reading(items)
    order = np.random.default_rng(seed).permutation(len(items))[: max(count, MEASURED)]
    items, places = [items[row] for row in order], [places[row] for row in order]
    samples = adapter.read(items)
    if not len(samples):
        raise ValueError(
            f"none of {len(items):,} items could be read: {samples.problems[0].reason}"
        )
    adapter.fit_rendering(samples)
    drawn = samples[np.arange(min(count, len(samples)))]
    for problem in samples.problems:
        click.echo(f"{places[problem.item]}: {problem.reason}", err=True)
    figure = draw_images(adapter, drawn, items, places, seed if augmented else None)
    figure.savefig(out)
    for sentence in adapter.decided_:
        click.echo(f"  {sentence}")
    if adapter.standardised and adapter.spec_.values == "intensity":
        click.echo(
            f"  standardised by {count_of(len(samples), 'item')}; a model by all of its training "
            "items"
        )
    click.echo(f"{out}: {len(drawn)} of them drawn")


def find_items(
    adapter: Any, data: Path | None, item: str | None, encoding: str | None
) -> tuple[list[Any], list[str]]:
    """Return the items of the demo set or of a source, and what to call each."""
    if data is None:
        items, labels = adapter.demo()
        return items, [f"demo: {label}" for label in labels]
    from cnnkit.adapters.sources import load_dataset

    dataset = load_dataset(
        data,
        item=item,
        item_names=adapter.item_columns,
        items_are_files=adapter.items_are_files,
        items_are_texts=adapter.items_are_texts,
        looks_like_item=adapter.looks_like_item,
        row_columns=adapter.row_columns(),
        need_target=adapter.row_columns() is not None,  # which is no pixel
        min_classes=1,
        encoding=encoding,
    )
    return dataset.items, dataset.places
