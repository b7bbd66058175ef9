"""Makes the golden states and the golden backup of this release: tests/contract/golden.

python scripts/golden_states.py [--again]

Run it once for each release, and for each new format of states; what other releases left is not
touched. `--again` makes those of this release anew, as long as it is not out.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from api.version import VERSION  # noqa: E402
from engine.bpmn import read_process  # noqa: E402
from engine.bpmn.running.state import VERSION as FORMAT  # noqa: E402
from tests.support.golden import GOLDEN, Move, Story, told  # noqa: E402
from tests.support.golden_database import write_database  # noqa: E402
from tests.support.golden_models import MODELS  # noqa: E402
from tests.support.golden_packages import stories_of_packages  # noqa: E402


def write_story(
    name: str, files: Mapping[str, bytes], id_: str, data: Mapping[str, Any], moves: Sequence[Move]
) -> None:
    process, findings = read_process(files, id_)
    if process is None:
        sys.exit(f"{name}: {findings}")
    stops, states, end = told(process, process.start(data), moves)
    folder = GOLDEN / str(FORMAT) / VERSION / name
    Story(id_, stops, dict(end.data)).write(folder, states, files)
    sys.stdout.write(f"{name}: {len(states)} states\n")


def main() -> None:
    folder = GOLDEN / str(FORMAT) / VERSION
    if folder.exists():
        if "--again" not in sys.argv:
            sys.exit(f"{folder} is there already")
        shutil.rmtree(folder)
    for name, model in MODELS.items():
        write_story(name, model.files(), "p", model.data, [(*each, 0) for each in model.moves])
    for story in stories_of_packages():
        write_story(*story)
    size = write_database(GOLDEN / "backups", VERSION)
    sys.stdout.write(f"{size} bytes of backup\n")


if __name__ == "__main__":
    main()
