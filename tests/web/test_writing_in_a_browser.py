"""Mirrors web/static/writing.js: in a real browser, what is unknown in the words is told while they are typed."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.web.books import Books
from tests.web.test_in_a_browser import CHROMIUM, address, sign_in

__all__ = ["address"]  # a fixture, served to the tests below

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def editor(browser: Browser, books: Books, address: str) -> Page:
    page = browser.new_context().new_page()
    sign_in(page, address)
    page.goto(f"{address}/settings/workflows/{books.ids['workflow'][0]}")
    page.get_by_text("What it says").first.click()
    return page


def test_what_is_unknown_is_told_while_it_is_typed_and_gone_when_it_is_put_right(
    books: Books, browser: Browser, address: str
) -> None:
    page = editor(browser, books, address)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    found = page.locator("#found")
    expect(found).to_contain_text("Every placeholder is known.")

    page.locator("#step-1-body").fill("Hi {{ contact.frist_name }}")
    expect(found).to_contain_text("contact.frist_name")
    page.locator("#step-1-body").fill("Hi {{ contact.first_name }}")
    expect(found).to_contain_text("Every placeholder is known.")

    page.locator("#step-1-channel").select_option("sms")
    expect(found).to_contain_text("1 segment")
    page.locator("#step-1-body").fill("x" * 161)
    expect(found).to_contain_text("2 segments, 161 characters")
    assert said == []
    page.context.close()


def test_a_preview_opens_beside_the_editor_and_what_was_typed_stays(
    books: Books, browser: Browser, address: str
) -> None:
    page = editor(browser, books, address)
    page.locator("#step-1-subject").fill("For {{ account.name }}")
    with page.context.expect_page() as opened:
        page.get_by_role("button", name="Preview").first.click()
    expect(opened.value.locator("body")).to_contain_text("Subject: For ")
    expect(opened.value.locator("body")).to_contain_text("Nothing was sent.")
    expect(page.locator("#step-1-subject")).to_have_value("For {{ account.name }}")
    page.context.close()


def test_a_logo_is_chosen_from_a_file_and_shown(books: Books, browser: Browser, address: str, tmp_path: Path) -> None:
    file = tmp_path / "logo.png"
    Image.new("RGB", (300, 90), "#146e5a").save(file)
    page = browser.new_context().new_page()
    sign_in(page, address)
    page.goto(f"{address}/settings/letters")
    page.get_by_label("Logo").set_input_files(file)
    page.get_by_label("How to pay").fill("Severn Bank\n00-00-00")
    page.get_by_role("button", name="Save").click()

    logo = page.get_by_role("img", name="The logo of")
    expect(logo).to_be_visible()
    expect(logo).to_have_js_property("naturalWidth", 300)
    expect(page.get_by_label("How to pay")).to_have_value("Severn Bank\n00-00-00")
    page.context.close()


def test_what_somebody_else_has_saved_opens_beside_and_what_was_typed_stays(
    books: Books, browser: Browser, address: str
) -> None:
    page = editor(browser, books, address)
    theirs = page.context.new_page()
    theirs.goto(page.url)
    theirs.locator("#description").fill("Theirs")
    theirs.get_by_role("button", name="Save", exact=True).click()
    expect(theirs.get_by_text("The workflow is saved.")).to_be_visible()

    page.locator("#name").fill("<b>Mine</b>")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Somebody has saved this workflow since you opened it")).to_be_visible()
    with page.context.expect_page() as opened:
        page.get_by_text("Open what is saved in another tab").click()
    expect(opened.value.locator("#description")).to_have_value("Theirs")
    expect(page.locator("#name")).to_have_value("<b>Mine</b>")
    page.context.close()
