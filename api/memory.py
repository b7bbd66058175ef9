"""What a long-running process does about its memory."""

from __future__ import annotations

import gc


def settle() -> None:
    """Spare the collector what was loaded so far; to be called once, when the process is ready.

    A full collection walks every object: a tenth of a second over the loaded program, in the midst
    of somebody's request.
    """
    gc.collect()
    gc.freeze()
