"""The command `cnnkit`: a command is a file, and heavy imports happen inside its body."""

from __future__ import annotations

import sys
from typing import Any

import click

from cnnkit import __version__
from cnnkit.cli.adapters import adapters
from cnnkit.cli.check_table import check_table
from cnnkit.cli.describe import describe
from cnnkit.cli.evaluate import evaluate
from cnnkit.cli.fit import fit
from cnnkit.cli.predict import predict
from cnnkit.cli.preview import preview

USER_ERROR = 2
INTERRUPTED = 130
NO_MEMORY = (
    "the memory isn't enough: take a smaller --batch-size, --network or image (--set), or a "
    "device that has more"
)


class Commands(click.Group):
    """A group whose commands end with one clear message where the user's input is wrong."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except KeyboardInterrupt:
            click.echo("\nInterrupted; nothing was saved.", err=True)
            sys.exit(INTERRUPTED)
        except BrokenPipeError:
            raise  # `cnnkit predict … | head` is no mistake: click ends quietly
        # Every error of cnnkit's own is a ValueError, and so is what libraries say of bad values.
        except (ValueError, OSError, ArithmeticError) as error:
            if context.params["debug"]:
                raise
            click.echo(f"Error: {error}", err=True)
            sys.exit(USER_ERROR)
        except (MemoryError, RuntimeError) as error:
            # torch says so in a RuntimeError, in other words on each kind of device.
            said = str(error).lower()
            lacking = "out of memory" in said or "can't allocate memory" in said
            if context.params["debug"] or not (lacking or isinstance(error, MemoryError)):
                raise
            click.echo(f"Error: {NO_MEMORY}", err=True)
            sys.exit(USER_ERROR)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
@click.option("--debug", is_flag=True, help="Show where an error came from.")
def main(debug: bool) -> None:
    """Convolutional networks for data that isn't images.

    \b
    cnnkit fit --adapter audio               train on a demo set, made on the spot
    cnnkit fit recordings/ --adapter audio   train on a folder with one folder a class
    cnnkit predict MODEL new_recordings/     one row for every file
    cnnkit check-table customers.csv         can a network use the order of the columns?
    """


for command in (fit, predict, evaluate, check_table, preview, describe, adapters):
    main.add_command(command)
