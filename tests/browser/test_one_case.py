"""One case in a real browser: the citizen files, staff handle it, the citizen sees the outcome."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from api.demo.office import PASSWORD, open_office
from api.settings import read_settings
from api.wiring import Application, wire
from tests.conftest import leave_out
from tests.support.browser import chromium, chromium_path, served

SHOTS = Path(
    os.environ.get("BANSHI_SHOTS", Path(__file__).resolve().parents[2] / "var/screenshots")
)
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1360, "height": 900}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if chromium_path() is None:
        leave_out("Chromium")
    with chromium() as made:
        yield made


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    settings = read_settings({"BANSHI_DATA_DIR": str(tmp_path), "BANSHI_DEMO": "1"})
    wired: Application = wire(settings)
    wired.bring_up_to_date()
    open_office(wired)
    try:
        with served(wired) as address:
            yield address
    finally:
        wired.close()


def shot(page: Page, name: str, full: bool = True) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=full)


def sign_in_citizen(page: Page, site: str, user: str) -> None:
    page.goto(f"{site}/sign-in")
    page.fill("#user_name", user)
    page.fill("#password", PASSWORD)
    page.click("main button")


def no_sideways_scroll(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def file_licence(page: Page, site: str, paper: Path) -> str:
    """File a food licence on a phone, with one mistake on the way; gives the number."""
    page.goto(f"{site}/")
    shot(page, "portal-home")
    page.fill("#q", "食品经营")
    page.click("form[role=search] button")
    page.click("main .line a >> nth=0")
    expect(page.locator("h1")).to_have_text("食品经营许可")
    no_sideways_scroll(page)
    shot(page, "portal-guide")
    page.click("text=开始办理")
    page.click("text=保存并继续")
    expect(page.locator(".error-summary")).to_contain_text("请填写“经营场所地址”")
    shot(page, "portal-errors")
    page.fill("[name=address]", "解放路66号一层")
    page.fill("[name=area]", "120")
    page.check("[name=business_type][value=catering]")
    page.check("[name=items][value=hot]")
    page.fill("[name=seats]", "40")
    page.click("text=保存并继续")
    page.set_input_files("[name=floor_plan]", paper)
    page.fill("[name=safety_officer]", "张伟")
    page.click("text=保存并继续")
    # The missing file is named, and what was uploaded and typed is still there.
    expect(page.locator(".error-summary")).to_contain_text("食品安全规章制度")
    expect(page.locator(".kept")).to_contain_text("paper.pdf")
    assert page.input_value("[name=safety_officer]") == "张伟"
    page.set_input_files("[name=safety_rules]", paper)
    page.click("text=保存并继续")
    page.fill("[name=business_name]", "海州张记小馆")
    page.fill("[name=uscc]", "91350100M000100Y43")
    page.fill("[name=contact_name]", "张伟")
    page.fill("[name=phone]", "13800138000")
    page.check("[name=declaration]")
    page.click("text=保存并继续")
    expect(page.locator("h1")).to_have_text("提交前请核对")
    shot(page, "portal-check")
    page.click("text=确认并提交申请")
    number = page.locator(".panel__number").inner_text()
    shot(page, "portal-confirmation")
    no_sideways_scroll(page)
    return number


def staff_sign_in(page: Page, site: str, user: str) -> None:
    page.goto(f"{site}/staff/")
    page.get_by_label("用户名").fill(user)
    page.get_by_label("密码", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.get_by_role("button", name="退出").wait_for()


def staff_sign_out(page: Page) -> None:
    page.get_by_role("button", name="退出").click()
    page.get_by_role("button", name="登录").wait_for()


def handle(page: Page, site: str, user: str, number: str, **answers: str) -> None:
    """Sign in, claim the case's task in the inbox, answer its form, complete it."""
    staff_sign_in(page, site, user)
    row = page.locator("tr", has_text=number)
    if user == "licence_officer" and answers.get("outcome") == "accept":
        shot(page, "staff-inbox", full=False)
    row.get_by_role("button", name="签收").click()
    page.locator("form .field").first.wait_for()
    for name, value in answers.items():
        field = page.locator(f"[name={name}]")
        if field.first.get_attribute("type") == "radio":
            page.check(f"[name={name}][value={value}]")
        else:
            field.fill(value)
    if answers.get("outcome") == "accept":
        page.locator(".djs-container .djs-shape").first.wait_for()
        page.wait_for_timeout(400)
        shot(page, "staff-case")
    page.get_by_role("button", name="提交办理结果").click()
    page.get_by_text("办理结果已提交").first.wait_for()
    staff_sign_out(page)


def test_a_food_licence_from_filing_to_outcome(browser: Browser, site: str, tmp_path: Path) -> None:
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(b"%PDF-1.4\n%%EOF\n")
    citizen = browser.new_page(locale="zh-CN", viewport=PHONE, java_script_enabled=False)
    office = browser.new_page(locale="zh-CN", viewport=DESK, reduced_motion="reduce")
    problems: list[str] = []
    office.on("pageerror", lambda error: problems.append(str(error)))

    sign_in_citizen(citizen, site, "citizen")
    number = file_licence(citizen, site, paper)

    handle(office, site, "licence_officer", number, outcome="accept")
    handle(office, site, "inspector", number, outcome="grant", opinion="符合许可条件")
    handle(office, site, "licence_lead", number, outcome="approve")
    handle(
        office, site, "licence_officer", number,
        licence_number="JY23207000012345", **{"delivered_on-year": "2026"},
        **{"delivered_on-month": "4"}, **{"delivered_on-day": "17"}, delivery="electronic",
    )  # fmt: skip

    citizen.goto(f"{site}/cases/{number}")
    expect(citizen.locator(".band--done")).to_contain_text("准予许可")
    citizen.wait_for_timeout(1500)
    citizen.reload()
    expect(citizen.locator("main")).to_contain_text("公众聚集场所营业前消防安全检查")
    expect(citizen.locator("main")).to_contain_text("准予行政许可决定书")
    no_sideways_scroll(citizen)
    shot(citizen, "portal-status")
    citizen.click("text=评价这次办理")
    citizen.check("[name=grade][value='5']")
    citizen.click("main button")
    citizen.goto(f"{site}/language?to=en&back=/cases/{number}")
    expect(citizen.locator("main")).to_contain_text("Your rating: 5 of 5")

    staff_sign_in(office, site, "manager")
    office.get_by_text("部门与事项").wait_for()
    office.locator("canvas").first.wait_for()
    office.wait_for_timeout(500)
    shot(office, "staff-performance", full=False)
    staff_sign_out(office)
    staff_sign_in(office, site, "designer")
    office.locator(".djs-container .djs-shape").first.wait_for()
    office.wait_for_timeout(400)
    shot(office, "staff-packages")
    assert problems == []


REQUEST = [
    {"title": "规划许可", "subject": "planning", "description": "2025年人民路改造工程的规划许可"},
    {"medium": "electronic", "delivery": "portal"},
    {
        "applicant_name": "张伟",
        "id_number": "11010519491231002X",
        "phone": "13800138000",
        "declaration": "yes",
    },
]
COMPLAINT = [
    {
        "category": "road",
        "title": "路灯不亮",
        "description": "三盏路灯一周不亮",
        "danger": "no",
    },
    {"place": "河滨路18号"},
    {"contact_name": "张先生", "phone": "13800138000"},
]


@pytest.mark.parametrize(
    ("service", "pages", "steps", "outcome"),
    [
        (
            "F001",
            REQUEST,
            [
                ("foi_officer", {"outcome": "accept"}),
                ("planning", {"outcome": "prepared", "decision": "disclosed", "reply": "予以公开"}),
                ("foi_lead", {"secrecy": "clear", "outcome": "approve"}),
            ],
            "予以公开",
        ),
        (
            "C001",
            COMPLAINT,
            [
                ("hotline", {"outcome": "accept"}),
                ("roads", {"outcome": "done", "result": "resolved", "reply": "路灯已修复"}),
                ("hotline", {"outcome": "content", "note": "满意"}),
            ],
            "已解决",
        ),
    ],
)
def test_a_request_and_a_complaint(
    browser: Browser,
    site: str,
    service: str,
    pages: list[dict[str, str]],
    steps: list[tuple[str, dict[str, str]]],
    outcome: str,
) -> None:
    citizen = browser.new_page(locale="zh-CN", viewport=PHONE, java_script_enabled=False)
    office = browser.new_page(locale="zh-CN", viewport=DESK, reduced_motion="reduce")
    sign_in_citizen(citizen, site, "citizen")
    citizen.goto(f"{site}/services/{service}")
    citizen.click("text=开始办理")
    for fields in pages:
        for name, value in fields.items():
            field = citizen.locator(f"[name={name}]").first
            if field.get_attribute("type") in ("radio", "checkbox"):
                citizen.check(f"[name={name}][value={value}]")
            elif field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(value)
            else:
                field.fill(value)
        citizen.click("text=保存并继续")
    citizen.click("text=确认并提交申请")
    number = citizen.locator(".panel__number").inner_text()
    for user, answers in steps:
        handle(office, site, user, number, **answers)
    citizen.wait_for_timeout(1500)
    citizen.goto(f"{site}/cases/{number}")
    expect(citizen.locator(".band--done")).to_contain_text(outcome)
    expect(citizen.locator("main")).to_contain_text("您可能还要办")
