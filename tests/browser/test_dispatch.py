"""Dispatch in a real browser: return, decide with a co-handler, substitute, merge, preview."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from api.demo.office import open_office, shipped_package
from api.migrations import migrate
from api.settings import read_settings
from api.wiring import Application, wire
from tests.browser.test_one_case import DESK, shot, staff_sign_in, staff_sign_out
from tests.conftest import leave_out
from tests.support.browser import chromium, chromium_path, served
from tests.support.complaints import complained, dispatched


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    if chromium_path() is None:
        leave_out("Chromium")
    with chromium() as made:
        yield made


@pytest.fixture
def wired(tmp_path: Path) -> Iterator[Application]:
    made = wire(read_settings({"BANSHI_DATA_DIR": str(tmp_path), "BANSHI_DEMO": "1"}))
    migrate(made.engine)
    open_office(made)
    yield made
    made.close()


@pytest.fixture
def address(wired: Application) -> Iterator[str]:
    with served(wired) as at:
        yield at


@pytest.fixture
def page(chrome: Browser) -> Iterator[Page]:
    made = chrome.new_page(
        locale="zh-CN", timezone_id="Asia/Shanghai", viewport=DESK, reduced_motion="reduce"
    )
    problems: list[str] = []
    made.on("pageerror", lambda error: problems.append(str(error)))
    yield made
    assert problems == []
    made.close()


def choose(page: Page, label: str, option: str) -> None:
    """Choose from one of the interface's lists."""
    page.get_by_label(label, exact=True).click()
    page.locator(".ant-select-item-option", has_text=option).last.click()
    page.keyboard.press("Escape")


def test_a_task_is_returned_and_dispatched_again_with_a_co_handler(
    page: Page, wired: Application, address: str
) -> None:
    case = dispatched(wired)
    staff_sign_in(page, address, "roads")
    page.goto(f"{address}/staff/cases/{case.id}")
    expect(page.locator("main")).to_contain_text("按派单规则第2条")
    page.get_by_role("button", name="退单").click()
    window = page.get_by_role("dialog")
    window.get_by_text("不在管辖区域").click()
    window.get_by_role("button", name="退单").click()
    expect(window).to_contain_text("请写明依据")
    window.get_by_label("法规依据或权属证明").fill("见河道权属图")
    shot(page, "staff-return", full=False)
    window.get_by_role("button", name="退单").click()
    expect(page.locator("main")).to_contain_text("已退单，等待重新派单或裁定")
    staff_sign_out(page)

    staff_sign_in(page, address, "hotline")
    row = page.locator("tr", has_text="重新派单：签收办理")
    expect(row).to_contain_text("退过单")
    row.get_by_role("button", name="签收").click()
    choose(page, "承办单位", "水务局")
    page.get_by_label("理由").fill("河道管理范围")
    choose(page, "协办单位", "生态环境局")
    shot(page, "staff-dispatch-again")
    page.get_by_role("button", name="派单").click()
    page.get_by_text("办理结果已提交").first.wait_for()
    expect(page.locator("main")).to_contain_text("水务局")
    staff_sign_out(page)

    staff_sign_in(page, address, "environment")
    page.locator("tr", has_text="协办：签收办理").get_by_role("button", name="签收").click()
    page.get_by_text("同意", exact=True).click()
    page.get_by_label("答复", exact=True).fill("不涉及排污")
    page.get_by_role("button", name="提交答复").click()
    page.get_by_text("办理结果已提交").first.wait_for()
    staff_sign_out(page)

    staff_sign_in(page, address, "water")
    page.locator("tr", has_text=case.reference).get_by_role("button", name="签收").click()
    expect(page.locator("main")).to_contain_text("不涉及排污")
    page.locator("form .field").first.wait_for()
    shot(page, "staff-lead-with-answers")
    staff_sign_out(page)

    staff_sign_in(page, address, "manager")
    page.locator("canvas").first.wait_for()
    returns = page.locator("tr", has_text=case.reference).last
    expect(returns).to_contain_text("不在管辖区域")
    expect(returns).to_contain_text("重新派单 水务局")
    page.wait_for_timeout(500)
    shot(page, "staff-returns")
    staff_sign_out(page)


def test_absences_substitutes_and_questions(page: Page, wired: Application, address: str) -> None:
    case = dispatched(wired)
    staff_sign_in(page, address, "roads")
    page.goto(f"{address}/staff/cases/{case.id}")
    page.get_by_role("button", name="签收", exact=True).click()
    page.get_by_role("button", name="请同事答复").click()
    window = page.get_by_role("dialog")
    choose(page, "交给谁", "高峰")
    window.get_by_label("请其答复什么").fill("哪种灯具？")
    window.get_by_role("button", name="请同事答复").click()
    page.get_by_role("button", name="收回").click()
    page.locator("form .field").first.wait_for()
    page.goto(f"{address}/staff/absences")
    today = wired.ports.calendar.local_date(wired.ports.clock.now()).isoformat()
    choose(page, "代理人", "高峰")
    for field in page.locator(".ant-picker-range input").all():
        field.fill(today)
        field.press("Tab")
    page.get_by_role("button", name="登记离岗").click()
    row = page.locator("tbody tr", has_text="周涛")
    expect(row).to_contain_text("现在离岗")
    expect(row).to_contain_text("高峰")
    shot(page, "staff-absences", full=False)
    staff_sign_out(page)

    staff_sign_in(page, address, "roads_lead")
    page.goto(f"{address}/staff/inbox?view=mine")
    expect(page.locator("tr", has_text=case.reference)).to_contain_text("代周涛")
    shot(page, "staff-inbox-for", full=False)
    staff_sign_out(page)


def test_merging_and_reassigning_many(page: Page, wired: Application, address: str) -> None:
    main, other = dispatched(wired), complained(wired, "citizen2")
    staff_sign_in(page, address, "hotline")
    page.goto(f"{address}/staff/cases/{other.id}")
    page.get_by_label("主办件编号").fill(main.reference)
    page.get_by_role("button", name="并入").click()
    expect(page.locator("main")).to_contain_text("已并单，随主办件办理")
    shot(page, "staff-merged")
    staff_sign_out(page)

    staff_sign_in(page, address, "roads_lead")
    expect(page.locator("tr", has_text=main.reference)).to_contain_text("并单")
    page.locator("thead .ant-checkbox-input").check()
    choose(page, "交给谁", "周涛")
    page.get_by_role("button", name="转办").click()
    window = page.get_by_role("dialog")
    expect(window).to_contain_text("将这样转办")
    shot(page, "staff-reassign", full=False)
    window.get_by_role("button", name="转办").click()
    expect(window).to_contain_text("转办结果")
    window.get_by_role("button", name="关 闭").or_(
        window.locator(".ant-btn-primary", has_text="关闭")
    ).first.click()
    expect(page.locator("tr", has_text=main.reference)).to_contain_text("周涛")
    staff_sign_out(page)


def test_a_designer_sees_what_a_rule_would_move(
    page: Page, wired: Application, address: str, tmp_path: Path
) -> None:
    case = dispatched(wired)
    table = tmp_path / "dispatch.dmn"
    content = shipped_package("complaint")["dispatch.dmn"]
    table.write_bytes(content.replace(b'<text>"ROADS"</text>', b'<text>"WATER"</text>'))
    staff_sign_in(page, address, "designer")
    page.locator("input[type=file]").set_input_files(table)
    choose(page, "替换哪个流程包里的文件？", "complaint")
    page.get_by_role("button", name="看看哪些任务会转走").click()
    row = page.locator("tr", has_text=case.reference)
    expect(row).to_contain_text("住房和城乡建设局")
    expect(row).to_contain_text("水务局")
    page.wait_for_timeout(300)
    shot(page, "staff-moves", full=False)
    staff_sign_out(page)
