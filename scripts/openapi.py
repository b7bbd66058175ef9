"""Print the OpenAPI document of the JSON interface."""

import json
import sys
import tempfile
from pathlib import Path

from api.main import create_app
from api.settings import read_settings
from api.wiring import wired


def openapi_document() -> str:
    """The document as it is committed in admin_ui/openapi.json."""
    with tempfile.TemporaryDirectory() as folder:
        settings = read_settings({"BANSHI_DATA_DIR": str(Path(folder))})
        with wired(settings) as application:
            document = create_app(application).openapi()
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(openapi_document())
