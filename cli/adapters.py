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

    from cnnkit.cnncore.plugins import adapter_class, adapter_entries, adapter_names

    if name is None:
        names, entries = adapter_names(), adapter_entries()
        dists = {key: entries[key].dist for key in names}
        packages = {key: dist.name if dist else "" for key, dist in dists.items()}
        if as_json:
            click.echo(json.dumps(packages))
            return
        for key, package in packages.items():
            also = f" (also: {', '.join(names[key])})" if names[key] else ""
            click.echo(f"{key:<12} from {package}{also}")
        click.echo("\n`cnnkit adapters NAME` shows what can be set with --set.")
        return
    kind = adapter_class(name)
    if as_json:
        click.echo(json.dumps(kind().get_params(deep=False)))
        return
    click.echo(inspect.getdoc(kind))
