"""The command line. One file a command; imports inside commands, so that --help stays fast."""

from __future__ import annotations

import sys

from opentpe.errors import InputError, OpenTPEError


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line. Exit 0: an answer; 2: the input cannot be used; 1: a fault of ours."""
    from opentpe.cli.app import build

    try:
        build()(args=arguments, standalone_mode=True)
    except InputError as error:
        sys.exit(_say(str(error), 2))
    except OpenTPEError as error:
        sys.exit(_say(f"OpenTPE stopped: {error}", 1))
    except BrokenPipeError:
        sys.exit(0)


def _say(message: str, code: int) -> int:
    sys.stderr.write(message + "\n")
    return code
