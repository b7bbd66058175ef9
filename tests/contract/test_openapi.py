"""The committed OpenAPI document is the one the routes give."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_document_is_up_to_date() -> None:
    spec = importlib.util.spec_from_file_location("openapi", ROOT / "scripts/openapi.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    committed = json.loads((ROOT / "admin_ui/openapi.json").read_text())
    assert json.loads(module.openapi_document()) == committed, "run: make openapi"


def test_every_operation_has_a_name_of_its_own() -> None:
    document = json.loads((ROOT / "admin_ui/openapi.json").read_text())
    operations = [each for path in document["paths"].values() for each in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert not [name for name in names if "api_v1" in name]
