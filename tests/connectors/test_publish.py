"""What publishing says of connectors' settings, in both languages."""

from __future__ import annotations

import pytest

from api.sentences import finding_view
from engine.domain.access import SYSTEM
from engine.domain.process import Finding
from engine.kernel.errors import PackageRefused
from engine.usecases.publish import PublishPackage, publish
from tests.connectors.conftest import OpenOffice
from tests.support.connector_models import calling, connector_task
from tests.support.play import drain, open_task
from tests.support.small_package import begun, files_of, person, published
from tests.unit.bpmn.coverage.play import end, start, straight

URL = "https://api.example.org/x"


def refused(open_office: OpenOffice, body: str) -> list[Finding]:
    with pytest.raises(PackageRefused) as error:
        published(open_office(BANSHI_CONNECTOR_HOSTS="api.example.org"), body)
    return [each for each in error.value.params["findings"] if each.severity == "error"]


@pytest.mark.parametrize(
    ("body", "code", "english", "chinese"),
    [
        (
            calling("htttp", url=URL),
            "connector_unknown",
            "There is no connector “htttp” here.",
            "此处没有名为“htttp”的连接器。",
        ),
        (
            calling("http"),
            "connector_setting_missing",
            "The connector “http” needs the setting “url”.",
            "连接器“http”缺少设置“url”。",
        ),
        (
            calling("http", url=URL, method="FETCH"),
            "connector_setting_wrong",
            "The setting “method” has to be GET | HEAD | POST | PUT | PATCH | DELETE.",
            "设置“method”应为 GET | HEAD | POST | PUT | PATCH | DELETE。",
        ),
        (
            calling("http", url=URL, timeout="600"),
            "connector_setting_wrong",
            "The setting “timeout” has to be 1–60.",
            "设置“timeout”应为 1–60。",
        ),
        (
            calling("http", url=URL, retries="many"),
            "connector_setting_wrong",
            "The setting “retries” has to be 1–20.",
            "设置“retries”应为 1–20。",
        ),
        (
            calling("http", url="ftp://api.example.org"),
            "connector_url_wrong",
            "ftp://api.example.org (url) is not an address that begins with http:// or https:// "
            "and names a host.",
            "ftp://api.example.org（url）不是以 http:// 或 https:// 开头并写明主机的网址。",
        ),
        (
            calling("sql", database="land", statement="='SELECT ' + application['title']"),
            "connector_setting_literal",
            "The setting “statement” must be written out; it may not be an expression.",
            "设置“statement”须直接写明，不能使用表达式。",
        ),
        (
            straight(
                start(),
                connector_task("http", "a", url=URL, department="FOI").replace(
                    "serviceTask", "manualTask"
                ),
                end(),
            ),
            "connector_elsewhere",
            "Only service tasks and send tasks can name a connector.",
            "只有服务任务和发送任务可以使用连接器。",
        ),
    ],
)
def test_a_package_that_cannot_work_is_refused(
    open_small_with: OpenOffice, body: str, code: str, english: str, chinese: str
) -> None:
    (finding,) = refused(open_small_with, body)
    assert finding.code == code
    assert finding.line is not None
    assert finding_view(finding, "en")["message"] == english
    assert finding_view(finding, "zh-CN")["message"] == chinese


def test_a_host_that_is_not_allowed_here_is_a_warning(open_small_with: OpenOffice) -> None:
    office = open_small_with(BANSHI_CONNECTOR_HOSTS="*.example.org")
    files = files_of(calling("http", url="https://api.example.com/x"))
    made = office.uow.run(publish, PublishPackage(SYSTEM, files))
    (finding,) = [each for each in made.findings if each.code == "connector_host_refused"]
    assert (finding.element, finding.severity) == ("call", "warning")
    assert "https://api.example.com/x" in finding_view(finding, "en")["message"]


def test_a_send_task_may_name_a_connector(open_small_with: OpenOffice) -> None:
    office = open_small_with()
    task = connector_task("smtp", "c", to="a@b.example", subject="s", body="b")
    task = task.replace("serviceTask", "sendTask")
    published(office, straight(start(), task, person("b"), end()))
    case = begun(office)
    drain(office)
    assert open_task(office, case).element == "b"
