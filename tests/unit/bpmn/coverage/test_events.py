"""Every event, in every position in which BPMN 2.0 allows it."""

from __future__ import annotations

import pytest

from tests.unit.bpmn.coverage.play import (
    CANCEL,
    TERMINATE,
    boundary,
    catch,
    codes,
    conditional,
    done,
    end,
    error,
    escalation,
    event_sub,
    happened,
    message,
    play,
    script,
    signal,
    start,
    straight,
    sub,
    task,
    throw,
    timer,
    to,
    user,
)

covers = pytest.mark.covers

CAUGHT = {
    "message": (message(), {"messages": [{"name": "hello", "data": {"n": 1}, "after": "PT1M"}]}),
    "signal": (signal(), {"signals": [{"name": "alarm", "data": {"n": 1}, "after": "PT1M"}]}),
    "timer": (timer("PT1M"), {}),
}


@covers("none event", "start")
@covers("none event", "end")
@covers("none event", "intermediate throw")
def test_none_events_pass() -> None:
    outcome = play(straight(start(), throw("on"), end()))
    assert done(outcome) == ["begin", "on", "finish"]
    assert (outcome.reason, outcome.ended_at) == ("finished", ["finish"])


@pytest.mark.parametrize("kind", CAUGHT)
@covers("{kind} event", "start")
def test_a_trigger_begins_the_process(kind: str) -> None:
    definition, _ = CAUGHT[kind]
    outcome = play(straight(start("begin", definition), task("t"), end()))
    assert done(outcome) == ["begin", "t", "finish"]


@pytest.mark.parametrize("kind", CAUGHT)
@covers("{kind} event", "intermediate catch")
def test_a_catch_event_waits(kind: str) -> None:
    definition, given = CAUGHT[kind]
    body = straight(start(), catch("c", definition), task("t"), end())
    outcome = play(body, **given)
    assert done(outcome) == ["begin", "c", "t", "finish"]
    assert happened(outcome, "caught") == ["c"]
    if kind != "timer":
        assert outcome.data == {"n": 1}
        unanswered = play(body)
        assert unanswered.reason == "waiting"
        assert [w.element for w in unanswered.waiting] == ["c"]


@pytest.mark.parametrize("kind", CAUGHT)
@pytest.mark.parametrize("host", ["task", "subprocess"])
@covers("{kind} event", "boundary, interrupting, on {host}")
def test_an_interrupting_boundary_event_ends_its_activity(kind: str, host: str) -> None:
    definition, given = CAUGHT[kind]
    inside = user("t") if host == "task" else sub("t", straight(start("s"), user("u"), end("e")))
    body = straight(start(), inside, end()) + straight(
        boundary("b", "t", definition), task("after"), end("late")
    )
    outcome = play(body, **given, tasks={"t": {"$never": True}, "u": {"$never": True}})
    assert outcome.reason == "finished"
    assert outcome.ended_at == ["late"]
    assert "t" in happened(outcome, "cancelled")
    in_time = play(body)
    assert in_time.ended_at == ["finish"]
    assert "b" not in done(in_time)


@pytest.mark.parametrize("kind", CAUGHT)
@pytest.mark.parametrize("host", ["task", "subprocess"])
@covers("{kind} event", "boundary, non-interrupting, on {host}")
def test_a_non_interrupting_boundary_event_goes_beside_its_activity(kind: str, host: str) -> None:
    definition, given = CAUGHT[kind]
    inside = user("t") if host == "task" else sub("t", straight(start("s"), user("u"), end("e")))
    body = straight(start(), inside, end()) + straight(
        boundary("b", "t", definition, interrupting=False), task("beside"), end("late")
    )
    slow = {"t": {"$after": "PT1H"}, "u": {"$after": "PT1H"}}
    outcome = play(body, **given, tasks=slow)
    assert outcome.reason == "finished"
    assert outcome.ended_at == ["late", "finish"]
    assert happened(outcome, "cancelled") == []


@pytest.mark.parametrize("kind", CAUGHT)
@covers("{kind} event", "event subprocess start, interrupting")
def test_an_interrupting_event_subprocess_takes_over(kind: str) -> None:
    definition, given = CAUGHT[kind]
    body = straight(start(), user("t"), end()) + event_sub(
        "es", definition, straight(task("x"), end("xe")) + to("es_start", "x")
    )
    outcome = play(body, **given, tasks={"t": {"$never": True}})
    assert outcome.reason == "finished"
    assert done(outcome, "t", "x", "es", "finish") == ["x", "es"]
    assert happened(outcome, "cancelled") == ["t"]
    assert "x" not in done(play(body))


@pytest.mark.parametrize("kind", CAUGHT)
@covers("{kind} event", "event subprocess start, non-interrupting")
def test_a_non_interrupting_event_subprocess_goes_beside(kind: str) -> None:
    definition, given = CAUGHT[kind]
    body = straight(start(), user("t"), end()) + event_sub(
        "es", definition, straight(task("x"), end("xe")) + to("es_start", "x"), False
    )
    outcome = play(body, **given, tasks={"t": {"$after": "PT1H"}})
    assert done(outcome, "t", "x", "es", "finish") == ["x", "es", "t", "finish"]


@pytest.mark.parametrize("kind", CAUGHT)
@covers("{kind} event", "event subprocess start, nested in a subprocess")
def test_a_nested_event_subprocess_ends_only_its_own_scope(kind: str) -> None:
    definition, given = CAUGHT[kind]
    inner = straight(start("s"), user("t"), end("e")) + event_sub(
        "es", definition, straight(task("x"), end("xe")) + to("es_start", "x")
    )
    body = straight(start(), sub("outer", inner), task("after"), end())
    outcome = play(body, **given, tasks={"t": {"$never": True}})
    assert done(outcome, "t", "x", "outer", "after", "finish") == ["x", "outer", "after", "finish"]


@covers("timer event", "date")
@covers("timer event", "duration")
@covers("timer event", "expression")
@covers("timer event", "working days")
@pytest.mark.parametrize(
    ("kind", "text", "at"),
    [
        ("timeDuration", "P2D", "2026-01-07T01:00:00+00:00"),
        ("timeDate", "2026-02-01T08:00:00+08:00", "2026-02-01T00:00:00+00:00"),
        ("timeDate", "2026-02-01T08:00:00", "2026-02-01T00:00:00+00:00"),
        ("timeDuration", "=wait", "2026-01-05T01:05:00+00:00"),
        ("timeDuration", "${wait}", "2026-01-05T01:05:00+00:00"),
        ("timeDuration", "P1M", "2026-02-05T01:00:00+00:00"),
        # Three working days, to the end of the last.
        ("timeDuration", "3wd", "2026-01-08T15:59:59+00:00"),
    ],
)
def test_timers_are_due_when_they_say(kind: str, text: str, at: str) -> None:
    body = straight(start(), catch("c", timer(text, kind)), end())
    outcome = play(body, data={"wait": "PT5M"})
    assert outcome.now is not None
    assert outcome.now.isoformat() == at


@covers("timer event", "cycle")
def test_a_cycle_fires_as_often_as_it_says() -> None:
    body = straight(start(), user("t"), end()) + straight(
        boundary("b", "t", timer("R3/PT10M", "timeCycle"), False), task("remind"), end("r")
    )
    outcome = play(body, tasks={"t": {"$after": "PT5H"}})
    assert done(outcome, "remind", "t") == ["remind"] * 3 + ["t"]


@covers("timer event", "cron")
@pytest.mark.parametrize("cron", ["0 9 * * *", "0 0 9 * * ?", "@daily"])
def test_a_cron_line_fires_each_day(cron: str) -> None:
    body = straight(start(), user("t"), end()) + straight(
        boundary("b", "t", timer(cron, "timeCycle"), False), task("remind"), end("r")
    )
    outcome = play(body, tasks={"t": {"$after": "P3DT1H"}})
    assert done(outcome, "remind") == ["remind"] * 3


@covers("message event", "intermediate throw")
@covers("message event", "end")
@pytest.mark.parametrize("thrower", [throw("say", message()), end("say", message())])
def test_a_thrown_message_reaches_another_pool(thrower: str) -> None:
    other = (
        '<bpmn:process id="q" isExecutable="true">'
        + straight(start("qs", message()), task("heard"), end("qe"))
        + "</bpmn:process>"
    )
    body = straight(start(), thrower) + (to("say", "finish") + end() if "Throw" in thrower else "")
    outcome = play(body, beside=other)
    assert happened(outcome, "thrown") == ["say"]
    assert done(outcome, "heard") == ["heard"]


@covers("signal event", "intermediate throw")
@covers("signal event", "end")
@pytest.mark.parametrize("ending", [False, True])
def test_a_thrown_signal_reaches_all_who_listen(ending: bool) -> None:
    thrower = end("say", signal()) if ending else throw("say", signal())
    body = (
        start()
        + '<bpmn:parallelGateway id="fork"/>'
        + to("begin", "fork")
        + straight(catch("c1", signal()), end("e1"))
        + straight(catch("c2", signal()), end("e2"))
        + user("t")
        + thrower
        + to("fork", "c1")
        + to("fork", "c2")
        + to("fork", "t")
        + to("t", "say")
        + ("" if ending else end("e3") + to("say", "e3"))
    )
    outcome = play(body)
    assert outcome.reason == "finished"
    assert happened(outcome, "caught") == ["c1", "c2"]


@covers("error event", "end")
@covers("error event", "boundary, on subprocess")
@pytest.mark.parametrize("caught", ["e1", None])
def test_an_error_end_event_is_caught_at_the_edge(caught: str | None) -> None:
    inner = straight(start("s"), end("fail", error()))
    body = straight(start(), sub("sp", inner), end()) + straight(
        boundary("b", "sp", error(caught)), task("handle"), end("handled")
    )
    outcome = play(body)
    assert outcome.ended_at == ["handled"]
    assert done(outcome, "handle", "sp") == ["handle"]


@covers("error event", "boundary, other code")
def test_an_error_is_not_caught_under_another_code() -> None:
    inner = straight(start("s"), end("fail", error("e1")))
    body = straight(start(), sub("sp", inner), end()) + straight(
        boundary("b", "sp", error("e2")), end("handled")
    )
    outcome = play(body)
    assert outcome.reason == "failed"
    assert outcome.error == {"element": "fail", "reason": "error_not_caught", "detail": "E1"}


@covers("error event", "boundary, exact code before any code")
def test_the_exact_code_goes_before_any_code() -> None:
    inner = straight(start("s"), end("fail", error("e2")))
    body = straight(start(), sub("sp", inner), end()) + (
        straight(boundary("any", "sp", error(None)), end("by_any"))
        + straight(boundary("exact", "sp", error("e2")), end("by_exact"))
    )
    assert play(body).ended_at == ["by_exact"]


@covers("error event", "boundary, on task")
def test_an_error_raised_by_a_person_or_job_is_caught() -> None:
    body = straight(start(), user("t"), end()) + straight(
        boundary("b", "t", error()), end("handled")
    )
    outcome = play(body, tasks={"t": {"$error": "E1"}})
    assert outcome.ended_at == ["handled"]


@covers("error event", "boundary, technical failure")
def test_a_failing_script_is_caught_by_an_event_without_code() -> None:
    body = straight(start(), script("t", "x = 1 / nothing"), end()) + straight(
        boundary("b", "t", error(None)), end("handled")
    )
    assert play(body, data={"nothing": 0}).ended_at == ["handled"]
    bare = play(straight(start(), script("t", "x = 1 / nothing"), end()), data={"nothing": 0})
    assert bare.error is not None
    assert (bare.error["element"], bare.error["reason"]) == ("t", "expression_failed")


@covers("error event", "event subprocess start")
def test_an_error_starts_the_event_subprocess_of_its_scope_only_when_thrown() -> None:
    body = straight(start(), user("t"), end("fail", error())) + event_sub(
        "es", error(), straight(task("x"), end("xe")) + to("es_start", "x")
    )
    outcome = play(body)
    assert done(outcome, "t", "x") == ["t", "x"]
    assert outcome.reason == "finished"


@covers("error event", "end, sibling does not catch")
def test_an_error_is_not_offered_to_an_unrelated_sibling() -> None:
    failing = sub("failing", straight(start("s1"), user("u1"), end("fail", error())))
    sibling = sub("sibling", straight(start("s2"), user("u2"), end("e2")))
    body = (
        start()
        + failing
        + sibling
        + to("begin", "failing")
        + to("begin", "sibling")
        + straight(boundary("b", "sibling", error()), end("wrong"))
        + end()
        + to("failing", "finish")
        + to("sibling", "finish")
    )
    outcome = play(body, tasks={"u2": {"$never": True}})
    assert outcome.error is not None
    assert outcome.error["reason"] == "error_not_caught"


@covers("escalation event", "intermediate throw")
@covers("escalation event", "boundary, non-interrupting")
def test_an_escalation_goes_beside_its_subprocess() -> None:
    inner = straight(start("s"), throw("ask", escalation()), task("on"), end("e"))
    body = straight(start(), sub("sp", inner), end()) + straight(
        boundary("b", "sp", escalation(), False), task("help"), end("helped")
    )
    outcome = play(body)
    assert outcome.reason == "finished"
    assert sorted(done(outcome, "on", "help", "sp")) == ["help", "on", "sp"]


@covers("escalation event", "end")
@covers("escalation event", "boundary, interrupting")
def test_an_escalation_may_end_its_subprocess() -> None:
    inner = straight(start("s"), end("ask", escalation()))
    body = straight(start(), sub("sp", inner), end()) + straight(
        boundary("b", "sp", escalation(None)), end("helped")
    )
    assert play(body).ended_at == ["helped"]


@covers("escalation event", "event subprocess start, interrupting")
@covers("escalation event", "event subprocess start, non-interrupting")
@pytest.mark.parametrize("interrupting", [True, False])
def test_an_escalation_starts_an_event_subprocess(interrupting: bool) -> None:
    body = straight(start(), throw("ask", escalation()), task("on"), end()) + event_sub(
        "es", escalation(), straight(task("x"), end("xe")) + to("es_start", "x"), interrupting
    )
    outcome = play(body)
    assert outcome.reason == "finished"
    assert ("on" in done(outcome)) is not interrupting
    assert "x" in done(outcome)


@covers("escalation event", "uncaught")
def test_an_uncaught_escalation_is_forgotten() -> None:
    assert play(straight(start(), throw("ask", escalation()), end())).reason == "finished"


@covers("conditional event", "intermediate catch")
def test_a_condition_is_looked_at_again_when_another_branch_changes_data() -> None:
    body = (
        start()
        + straight(catch("c", conditional("x &gt; 1")), task("seen"), end("e1"))
        + straight(user("u"), script("set", "x = 5"), end("e2"))
        + to("begin", "c")
        + to("begin", "u")
    )
    outcome = play(body, data={"x": 0})
    assert outcome.reason == "finished"
    assert done(outcome, "set", "c", "seen") == ["set", "c", "seen"]


@covers("conditional event", "boundary, interrupting, on task")
@covers("conditional event", "boundary, non-interrupting, on task")
@pytest.mark.parametrize("interrupting", [True, False])
def test_a_condition_at_the_edge(interrupting: bool) -> None:
    body = (
        start()
        + straight(user("t"), end("e1"))
        + straight(user("u"), script("set", "x = 5"), end("e2"))
        + to("begin", "t")
        + to("begin", "u")
        + straight(
            boundary("b", "t", conditional("x &gt; 1"), interrupting), task("seen"), end("e3")
        )
    )
    outcome = play(body, data={"x": 0}, tasks={"t": {"$after": "PT1H"}})
    assert outcome.reason == "finished"
    assert done(outcome, "seen") == ["seen"]
    assert ("t" in done(outcome)) is not interrupting


@covers("conditional event", "event subprocess start, interrupting")
@covers("conditional event", "event subprocess start, non-interrupting")
@pytest.mark.parametrize("interrupting", [True, False])
def test_a_condition_starts_an_event_subprocess(interrupting: bool) -> None:
    body = straight(start(), script("set", "x = 5"), user("t"), end()) + event_sub(
        "es",
        conditional("x &gt; 1"),
        straight(task("seen"), end("xe")) + to("es_start", "seen"),
        interrupting,
    )
    outcome = play(body, data={"x": 0}, tasks={"t": {"$after": "PT1H"}})
    assert outcome.reason == "finished"
    assert done(outcome, "seen") == ["seen"]
    assert ("t" in done(outcome)) is not interrupting


@covers("conditional event", "start")
def test_a_conditional_start_begins() -> None:
    body = straight(start("begin", conditional("true")), end())
    assert play(body).reason == "finished"


@covers("link event", "intermediate throw")
@covers("link event", "intermediate catch")
def test_a_link_leads_on() -> None:
    link = '<bpmn:linkEventDefinition name="over"/>'
    body = straight(start(), task("a"), throw("out", link)) + straight(
        catch("in", link), task("b"), end()
    )
    outcome = play(body)
    assert done(outcome, "a", "b", "finish") == ["a", "b", "finish"]
    assert outcome.reason == "finished"


@covers("terminate event", "end")
def test_terminate_ends_its_scope_and_no_more() -> None:
    inner = (
        start("s")
        + user("u")
        + end("e")
        + to("s", "u")
        + to("u", "e")
        + end("stop", TERMINATE)
        + to("s", "stop")
    )
    outcome = play(straight(start(), sub("sp", inner), task("after"), end()))
    assert done(outcome, "u", "sp", "after") == ["sp", "after"]
    assert happened(outcome, "cancelled") == ["u"]


@covers("multiple event", "intermediate catch")
def test_the_first_of_several_events_is_enough() -> None:
    body = straight(start(), catch("c", message() + timer("PT1H")), end())
    assert play(body).reason == "finished"
    assert play(body, messages=[{"name": "hello"}]).now != play(body).now


@covers("multiple event", "parallel multiple catch")
def test_parallel_multiple_waits_for_all() -> None:
    body = straight(start(), catch("c", message() + signal(), parallelMultiple="true"), end())
    given = {"messages": [{"name": "hello"}]}
    assert play(body, **given).reason == "waiting"
    assert play(body, **given, signals=[{"name": "alarm", "after": "PT1M"}]).reason == "finished"


@covers("multiple event", "throw")
def test_a_throw_event_throws_all_it_has() -> None:
    body = straight(start(), throw("t", message() + signal()), end())
    assert happened(play(body), "thrown") == ["t", "t"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (straight(start(), catch("c", error()), end()), "event_position_wrong"),
        (straight(start(), catch("c", CANCEL), end()), "event_position_wrong"),
        (straight(start(), catch("c", ""), end()), "catch_event_untriggered"),
        (straight(start(), throw("t", timer()), end()), "event_position_wrong"),
        (straight(start(), throw("t", error()), end()), "event_position_wrong"),
        (straight(start("begin", error()), end()), "event_position_wrong"),
        (straight(start(), end("finish", timer())), "event_position_wrong"),
        (
            straight(start(), user("t"), end())
            + boundary("b", "t", error(), False)
            + to("b", "finish"),
            "event_must_interrupt",
        ),
        (straight(start(), catch("c", conditional("")), end()), "condition_missing"),
        (
            straight(start(), throw("t", '<bpmn:linkEventDefinition name="x"/>')),
            "link_target_missing",
        ),
    ],
)
@covers("events", "where BPMN does not allow them: refused")
def test_events_out_of_place_are_refused(body: str, code: str) -> None:
    assert code in codes(body)
