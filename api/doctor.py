"""Checks of an installation, each with what to do when it fails."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass

import redis
from sqlalchemy import text

from api.connectors.client import HttpClient
from api.connectors.registry import Registry, Tools
from api.migrations import check_schema
from api.migrations.serving import reading, revision_of
from api.settings import Settings
from api.staff_files import built_folder
from api.worker.mailer import mailer_for
from engine.store.facts import HELD_KINDS, read_fact
from engine.store.pools import open_engine

LEAST_SPACE = 500_000_000


@dataclass(frozen=True)
class Check:
    name: str
    ok: bool
    advice: str


def examine(settings: Settings) -> list[Check]:
    """Every check, in the order an operator would fix them."""
    return [
        _try("data folder", lambda: _folder(settings)),
        _try("database", lambda: _database(settings)),
        _try("tables", lambda: _tables(settings)),
        _try("held jobs", lambda: _held_jobs(settings)),
        _try("Redis", lambda: _redis(settings)),
        _try("staff interface", _interface),
        _try("connectors", lambda: _connectors(settings)),
    ]


def _try(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, True, check())
    except Exception as error:  # whatever fails is what the operator wants to read
        return Check(name, False, str(error).splitlines()[0][:200])


def _folder(settings: Settings) -> str:
    probe = settings.data_dir / ".probe"
    probe.write_text("ok")
    probe.unlink()
    free = shutil.disk_usage(settings.data_dir).free
    if free < LEAST_SPACE:
        raise RuntimeError(f"only {free // 1_000_000} MB free: make space")
    return str(settings.data_dir)


def _database(settings: Settings) -> str:
    engine = open_engine(settings.database_url)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    engine.dispose()
    return engine.url.render_as_string(hide_password=True)


def _tables(settings: Settings) -> str:
    engine = open_engine(settings.database_url)
    try:
        check_schema(engine)
        with reading(engine) as connection:
            number = revision_of(connection)
    finally:
        engine.dispose()
    return f"migration {number}"


def _held_jobs(settings: Settings) -> str:
    engine = open_engine(settings.database_url)
    try:
        check_schema(engine)
        with reading(engine) as connection:
            kinds = read_fact(connection, HELD_KINDS)
    finally:
        engine.dispose()
    if kinds:
        raise RuntimeError(f"{', '.join(kinds)} wait since a restore: banshi release-jobs --list")
    return "none"


def _redis(settings: Settings) -> str:
    if settings.redis_url is None:
        return "not set: jobs run inside the web process"
    with redis.Redis.from_url(settings.redis_url, socket_timeout=2) as client:
        client.ping()
    return "answers"


def _interface() -> str:
    folder = built_folder()
    if folder is None:
        raise RuntimeError("run: make ui")
    return str(folder)


def _connectors(settings: Settings) -> str:
    http = HttpClient(settings.connector_hosts)
    registry = Registry(Tools(http, mailer_for(settings), settings.connector_environment))
    broken = [
        f"{each.name} of {each.package}: {each.error}" for each in registry.plug_ins if each.error
    ]
    if broken:
        raise RuntimeError("; ".join(broken))
    hosts = len(settings.connector_hosts.entries)
    return f"{', '.join(sorted(registry.descriptions))}; {hosts} allowed hosts"
