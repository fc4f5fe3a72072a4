"""`python -m qthermo` is the command `qthermo`."""

from qthermo.cli import main

main()
