"""A real Chromium, and the product served to it."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator

import uvicorn
from playwright.sync_api import Browser, sync_playwright

from api.main import create_app
from api.wiring import Application
from api.worker.embedded import EmbeddedWorker
from tests.support.servers import binary, free_port

ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


def chromium_path() -> str | None:
    return os.environ.get("BANSHI_CHROMIUM") or binary("chromium", "google-chrome")


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        yield browser
        browser.close()


@contextlib.contextmanager
def served(wired: Application) -> Iterator[str]:
    """The product on a private port with its embedded worker; gives the address."""
    worker = EmbeddedWorker(wired.run_due)
    port = free_port()
    app = create_app(wired.with_waker(worker.waker), worker)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)
