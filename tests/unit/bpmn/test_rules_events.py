"""Events: where which trigger may stand, boundary events, links, compensation."""

from __future__ import annotations

import pytest

from tests.unit.bpmn.test_rules import (
    MESSAGE,
    PLAIN,
    SIGNAL,
    TIMER,
    A,
    E,
    Row,
    S,
    check_row,
    drawn,
    findings,
    flow,
    path,
    process,
    run,
)

WARNINGS = (
    "compensation_without_handler",
    "message_missing",
    "parallel_multiple_alone",
    "signal_missing",
)
ERROR = '<errorEventDefinition errorRef="err"/>'
ESCALATION = '<escalationEventDefinition escalationRef="esc"/>'
CONDITION = "<conditionalEventDefinition><condition>x</condition></conditionalEventDefinition>"
CANCEL, TERMINATE = "<cancelEventDefinition/>", "<terminateEventDefinition/>"
COMPENSATE = "<compensateEventDefinition/>"
LINK = '<linkEventDefinition name="l"/>'
INNER = '<task id="a1"/><endEvent id="e1"/>' + path("s1", "a1", "e1")


def start(inner: str) -> str:
    return run(A).replace(S, f'<startEvent id="s">{inner}</startEvent>')


def end(inner: str) -> str:
    return run(A).replace(E, f'<endEvent id="e">{inner}</endEvent>')


def catch(inner: str) -> str:
    return run(f'<intermediateCatchEvent id="a">{inner}</intermediateCatchEvent>')


def throw(inner: str) -> str:
    return run(f'<intermediateThrowEvent id="a">{inner}</intermediateThrowEvent>')


def boundary(inner: str, more: str = "", host: str = A, rest: str = "") -> str:
    event = f'<boundaryEvent id="b" attachedToRef="a" {more}>{inner}</boundaryEvent>'
    return run(host + event + flow("b", "e") + rest)


def handler(inner: str, more: str = "", number: str = "") -> str:
    """An event subprocess whose start event has these triggers."""
    begin = f'<startEvent id="s1" {more}>{inner}</startEvent>'
    text = f'<subProcess id="h" triggeredByEvent="true">{begin}{INNER}</subProcess>'
    for name in ("h", "s1", "a1", "e1"):
        text = text.replace(f'"{name}"', f'"{name}{number}"')
    return text.replace("s1_a1", f"s1_a1{number}").replace("a1_e1", f"a1_e1{number}")


def undone(marked: str = 'isForCompensation="true"', joined: int = 1, more: str = "") -> str:
    """A task with a compensation boundary event and `joined` handlers."""
    parts = A + f'<boundaryEvent id="b" attachedToRef="a">{COMPENSATE}</boundaryEvent>' + more
    for place in range(joined):
        parts += f'<task id="u{place}" {marked}/>'
        parts += f'<association id="n{place}" sourceRef="b" targetRef="u{place}"/>'
    return run(parts)


def linked(*kinds: str) -> str:
    """Start to throwing links, catching links to the end; a kind is e.g. ``throw``."""
    parts, flows = "", ""
    for place, kind in enumerate(kinds):
        name = f"l{place}"
        parts += (
            f'<intermediate{kind.title()}Event id="{name}">{LINK}</intermediate{kind.title()}Event>'
        )
        flows += flow("a", name) if kind == "throw" else flow(name, "e")
    return process(S, A, parts, E, path("s", "a", "e"), flows)


POSITIONS: list[Row] = [
    ("event_position_wrong", start(ERROR), start(MESSAGE)),
    ("event_position_wrong", start(ESCALATION), start(TIMER)),
    ("event_position_wrong", start(COMPENSATE), start(CONDITION)),
    ("event_position_wrong", start(LINK), start(SIGNAL)),
    ("event_position_wrong", start(TERMINATE), start(SIGNAL + MESSAGE)),
    (
        "event_position_wrong",
        PLAIN[:-10] + handler(CANCEL) + "</process>",
        PLAIN[:-10] + handler(ERROR) + "</process>",
    ),
    ("event_position_wrong", catch(ERROR), catch(TIMER)),
    ("event_position_wrong", catch(COMPENSATE), catch(CONDITION)),
    ("event_position_wrong", catch(MESSAGE + TERMINATE), catch(MESSAGE + SIGNAL)),
    ("event_position_wrong", throw(TIMER), throw("")),
    ("event_position_wrong", throw(CONDITION), throw(SIGNAL)),
    ("event_position_wrong", throw(ERROR), throw(ESCALATION)),
    ("event_position_wrong", throw(TERMINATE), throw(COMPENSATE)),
    ("event_position_wrong", boundary(TERMINATE), boundary(ERROR)),
    ("event_position_wrong", end(TIMER), end(TERMINATE)),
    ("event_position_wrong", end(CONDITION), end(ERROR)),
    (
        "event_must_interrupt",
        boundary(ERROR, 'cancelActivity="false"'),
        boundary(ESCALATION, 'cancelActivity="false"'),
    ),
    (
        "event_must_interrupt",
        PLAIN[:-10] + handler(ERROR, 'isInterrupting="false"') + "</process>",
        PLAIN[:-10] + handler(TIMER, 'isInterrupting="false"') + "</process>",
    ),
    (
        "catch_event_untriggered",
        catch(""),
        '<messageEventDefinition id="d"/>' + catch("<eventDefinitionRef>d</eventDefinitionRef>"),
    ),
    ("boundary_event_untriggered", boundary(""), boundary(MESSAGE)),
    (
        "parallel_multiple_alone",
        run(
            '<intermediateCatchEvent id="a"'
            f' parallelMultiple="true">{TIMER}</intermediateCatchEvent>'
        ),
        run(
            '<intermediateCatchEvent id="a"'
            f' parallelMultiple="true">{TIMER}{SIGNAL}</intermediateCatchEvent>'
        ),
    ),
    (
        "boundary_in_other_scope",
        run(
            A
            + '<subProcess id="h"><task id="a1"/></subProcess>'
            + f'<boundaryEvent id="b" attachedToRef="a1">{TIMER}</boundaryEvent>'
            + flow("b", "e"),
            "a",
            "h",
        ),
        boundary(TIMER),
    ),
    (
        "boundary_at_event_subprocess",
        run(
            A
            + handler(TIMER)
            + f'<boundaryEvent id="b" attachedToRef="h">{TIMER}</boundaryEvent>'
            + flow("b", "e")
        ),
        boundary(TIMER, host='<subProcess id="a"/>'),
    ),
    (
        "cancel_boundary_without_transaction",
        boundary(CANCEL),
        boundary(CANCEL, host='<transaction id="a"/>'),
    ),
    (
        "cancel_end_without_transaction",
        end(CANCEL),
        run(
            f'<transaction id="a"><startEvent id="s1"/><endEvent id="e1">{CANCEL}</endEvent>'
            + flow("s1", "e1")
            + "</transaction>"
        ),
    ),
    ("reference_wrong_kind", boundary(TIMER, host='<exclusiveGateway id="a"/>'), boundary(TIMER)),
]
EVENT_SUBPROCESSES: list[Row] = [
    (
        "event_subprocess_start_count",
        run(A + '<subProcess id="h" triggeredByEvent="true"><task id="x"/></subProcess>'),
        run(A + handler(TIMER)),
    ),
    ("event_subprocess_start_untriggered", run(A + handler("")), run(A + handler(SIGNAL))),
    (
        "event_handler_repeated",
        run(A + handler(ERROR) + handler(ERROR, number="2")),
        run(A + handler(ERROR) + handler(MESSAGE, number="2")),
    ),
]
COMPENSATION: list[Row] = [
    ("compensation_boundary_with_flow", undone(more=flow("b", "e")), undone()),
    ("compensation_handler_missing", undone(joined=0), undone()),
    ("compensation_handler_repeated", undone(joined=2), undone()),
    ("compensation_handler_unmarked", undone(marked=""), undone()),
    (
        "compensation_out_of_scope",
        run(
            (
                '<subProcess id="h"><task id="x"/></subProcess>'
                '<intermediateThrowEvent id="a">'
                '<compensateEventDefinition activityRef="x"/></intermediateThrowEvent>'
            ),
            "h",
            "a",
        ),
        run(
            (
                '<subProcess id="h"/><intermediateThrowEvent id="a">'
                '<compensateEventDefinition activityRef="h"/></intermediateThrowEvent>'
            ),
            "h",
            "a",
        ),
    ),
    (
        "compensation_without_handler",
        end('<compensateEventDefinition activityRef="a"/>'),
        undone().replace(
            E, '<endEvent id="e"><compensateEventDefinition activityRef="a"/></endEvent>'
        ),
    ),
]
LINKS: list[Row] = [
    ("link_target_missing", linked("throw"), linked("throw", "catch")),
    ("link_source_missing", linked("catch"), linked("throw", "throw", "catch")),
    ("link_target_repeated", linked("throw", "catch", "catch"), linked("throw", "catch")),
    (
        "link_target_with_incoming",
        linked("throw", "catch").replace("</process>", flow("a", "l1") + "</process>"),
        linked("throw", "catch"),
    ),
    (
        "link_source_with_outgoing",
        linked("throw", "catch").replace("</process>", flow("l0", "e") + "</process>"),
        linked("throw", "catch"),
    ),
    (
        "attribute_missing",
        linked("throw", "catch").replace(LINK, "<linkEventDefinition/>"),
        linked("throw", "catch"),
    ),
]
DEFINITIONS: list[Row] = [
    ("timer_missing", catch("<timerEventDefinition/>"), catch(TIMER)),
    (
        "timer_empty",
        catch("<timerEventDefinition><timeDate> </timeDate></timerEventDefinition>"),
        catch("<timerEventDefinition><timeDate>2026</timeDate></timerEventDefinition>"),
    ),
    (
        "timer_repeated",
        catch(
            "<timerEventDefinition><timeDate>x</timeDate><timeCycle>y</timeCycle>"
            "</timerEventDefinition>"
        ),
        catch(TIMER),
    ),
    ("condition_missing", catch("<conditionalEventDefinition/>"), catch(CONDITION)),
    (
        "condition_missing",
        catch("<conditionalEventDefinition><condition/></conditionalEventDefinition>"),
        catch(CONDITION),
    ),
    ("message_missing", start("<messageEventDefinition/>"), start(MESSAGE)),
    ("signal_missing", start("<signalEventDefinition/>"), start(SIGNAL)),
    ("error_code_missing", end("<errorEventDefinition/>"), end(ERROR)),
    (
        "error_code_missing",
        '<error id="bare"/>' + end('<errorEventDefinition errorRef="bare"/>'),
        boundary("<errorEventDefinition/>"),
    ),
    ("escalation_code_missing", throw("<escalationEventDefinition/>"), throw(ESCALATION)),
]


@pytest.mark.parametrize(
    ("code", "wrong", "right"),
    POSITIONS + EVENT_SUBPROCESSES + COMPENSATION + LINKS + DEFINITIONS,
)
def test_events(code: str, wrong: str, right: str) -> None:
    check_row(code, wrong, right, WARNINGS)


@pytest.mark.parametrize(
    "text",
    [
        catch("<timerEventDefinition/>"),
        catch("<timerEventDefinition><timeDate/></timerEventDefinition>"),
        catch("<conditionalEventDefinition><condition/></conditionalEventDefinition>"),
    ],
)
def test_what_is_only_a_warning_in_a_drawing(text: str) -> None:
    assert {each.severity for each in findings(drawn(text))} == {"warning"}


def test_thrown_codes_are_needed_in_executable_processes_only() -> None:
    assert findings(drawn(end("<errorEventDefinition/>"))) == []


def test_two_boundary_events_for_one_error_are_bad_style() -> None:
    again = f'<boundaryEvent id="c" attachedToRef="a">{ERROR}</boundaryEvent>' + flow("c", "e")
    (found,) = findings(boundary(ERROR, rest=again))
    assert (found.code, found.severity) == ("event_handler_repeated", "warning")


def test_a_compensation_event_subprocess_needs_no_association() -> None:
    inner = handler(COMPENSATE)
    assert findings(run(f'<subProcess id="a">{inner}</subProcess>')) == []


def test_links_may_name_each_other() -> None:
    source = '<linkEventDefinition id="d1" name="x"><target>d2</target></linkEventDefinition>'
    goal = '<linkEventDefinition id="d2" name="y"><source>d1</source></linkEventDefinition>'
    text = linked("throw", "catch").replace(LINK, source, 1).replace(LINK, goal)
    assert findings(text) == []
