"""The command line, `python -m ml`: one module per command, each with `register(commands)`.

Exit codes: 0 success, 1 failure with a message on standard error, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from ml.cli import bench, bundle, compare, data, evaluate, gate, predict, train
from ml.errors import MLError

#: Modules of packages that only the training role installs.
_TRAINING_MODULES = ("matplotlib", "tensorboard", "tqdm")
_INSTALL = "It comes with the training role: pip install -r requirements/training.txt"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m ml", description="The models of ScalpSpectra, without the service."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (predict, train, gate, compare, evaluate, bundle, data, bench):
        command.register(commands)
    try:
        options = parser.parse_args(arguments)
        code: int = options.run(options)
        sys.stdout.flush()
    except MLError as error:
        print(error, file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        if error.name not in _TRAINING_MODULES:
            raise
        print(f"This command needs the package {error.name}. {_INSTALL}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader of the output has closed it, as `head` does. Send the final flush of the interpreter to /dev/null.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code
