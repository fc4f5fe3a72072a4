"""The command line: parse, call, print; no physics."""

from qthermo.cli.main import app, main

__all__ = ["app", "main"]
