"""Entry point of the ``banshi`` command: what needs no server starts without loading it."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    if len(sys.argv) > 1 and sys.argv[1] in ("validate", "simulate"):
        from api.model_commands import commands

        commands()()
    elif len(sys.argv) > 1 and sys.argv[1] == "clock":
        from api.clock_command import command

        command()()
    else:
        from api.cli import main as whole

        whole()
