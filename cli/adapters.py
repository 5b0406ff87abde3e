"""`cnnkit adapters`: what kinds of data this installation can read."""

from __future__ import annotations

import click

from cnnkit.cli.options import json_option


@click.command()
@click.argument("name", required=False)
@json_option
def adapters(name: str | None, as_json: bool) -> None:
    """List the installed adapters, or show the parameters of one."""
    import inspect
    import json

    from cnnkit.cnncore.plugins import adapter_class, adapter_entries

    if name is None:
        entries = adapter_entries()
        packages = {key: entry.dist.name if entry.dist else "" for key, entry in entries.items()}
        if as_json:
            click.echo(json.dumps(packages))
            return
        for key, package in packages.items():
            click.echo(f"{key:<12} from {package}")
        click.echo("\n`cnnkit adapters NAME` shows what can be set with --set.")
        return
    kind = adapter_class(name)
    if as_json:
        click.echo(json.dumps(kind().get_params(deep=False)))
        return
    click.echo(inspect.getdoc(kind))
