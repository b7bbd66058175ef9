"""The connector `http` in cases, against real servers on loopback."""

from __future__ import annotations

import json
import logging
import time
from datetime import timedelta

import pytest

from api.connectors.signature import verified
from engine.kernel.clock import SettableClock
from engine.store.tables import Job
from engine.usecases.incidents import RetryIncident, retry_incident
from engine.usecases.migrate import Migration, migrate_cases
from tests.connectors.conftest import OpenOffice
from tests.support.connector_models import (
    ERROR,
    calling,
    calls_of,
    connector_task,
    data_of,
    incidents_of,
    waiting_of,
)
from tests.support.play import actor, done, drain, open_task
from tests.support.small_package import begun, person, published
from tests.support.web import Reply, web_server
from tests.unit.bpmn.coverage.play import boundary, end, script, start, straight, to

OK = Reply(body=b'{"owner": "Zhang Wei", "plots": [1, 2]}')


def test_the_answer_becomes_process_data(open_with: OpenOffice) -> None:
    with web_server(OK) as server:
        office = open_with(BANSHI_CONNECTOR_HOSTS=f"127.0.0.1:{server.port}")
        published(
            office,
            calling(
                "http",
                url=f"{server.url}/land/${{application.subject}}",
                query__q="=application['title'] + '&x'",
                result_variable="land",
            ),
        )
        case = begun(office)
        done(office, case, "a", "foi_officer")
        assert server.asked == []
        drain(office)
    (asked,) = server.asked
    assert (asked.method, asked.path) == (
        "GET",
        "/land/planning?q=%E8%A7%84%E5%88%92%E8%AE%B8%E5%8F%AF%26x",
    )
    assert data_of(office, case)["land"] == {"owner": "Zhang Wei", "plots": [1, 2]}
    assert open_task(office, case).element == "b"
    assert waiting_of(office, case).state == "done"


def test_a_body_is_sent_as_json_form_or_text(open_small_with: OpenOffice) -> None:
    body = "={'who': application['applicant_name'], 'n': 2}"
    with web_server(Reply(status=201, body=b""), Reply(), Reply(body=b"thanks")) as server:
        office = open_small_with(BANSHI_CONNECTOR_HOSTS=f"127.0.0.1:{server.port}")
        more = {"url": server.url, "method": "POST"}
        published(
            office,
            straight(
                start(),
                connector_task("http", "one", body=body, result_variable="first", **more),
                connector_task("http", "two", body=body, body_format="form", **more),
                connector_task(
                    "http", "three", body="hello", result_format="text",
                    result_variable="third", **more,
                ),
                person("b"),
                end(),
            ),
        )  # fmt: skip
        case = begun(office)
        drain(office)
    as_json, as_form, as_text = server.asked
    assert json.loads(as_json.body) == {"who": "张伟", "n": 2}
    assert as_json.headers["content-type"] == "application/json"
    assert as_form.body == b"n=2&who=%E5%BC%A0%E4%BC%9F"
    assert (as_text.body, as_text.headers["content-type"]) == (
        b"hello", "text/plain; charset=utf-8",
    )  # fmt: skip
    assert (data_of(office, case)["first"], data_of(office, case)["third"]) == (None, "thanks")
    assert len({each.headers["idempotency-key"] for each in server.asked}) == 3


def test_a_failure_is_tried_again_later_with_the_same_key(
    open_with: OpenOffice, clock: SettableClock
) -> None:
    with web_server(Reply(status=500, body=b"down"), OK) as server:
        office = open_with(BANSHI_CONNECTOR_HOSTS=f"127.0.0.1:{server.port}")
        published(office, calling("http", url=server.url, method="POST", body="={'n': 1}"))
        case = begun(office)
        done(office, case, "a", "foi_officer")
        drain(office)
        assert (waiting_of(office, case).retries, waiting_of(office, case).error) == (
            2, "status 500: down",
        )  # fmt: skip
        drain(office)
        assert len(server.asked) == 1
        clock.advance(timedelta(seconds=11))
        drain(office)
    assert open_task(office, case).element == "b"
    assert len(server.keys) == 2
    assert len(set(server.keys)) == 1
    assert incidents_of(office, case) == []


def test_the_server_says_when_to_come_again(
    open_small_with: OpenOffice, clock: SettableClock
) -> None:
    with web_server(Reply(status=503, headers={"Retry-After": "120"}), OK) as server:
        office = open_small_with(BANSHI_CONNECTOR_HOSTS=f"127.0.0.1:{server.port}")
        published(office, calling("http", url=server.url))
        case = begun(office)
        done(office, case, "a", "foi_officer")
        drain(office)
    (_, later) = calls_of(office, case)
    assert later.due_at - clock.now() == timedelta(seconds=120)


def test_after_the_last_try_an_operator_lets_it_be_tried_again(
    open_with: OpenOffice, clock: SettableClock
) -> None:
    with web_server(*[Reply(status=502)] * 3, OK) as server:
        office = open_with(BANSHI_CONNECTOR_HOSTS=f"127.0.0.1:{server.port}")
        published(office, calling("http", url=server.url, retries="2", result_variable="land"))
        case = begun(office)
        done(office, case, "a", "foi_officer")
        for _ in range(3):
            drain(office)
            clock.advance(timedelta(hours=1))
        (incident,) = incidents_of(office, case)
        assert (incident.element, incident.reason, incident.detail) == (
            "call", "connector_failed", "status 502: {}",
        )  # fmt: skip
        assert (len(server.asked), waiting_of(office, case).retries) == (2, 0)
        command = RetryIncident(actor(office, "admin"), incident.id)
        office.uow.run(retry_incident, command)
        drain(office)
        # The operator gave it all its tries again, not just one.
        assert (len(server.asked), incidents_of(office, case)[0].state) == (3, "resolved")
        clock.advance(timedelta(minutes=1))
        drain(office)
    assert open_task(office, case).element == "b"
    assert len(set(server.keys)) == 1
    assert data_of(office, case)["land"]["plots"] == [1, 2]


def test_an_operator_may_pass_over_it(open_small_with: OpenOffice) -> None:
    with web_server(Reply(status=400)) as server:
        office = open_small_with(BANSHI_CONNECTOR_HOSTS=f"127.0.0.1:{server.port}")
        published(office, calling("http", url=server.url, result_variable="land"))
        case = begun(office)
        done(office, case, "a", "foi_officer")
        drain(office)
        (incident,) = incidents_of(office, case)
        admin = actor(office, "admin")
        office.uow.run(retry_incident, RetryIncident(admin, incident.id, True, "phoned"))
        drain(office)
    assert len(server.asked) == 1
    assert open_task(office, case).element == "b"
    assert "land" not in data_of(office, case)


def test_a_declared_status_is_an_error_of_the_process(open_with: OpenOffice) -> None:
    caught = boundary("missing", "call", '<bpmn:errorEventDefinition errorRef="gone"/>')
    with web_server(Reply(status=404)) as server:
        office = open_with(BANSHI_CONNECTOR_HOSTS=f"127.0.0.1:{server.port}")
        task = connector_task("http", url=server.url, errors="409=double 404=not_found")
        body = (
            straight(start(), person("a"), task, person("b"), end())
            + caught
            + person("c")
            + end("finish2")
            + to("missing", "c")
            + to("c", "finish2")
        )
        published(office, body, ERROR)
        case = begun(office)
        done(office, case, "a", "foi_officer")
        drain(office)
    assert open_task(office, case).element == "c"
    assert len(server.asked) == 1


def test_an_error_of_the_process_comes_after_the_last_try(
    open_small_with: OpenOffice, clock: SettableClock
) -> None:
    caught = boundary("missing", "call", '<bpmn:errorEventDefinition errorRef="gone"/>')
    with web_server(Reply(status=503)) as server:
        office = open_small_with(BANSHI_CONNECTOR_HOSTS=f"127.0.0.1:{server.port}")
        task = connector_task("http", url=server.url, errors="5xx=not_found", retries="2")
        beside = caught + person("c") + end("finish2") + to("missing", "c") + to("c", "finish2")
        published(office, straight(start(), task, person("b"), end()) + beside, ERROR)
        case = begun(office)
        drain(office)
        assert waiting_of(office, case).state == "open"
        clock.advance(timedelta(minutes=1))
        drain(office)
    assert len(server.asked) == 2
    assert open_task(office, case).element == "c"


def test_moving_the_case_to_a_version_with_the_right_address_mends_it(
    open_with: OpenOffice,
) -> None:
    """What the new model writes out holds at once; what was typed stays text, and no secret."""
    with web_server(Reply(status=404), Reply()) as server:
        office = open_with(
            BANSHI_CONNECTOR_HOSTS=f"127.0.0.1:{server.port}", BANSHI_SECRET_KEY="t0ken"
        )
        typed = {"header__X-Typed": "=application['title']"}
        old = published(office, calling("http", url=f"{server.url}/wrong", **typed))
        case = begun(office, title="secret:KEY")
        done(office, case, "a", "foi_officer")
        drain(office)
        new = published(
            office, calling("http", url=f"{server.url}/right", header__Y="secret:KEY", **typed)
        )
        admin = actor(office, "admin")
        migrate_cases(office.uow, admin, Migration(old, new, {}), [case.id])
        (incident,) = incidents_of(office, case)
        office.uow.run(retry_incident, RetryIncident(admin, incident.id))
        drain(office)
    wrong, right = server.asked
    assert (wrong.path, right.path) == ("/wrong", "/right")
    assert (right.headers["x-typed"], right.headers["y"]) == ("secret:KEY", "t0ken")
    assert open_task(office, case).element == "b"


def test_a_status_that_will_not_change_is_not_tried_again(open_small_with: OpenOffice) -> None:
    with web_server(Reply(status=422, body=b"no such field")) as server:
        office = open_small_with(BANSHI_CONNECTOR_HOSTS=f"127.0.0.1:{server.port}")
        published(office, calling("http", url=server.url))
        case = begun(office)
        done(office, case, "a", "foi_officer")
        drain(office)
    assert len(server.asked) == 1
    assert incidents_of(office, case)[0].detail == "status 422: no such field"


def test_what_must_not_be_done_twice_is_not_repeated(open_small_with: OpenOffice) -> None:
    with web_server(Reply(status=500)) as server:
        office = open_small_with(BANSHI_CONNECTOR_HOSTS=f"127.0.0.1:{server.port}")
        published(
            office,
            calling("http", url=server.url, method="POST", body="{}", repeatable="false"),
        )
        case = begun(office)
        done(office, case, "a", "foi_officer")
        drain(office)
    assert len(server.asked) == 1
    assert len(incidents_of(office, case)) == 1


def test_a_step_that_fails_behind_the_call_does_not_repeat_it(
    open_with: OpenOffice, clock: SettableClock
) -> None:
    with web_server(OK) as server:
        office = open_with(BANSHI_CONNECTOR_HOSTS=f"127.0.0.1:{server.port}")
        task = connector_task("http", url=server.url, method="POST", result_variable="land")
        published(
            office, straight(start(), task, script("divide", "x = 1 / 0"), person("b"), end())
        )
        case = begun(office)
        drain(office)
        (incident,) = incidents_of(office, case)
        assert incident.element == "divide"
        admin = actor(office, "admin")
        office.uow.run(retry_incident, RetryIncident(admin, incident.id, True, "no"))
        drain(office)
    assert len(server.asked) == 1
    assert open_task(office, case).element == "b"
    assert data_of(office, case)["land"]["owner"] == "Zhang Wei"
    # What the answer held is in the case, and nowhere else.
    assert all("outcome" not in job.payload for job in calls_of(office, case))


def test_secrets_are_sent_and_nowhere_kept(
    open_with: OpenOffice, clock: SettableClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "p@ss wörd/+1"
    with web_server(
        lambda asked: Reply(status=500, body=json.dumps(asked.headers).encode()),
        lambda asked: Reply(body=json.dumps([asked.headers, asked.path]).encode()),
    ) as server:
        office = open_with(
            BANSHI_CONNECTOR_HOSTS=f"127.0.0.1:{server.port}",
            BANSHI_SECRET_KEY="t0ken-of-the-office",
            BANSHI_SECRET_QUERY=secret,
        )
        task = connector_task(
            "http",
            url=server.url,
            header__Authorization="Bearer secret:KEY",
            query__key="secret:QUERY",
            query__typed="=application['title']",
            result_variable="echo",
        )
        published(office, straight(start(), task, person("b"), end()))
        case = begun(office, title="secret:KEY")
        drain(office)
        clock.advance(timedelta(minutes=1))
        drain(office)
    first, second = server.asked
    assert first.headers["authorization"] == "Bearer t0ken-of-the-office"
    # What an applicant types is text, whatever it looks like.
    assert second.path == "/?key=p%40ss+w%C3%B6rd%2F%2B1&typed=secret%3AKEY"
    echoed = data_of(office, case)["echo"]
    assert echoed[0]["authorization"] == "Bearer •••"
    with office.uow.read() as session:
        kept = [vars(job) for job in session.query(Job)] + [vars(waiting_of(office, case))]
    everything = str((kept, echoed, caplog.text, waiting_of(office, case).error))
    for form in ("t0ken", "p@ss", "p%40ss", "wörd"):
        assert form not in everything
    assert "•••" in str(waiting_of(office, case).error)


def test_a_missing_secret_is_told_by_name(open_small_with: OpenOffice) -> None:
    with web_server() as server:
        office = open_small_with(BANSHI_CONNECTOR_HOSTS=f"127.0.0.1:{server.port}")
        published(office, calling("http", url=server.url, header__X="secret:NOWHERE"))
        case = begun(office)
        done(office, case, "a", "foi_officer")
        drain(office)
    assert server.asked == []
    assert incidents_of(office, case)[0].detail == "BANSHI_SECRET_NOWHERE is not set"


def test_a_signed_webhook_goes_out(open_small_with: OpenOffice, clock: SettableClock) -> None:
    with web_server() as server:
        office = open_small_with(
            BANSHI_CONNECTOR_HOSTS=f"127.0.0.1:{server.port}", BANSHI_SECRET_PARTNER="shared"
        )
        published(
            office,
            calling("http", url=server.url, method="POST", body="={'n': 1}",
                    signature="secret:PARTNER"),
        )  # fmt: skip
        case = begun(office)
        done(office, case, "a", "foi_officer")
        drain(office)
    (asked,) = server.asked
    header, delivery = asked.headers["x-banshi-signature"], asked.headers["x-banshi-delivery"]
    assert delivery == waiting_of(office, case).id
    assert verified("shared", header, clock.now(), delivery, asked.body)
    assert not verified("other", header, clock.now(), delivery, asked.body)


def test_a_case_that_is_withdrawn_meanwhile_wants_nothing_any_more(
    open_small_with: OpenOffice,
) -> None:
    from engine.usecases.withdraw import WithdrawCase, withdraw

    with web_server(OK) as server:
        office = open_small_with(BANSHI_CONNECTOR_HOSTS=f"127.0.0.1:{server.port}")
        published(office, calling("http", url=server.url))
        case = begun(office)
        done(office, case, "a", "foi_officer")
        office.uow.run(withdraw, WithdrawCase(actor(office, "citizen"), case.id))
        drain(office)
    assert server.asked == []
    assert waiting_of(office, case).state == "cancelled"
    assert [job.state for job in calls_of(office, case)] == ["done"]


def test_the_timeout_is_for_the_whole_call(open_small_with: OpenOffice) -> None:
    with web_server(Reply(pieces=[b"x"] * 100, pause=0.3)) as server:
        office = open_small_with(BANSHI_CONNECTOR_HOSTS=f"127.0.0.1:{server.port}")
        published(office, calling("http", url=server.url, timeout="1"))
        case = begun(office)
        done(office, case, "a", "foi_officer")
        began = time.monotonic()
        drain(office)
        assert time.monotonic() - began < 10
    assert waiting_of(office, case).error == f"127.0.0.1:{server.port} did not answer in time"
