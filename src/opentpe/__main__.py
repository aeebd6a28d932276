"""`python -m opentpe` is the command line."""

from opentpe.cli import main

main()
