"""The command line. One file a command; imports inside commands, so that --help stays fast."""

from __future__ import annotations

import gc
import sys
from typing import Final

from opentpe.errors import InputError, OpenTPEError

_YOUNG_COUNT: Final = 100_000  # objects made before the collector looks: a command makes many and keeps most


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line. Exit 0: an answer; 2: the input cannot be used; 1: a fault of ours."""
    gc.set_threshold(_YOUNG_COUNT, 20, 100)
    from opentpe.cli.app import build

    said = sys.argv[1:] if arguments is None else arguments
    try:
        build(said[0] if said else "")(args=said, standalone_mode=True)
    except InputError as error:
        sys.exit(_say(str(error), 2))
    except OpenTPEError as error:
        sys.exit(_say(f"OpenTPE stopped: {error}", 1))
    except BrokenPipeError:
        sys.exit(0)
    finally:
        gc.freeze()  # what is left need not be searched once more on the way out: a seventh of a consultation


def _say(message: str, code: int) -> int:
    sys.stderr.write(message + "\n")
    return code
