"""What the check of a package finds in its clocks: each mistake by its code, with its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from api.demo.office import PACKAGES, shipped_package
from api.sentences import finding_view, texts
from api.settings import read_settings
from api.wiring import Application, wired
from engine.domain.access import SYSTEM
from engine.domain.calendar_data import shipped_calendar
from engine.domain.calendar_set import CalendarSet
from engine.domain.ports import Ports
from engine.domain.process import Finding
from engine.kernel.errors import PackageRefused
from engine.usecases.clock_check import unfitting_clocks
from engine.usecases.definition import read_contents
from engine.usecases.publish import PublishPackage, publish
from tests.support.clocks import clerk, line_of, verb, with_clocks
from tests.unit.bpmn.models import flow, node, settings

STARTED = ("go", verb("go", "start", limit="reply"))
EXTENDS = ("more", verb("more", "extend", "legal", limit="more"))
HOURS = "[limits.quick]\nhours = 4\nbasis = {}\n"


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    """What a check needs of its surroundings: no database."""
    folder = str(tmp_path_factory.mktemp("check"))
    with wired(read_settings({"BANSHI_DATA_DIR": folder})) as application:
        yield application.ports


def found(ports: Ports, files: dict[str, bytes]) -> list[Finding]:
    contents, findings = read_contents(files, ports)
    return findings + (list(unfitting_clocks(contents, ports)) if contents is not None else [])


def applicant(id_: str, **more: str) -> str:
    inner = settings(audience="applicant", kind="correction", saves_as=id_, **more)
    return f'<bpmn:manualTask id="{id_}">{inner}</bpmn:manualTask>'


def letter(id_: str, name: str) -> str:
    return f'<bpmn:sendTask id="{id_}">{settings(letter=name)}</bpmn:sendTask>'


def decide(id_: str, outcome: str) -> str:
    inner = settings(action="case.decide", outcome=outcome)
    return f'<bpmn:serviceTask id="{id_}">{inner}</bpmn:serviceTask>'


A = ("a", clerk("a", limit="step"))
NO = '[outcomes]\nno = { zh-CN = "不准", en = "Refused", refuses = true }\n'
WRONG: list[tuple[str, str, str, list[tuple[str, str]], str]] = [
    # code, severity, element, nodes, toml
    (
        "promise_later_than_law", "error", "limits.late_promise", [STARTED, A],
        "[limits.late]\nworking_days = 3\n[limits.late_promise]\nworking_days = 4\n",
    ),
    (
        # Seven calendar days hold at most five working days, and mostly fewer.
        "promise_later_than_law", "error", "limits.late_promise", [STARTED, A],
        "[limits.late]\ncalendar_days = 7\n[limits.late_promise]\nworking_days = 6\n",
    ),
    ("limit_unused", "warning", "limits.quick", [STARTED, A], HOURS),
    (
        "clock_unknown", "error", "x", [("x", verb("x", "start", "sundial", limit="reply")), A], "",
    ),
    ("clock_limit_missing", "error", "x", [("x", verb("x", "start", "legal")), A], ""),
    (
        "clock_limit_missing", "error", "clocks.working", [A],
        '[clocks.working]\nkind = "stage"\nstage = "handling"\n'
        'title = { zh-CN = "办理", en = "Working" }\n',
    ),
    (
        "clock_unstarted", "warning", "clocks.own", [A],
        '[clocks.own]\nkind = "other"\ntitle = { zh-CN = "自定", en = "Own" }\n',
    ),
    (
        "clock_kind_wrong", "error", "clocks.own.kind", [A],
        '[clocks.own]\nkind = "legal"\ntitle = { zh-CN = "自定", en = "Own" }\n',
    ),
    (
        "extension_over_cap", "error", "clocks.legal.extension", [STARTED, A],
        '[clocks.legal]\nlimit = "reply"\n[clocks.legal.extension]\nlimits = ["more"]\n'
        'cap = "step"\n',
    ),
    (
        "extension_unit_differs", "error", "more",
        [("go", verb("go", "start", limit="quick")), EXTENDS, A], HOURS,
    ),
    (
        "extension_not_allowed", "error", "more", [STARTED, EXTENDS, A],
        '[clocks.legal.extension]\nlimits = ["step"]\n',
    ),
    (
        "extension_unapproved", "warning", "more", [STARTED, A, EXTENDS],
        '[clocks.legal.extension]\nrole = "manager"\n',
    ),
    ("extension_untold", "warning", "more", [STARTED, EXTENDS, A], ""),
    ("pause_never_resumed", "error", "hold", [STARTED, ("hold", verb("hold", "pause")), A], ""),
    (
        "pause_never_resumed", "error", "hold",
        [
            STARTED, ("hold", verb("hold", "pause", name="hearing")), A,
            ("on", verb("on", "resume", name="testing")),
        ],
        "",
    ),
    (
        "resume_without_pause", "warning", "on",
        [STARTED, A, ("on", verb("on", "resume", name="testing"))], "",
    ),
    (
        "pause_unknown", "error", "hold",
        [
            STARTED, ("hold", verb("hold", "pause", "legal", name="lunch")), A,
            ("on", verb("on", "resume", "legal", name="lunch")),
        ],
        '[clocks.legal.pauses.hearing]\ntitle = { zh-CN = "听证", en = "hearing" }\n',
    ),
    ("correction_without_limit", "error", "c", [STARTED, ("c", applicant("c"))], ""),
    (
        "stage_task_without_limit", "warning", "a",
        [STARTED, ("a", clerk("a", stage="handling"))], "",
    ),
    (
        "refusal_without_remedy", "error", "no",
        [A, ("no", decide("no", "no")), ("b", letter("b", "plain"))], NO,
    ),
    ("refusal_without_remedy", "error", "no", [A, ("no", decide("no", "no"))], NO),
    ("limit_missing", "error", "clocks.legal", [STARTED, A], '[clocks.legal]\nlimit = "never"\n'),
    (
        "letter_missing", "error", "clocks.promised", [STARTED, A],
        '[clocks.promised]\nmoved_letter = "nowhere"\n',
    ),
    (
        "rung_wrong", "error", "ladder[1]", [STARTED, A],
        '[[ladder]]\nclock = "legal"\nat = "3 days"\nto = "assignee"\n',
    ),
    (
        "rung_wrong", "error", "ladder[1]", [STARTED, A],
        '[[ladder]]\nclock = "legal"\nat = "0"\nto = "everybody"\n',
    ),
    (
        "rung_without_letter", "error", "ladder[1]", [STARTED, A],
        '[[ladder]]\nclock = "legal"\nat = "0"\nto = "applicant"\n',
    ),
    (
        "clock_unknown", "error", "ladder[1].clock", [STARTED, A],
        '[[ladder]]\nclock = "sundial"\nat = "0"\nto = "assignee"\n',
    ),
    (
        "silence_without_limit", "error", "silence.q", [("b", clerk("b"))],
        '[silence.q]\nrule = "deemed_consent"\ntask = "b"\nanswers = { x = 1 }\n'
        'basis = { zh-CN = "法", en = "law" }\n',
    ),
    (
        "silence_without_answers", "error", "silence.q", [A],
        '[silence.q]\nrule = "deemed_consent"\ntask = "a"\nbasis = { zh-CN = "法", en = "law" }\n',
    ),
    (
        "silence_place_wrong", "error", "silence.q", [A],
        '[silence.q]\nrule = "deemed_consent"\nbasis = { zh-CN = "法", en = "law" }\n',
    ),
    (
        "silence_place_wrong", "error", "silence.q", [A],
        '[silence.q]\nrule = "deemed_withdrawn"\ntimer = "a"\n'
        'basis = { zh-CN = "法", en = "law" }\n',
    ),
    (
        "element_unknown_here", "error", "on_answer[1]", [STARTED, A],
        '[[on_answer]]\ntask = "z"\nfield = "f"\nverb = "stop"\nclock = "legal"\n',
    ),
    (
        "manifest_setting_unknown", "error", "clocks.legal.limt", [STARTED, A],
        '[clocks.legal]\nlimt = "reply"\n',
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "severity", "element", "nodes", "toml"),
    WRONG,
    ids=[f"{number}-{each[0]}" for number, each in enumerate(WRONG)],
)
def test_a_mistake_is_found_where_it_is(
    ports: Ports,
    code: str,
    severity: str,
    element: str,
    nodes: list[tuple[str, str]],
    toml: str,
) -> None:
    files = with_clocks(line_of(*nodes), toml, ("plain",))
    made = found(ports, files)
    hits = [each for each in made if (each.code, each.element) == (code, element)]
    assert [each.severity for each in hits][:1] == [severity], made
    assert hits[0].line is not None
    lines = files[hits[0].file].decode().splitlines()
    name = element.rpartition(".")[2].partition("[")[0]
    assert name in lines[hits[0].line - 1]
    for locale in ("zh-CN", "en"):
        message = finding_view(hits[0], locale)["message"]
        assert message != code
        assert "{" not in message


def test_what_the_calendar_cannot_count_is_refused_at_its_line(ports: Ports) -> None:
    toml = "[limits.slow]\ncalendar_days = 10000\n[limits.fast]\nhours = 1\noffice_hours = true\n"
    files = with_clocks(line_of(STARTED, A), toml)
    assert "limit_uncountable" not in {each.code for each in found(ports, files)}
    data = replace(shipped_calendar("cn"), office_hours=())
    closed = replace(ports, calendars=CalendarSet([data], "cn"))
    (hit,) = [each for each in found(closed, files) if each.code == "limit_uncountable"]
    assert hit.element == "limits.fast"
    text = files["package.toml"].decode().splitlines()
    assert text[(hit.line or 0) - 1] == "[limits.fast]"


def test_a_remedy_in_the_letter_is_enough(ports: Ports) -> None:
    body = line_of(A, ("no", decide("no", "no")), ("b", letter("b", "plain")))
    files = with_clocks(body, NO, ("plain",))
    files["letters/plain.zh-CN.j2"] = "不准\n\n可以申请行政复议。\n".encode()
    codes = {each.code for each in found(ports, files)}
    assert "refusal_without_remedy" in codes  # the other language says nothing of it
    files["letters/plain.en.j2"] = b"Refused\n\nYou may go to court.\n"
    assert "refusal_without_remedy" not in {each.code for each in found(ports, files)}


def test_a_resume_on_one_path_only_is_a_warning(ports: Ports) -> None:
    body = (
        node("startEvent", "s") + verb("go", "start", limit="reply") + verb("hold", "pause")
        + clerk("a", limit="step") + node("exclusiveGateway", "g", default="g_e")
        + verb("on", "resume") + node("endEvent", "e")
        + flow("s", "go") + flow("go", "hold") + flow("hold", "a") + flow("a", "g")
        + '<bpmn:sequenceFlow id="g_on" sourceRef="g" targetRef="on">'
        "<bpmn:conditionExpression>a.x == 1</bpmn:conditionExpression></bpmn:sequenceFlow>"
        + flow("g", "e") + flow("on", "e")
    )  # fmt: skip
    hits = [
        each for each in found(ports, with_clocks(body, ""))
        if each.code == "pause_not_always_resumed"
    ]  # fmt: skip
    assert {(each.severity, each.element) for each in hits} == {("warning", "hold")}


def test_the_shipped_packages_have_nothing_against_them(small_office: Application) -> None:
    for key in PACKAGES:
        command = PublishPackage(SYSTEM, shipped_package(key), trial=True)
        assert small_office.uow.run(publish, command).findings == ()


def test_a_package_with_such_an_error_is_refused_as_a_whole(small_office: Application) -> None:
    files = with_clocks(line_of(("x", verb("x", "start", "sundial", limit="reply")), A), "")
    with pytest.raises(PackageRefused) as refused:
        small_office.uow.run(publish, PublishPackage(SYSTEM, files))
    errors = [each for each in refused.value.params["findings"] if each.severity == "error"]
    assert [each.code for each in errors] == ["clock_unknown"]


def test_every_code_of_the_clocks_has_words_in_both_languages() -> None:
    for code, *_ in WRONG:
        assert f"finding.{code}" in texts("en")
        assert f"finding.{code}" in texts("zh-CN")
