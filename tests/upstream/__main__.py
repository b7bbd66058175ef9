"""Run as ``python -m tests.upstream CHECKOUT [--only PATTERN]``; see `docs/bpmn-coverage.md`."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkout", type=Path, help="a checkout of SpiffWorkflow")
    parser.add_argument("--only", default="*", help="tests whose names match")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    # Instants without a zone are Beijing's here, and this machine's there.
    os.environ["TZ"] = "Asia/Shanghai"
    time.tzset()
    from tests.upstream import conform, replay, tables

    checkout = given.checkout.resolve()
    report = conform.run(checkout, given.only)
    models = replay.Comparison()
    known = conform.differences()
    replay.compare_models(checkout, known, models)
    tables.compare_tables(checkout, known, models)
    sys.stdout.write("\n".join([*report.lines(), "", *models.lines()]) + "\n")
    return 1 if report.unknown or models.unknown else 0


if __name__ == "__main__":
    sys.exit(main())
