"""Settings, from the environment only; a secret may come from a file named by ``…_FILE``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api.connectors.environment import Environment
from api.connectors.webhooks import Webhook, read_webhooks
from engine.domain.hosts import AllowedHosts

TRUE, FALSE = frozenset({"1", "true", "yes", "on"}), frozenset({"", "0", "false", "no", "off"})


class SettingWrong(Exception):
    """An environment variable holds something that cannot be used; the message names it."""


@dataclass(frozen=True)
class Settings:
    """How one process of the product is set up."""

    data_dir: Path
    database_url: str
    redis_url: str | None = None
    demo: bool = False
    host: str = "127.0.0.1"
    port: int = 8000
    secure_cookies: bool = False
    smtp_url: str | None = None
    mail_from: str = "no-reply@localhost"
    calendar: str = "cn"
    office: Mapping[str, Any] = field(default_factory=dict)
    connector_hosts: AllowedHosts = field(default_factory=AllowedHosts)
    connector_environment: Environment = field(default_factory=Environment, repr=False)
    webhooks: Mapping[str, Webhook] = field(default_factory=dict)

    @property
    def embedded_worker(self) -> bool:
        """Without Redis the jobs run inside the web process."""
        return self.redis_url is None


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of `environment` (default: the process's). Raises SettingWrong."""
    env = os.environ if environment is None else environment
    data_dir = Path(env.get("BANSHI_DATA_DIR") or "var").resolve()
    url = _value(env, "BANSHI_DATABASE_URL") or f"sqlite:///{data_dir / 'banshi.db'}"
    if not url.startswith(("sqlite:///", "mysql+pymysql://", "mariadb+pymysql://")):
        raise SettingWrong("BANSHI_DATABASE_URL: use sqlite:///… or mysql+pymysql://…")
    return Settings(
        data_dir=data_dir,
        database_url=url,
        redis_url=_value(env, "BANSHI_REDIS_URL"),
        demo=_flag(env, "BANSHI_DEMO"),
        host=env.get("BANSHI_HOST") or "127.0.0.1",
        port=_number(env, "BANSHI_PORT", 8000),
        secure_cookies=_flag(env, "BANSHI_SECURE_COOKIES"),
        smtp_url=_value(env, "BANSHI_SMTP_URL"),
        mail_from=env.get("BANSHI_MAIL_FROM") or "no-reply@localhost",
        calendar=env.get("BANSHI_CALENDAR") or "cn",
        office=_office(env),
        connector_hosts=_hosts(env),
        connector_environment=Environment(env),
        webhooks=_webhooks(env),
    )


def _office(env: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": {
            "zh-CN": env.get("BANSHI_OFFICE_ZH") or "海州市政务服务中心",
            "en": env.get("BANSHI_OFFICE_EN") or "Haizhou City Government Services",
        },
        "phone": env.get("BANSHI_OFFICE_PHONE") or "12345",
        "address": {
            "zh-CN": env.get("BANSHI_OFFICE_ADDRESS_ZH") or "海州市人民路1号",
            "en": env.get("BANSHI_OFFICE_ADDRESS_EN") or "1 Renmin Road, Haizhou",
        },
        "website": env.get("BANSHI_PUBLIC_URL") or "http://127.0.0.1:8000",
    }


def _value(env: Mapping[str, str], name: str) -> str | None:
    file = env.get(f"{name}_FILE")
    if file:
        try:
            return Path(file).read_text(encoding="utf-8").strip() or None
        except OSError as error:
            raise SettingWrong(f"{name}_FILE: {error}") from error
    return env.get(name) or None


def _hosts(env: Mapping[str, str]) -> AllowedHosts:
    try:
        return AllowedHosts(env.get("BANSHI_CONNECTOR_HOSTS") or "")
    except ValueError as error:
        raise SettingWrong(f"BANSHI_CONNECTOR_HOSTS: {error}") from error


def _webhooks(env: Mapping[str, str]) -> dict[str, Webhook]:
    try:
        return read_webhooks(env)
    except ValueError as error:
        raise SettingWrong(str(error)) from error


def _flag(env: Mapping[str, str], name: str) -> bool:
    value = env.get(name, "").strip().lower()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise SettingWrong(f"{name}: use 1 or 0, not {value!r}")


def _number(env: Mapping[str, str], name: str, default: int) -> int:
    value = env.get(name) or str(default)
    if not value.isdigit() or not 0 < int(value) < 65_536:
        raise SettingWrong(f"{name}: use a port number from 1 to 65535, not {value!r}")
    return int(value)
