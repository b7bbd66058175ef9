"""Entry point of the ``banshi`` command: models are tried without loading the server."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    if len(sys.argv) > 1 and sys.argv[1] in ("validate", "simulate"):
        from api.model_commands import commands

        commands()()
    else:
        from api.cli import main as whole

        whole()
