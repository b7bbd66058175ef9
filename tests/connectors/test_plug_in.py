"""The example plug-in, installed as a package of its own, and plug-ins that are broken."""

from __future__ import annotations

import json
import shutil
import sys
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from importlib import invalidate_caches
from pathlib import Path

import pytest

from api.connectors.http import HttpConnector
from api.connectors.registry import Registry
from api.doctor import examine
from api.settings import read_settings
from api.wiring import wire
from engine.kernel.clock import SettableClock
from tests.connectors.conftest import OpenOffice
from tests.support.connector_models import ERROR, connector_task, data_of, waiting_of
from tests.support.play import drain, open_task
from tests.support.small_package import begun, person, published
from tests.support.web import Reply, web_server
from tests.unit.bpmn.coverage.play import boundary, end, start, straight, to

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "connector_plugin"


def install(site: Path, source: Path) -> None:
    """What an installer does with a wheel: the modules, and a dist-info with the entry points."""
    project = tomllib.loads((source / "pyproject.toml").read_text())
    named, version = project["project"]["name"], project["project"]["version"]
    for package in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]:
        shutil.copytree(source / package, site / package)
    info = site / f"{named.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {named}\nVersion: {version}\n")
    lines = []
    for group, points in project["project"]["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path where packages are installed, gone with all it brought."""
    folder, before = tmp_path / "site", set(sys.modules)
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
    invalidate_caches()


def test_an_installed_plug_in_does_its_work_for_a_case(
    open_with: OpenOffice, clock: SettableClock, site: Path
) -> None:
    install(site, EXAMPLE)
    gateway = [Reply(status=500), Reply(status=202, body=b'{"id": 77}')]
    with web_server(*gateway) as server:
        office = open_with(
            BANSHI_CONNECTOR_HOSTS=f"127.0.0.1:{server.port}", BANSHI_SECRET_SMS="gateway-token"
        )
        task = connector_task(
            "sms",
            gateway=f"{server.url}/send",
            token="secret:SMS",
            to="=application['phone']",
            text="您的申请“${application.title}”已受理。",
            result_variable="sms",
        )
        published(office, straight(start(), task, person("b"), end()))
        case = begun(office)
        drain(office)
        assert waiting_of(office, case).error == "the gateway said 500"
        clock.advance(timedelta(minutes=1))
        drain(office)
    assert [each.headers["authorization"] for each in server.asked] == ["Bearer gateway-token"] * 2
    first, second = (json.loads(each.body) for each in server.asked)
    assert first == second
    assert (first["to"], first["text"]) == ("13800138000", "您的申请“规划许可”已受理。")
    assert data_of(office, case)["sms"] == {"message": "77"}
    assert open_task(office, case).element == "b"


def test_the_model_catches_what_it_tells(open_small_with: OpenOffice, site: Path) -> None:
    install(site, EXAMPLE)
    with web_server(Reply(status=422)) as server:
        office = open_small_with(
            BANSHI_CONNECTOR_HOSTS=f"127.0.0.1:{server.port}", BANSHI_SECRET_SMS="gateway-token"
        )
        task = connector_task(
            "sms", gateway=server.url, token="secret:SMS", to="=application['phone']", text="hello",
            errors="number_wrong=not_found",
        )  # fmt: skip
        caught = boundary("wrong", "call", '<bpmn:errorEventDefinition errorRef="gone"/>')
        body = (
            straight(start(), task, person("b"), end())
            + caught
            + person("c")
            + end("finish2")
            + to("wrong", "c")
            + to("c", "finish2")
        )
        published(office, body, ERROR)
        case = begun(office)
        drain(office)
    assert open_task(office, case).element == "c"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise RuntimeError('no licence')", "RuntimeError: no licence"),
        ("made = 3", "'int' object is not callable"),
        (
            "from engine.domain.connector import Description\n"
            "class made:\n"
            "    description = Description('http', {})\n"
            "    def __init__(self, tools): pass\n"
            "    def run(self, call): return 1\n",
            "there is a connector http already",
        ),
    ],
)
def test_a_broken_plug_in_does_not_keep_the_office_closed(
    site: Path, tmp_path: Path, code: str, words: str
) -> None:
    source = tmp_path / "broken"
    (source / "broken_plug_in").mkdir(parents=True)
    (source / "broken_plug_in" / "__init__.py").write_text(code)
    (source / "pyproject.toml").write_text(
        '[project]\nname = "broken"\nversion = "1"\n'
        '[project.entry-points."banshi.connectors"]\nbroken = "broken_plug_in:made"\n'
        '[tool.hatch.build.targets.wheel]\npackages = ["broken_plug_in"]\n'
    )
    install(site, source)
    wired = wire(read_settings({"BANSHI_DATA_DIR": str(tmp_path)}))
    try:
        registry = wired.ports.connectors
        assert isinstance(registry, Registry)
        assert sorted(registry.descriptions) == ["http", "smtp", "sql"]
        assert isinstance(registry.connector("http"), HttpConnector)
        (told,) = registry.plug_ins
        assert (told.name, told.package) == ("broken", "broken")
        assert words in str(told.error)
        (check,) = [each for each in examine(wired.settings) if each.name == "connectors"]
        assert not check.ok
        assert words in check.advice
    finally:
        wired.close()
