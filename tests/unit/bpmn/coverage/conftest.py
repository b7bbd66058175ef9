"""Every element is played twice: with processes kept as they stand, and read again at each step."""

from __future__ import annotations

from typing import Any

import pytest

from engine.bpmn.running import process, state
from engine.bpmn.running.live import LiveProcesses


class Watched(LiveProcesses[Any]):
    """Nobody may have changed a kept process since it was stored."""

    def take(self, definition: Any, stored: bytes) -> Any:
        kept = super().take(definition, stored)
        if kept is not None:
            assert state.encode(kept[0]) == stored
        return kept


class Forgetful(LiveProcesses[Any]):
    def take(self, definition: Any, stored: bytes) -> Any:
        return None


@pytest.fixture(autouse=True, params=["kept", "read"])
def live(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LIVE", Watched() if request.param == "kept" else Forgetful())
