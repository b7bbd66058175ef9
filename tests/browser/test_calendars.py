"""The administrator's page of working calendars in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_one_case import DESK, browser, no_sideways_scroll, shot, site, staff_sign_in

__all__ = ["browser", "site"]  # fixtures
NOTICE = {
    "year": 2027,
    "papers": ["https://example.org/notice"],
    "days": [
        {"name": "元旦", "date": "2027-01-01", "isOffDay": True},
        {"name": "春节", "date": "2027-02-06", "isOffDay": True},
        {"name": "春节", "date": "2027-02-20", "isOffDay": False},
    ],
}


@pytest.fixture
def page(browser: Browser, site: str) -> Iterator[Page]:
    made = browser.new_page(locale="zh-CN", viewport=DESK, reduced_motion="reduce")
    staff_sign_in(made, site, "admin")
    made.get_by_role("menuitem", name="工作日历").click()
    made.get_by_text("248个工作日").wait_for()
    yield made
    made.close()


def choose(page: Page, tab: str, year: str = "") -> None:
    page.get_by_role("tab", name=tab).click()
    if year:
        page.locator(".ant-segmented-item:visible", has_text=year).click()


def test_a_year_is_imported_after_its_preview(page: Page, tmp_path: Path) -> None:
    no_sideways_scroll(page)
    shot(page, "staff-calendar")
    choose(page, "年历", "2027")
    expect(page.get_by_text("2027年的安排尚未公布")).to_be_visible()
    choose(page, "导入")
    broken = tmp_path / "broken.json"
    broken.write_text('{"year": 2027,\n"days": [\n{"name": "x"}]}')
    page.set_input_files("input[type=file]", broken)
    expect(page.get_by_role("alert")).to_contain_text("第3行")
    notice = tmp_path / "2027.json"
    notice.write_text(json.dumps(NOTICE))
    page.set_input_files("input[type=file]", notice)
    expect(page.get_by_role("status")).to_contain_text("2027-02-06 春节")
    page.locator("#import-reason").fill("国务院通知")
    page.get_by_role("button", name="确认导入").click()
    choose(page, "年历", "2027")
    expect(page.get_by_text("2027年的安排尚未公布")).to_have_count(0)
    expect(page.get_by_title("春节")).to_have_count(1)
    choose(page, "变更记录")
    expect(page.get_by_role("tabpanel")).to_contain_text("国务院通知")


def test_a_day_is_edited_and_a_contradiction_is_said_at_its_field(page: Page) -> None:
    choose(page, "修改日期", "2026")
    form = page.locator("form:visible")
    form.get_by_role("button", name="增加上班日").click()
    form.locator("input[type=date]").last.fill("2026-05-03")
    form.get_by_label("理由").fill("试一试")
    form.get_by_role("button", name="保存").click()
    expect(form.get_by_text("2026-05-03同时列为放假日")).to_be_visible()
    form.locator("input[type=date]").last.fill("2026-05-10")
    form.get_by_role("button", name="保存").click()
    expect(page.get_by_text("已保存")).to_be_visible()
    choose(page, "年历")
    expect(page.get_by_text("249个工作日")).to_be_visible()
