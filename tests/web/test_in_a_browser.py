"""Mirrors all of web/: a real browser walks through every page, wide and narrow, light and dark, without scripts."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from typing import Literal

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from store.tables import MessageRow
from tests.web.books import PASSWORD, Books
from tests.web.filling import TODAY
from tests.web.routes import filled, routes

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
CHROMIUM = next((found for name in _NAMES if (found := shutil.which(name))), None)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=f"no browser was found ({', '.join(_NAMES)})")


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(200):
        if server.started:
            break
        time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def sign_in(page: Page, address: str) -> None:
    page.goto(f"{address}/accounts")
    page.get_by_label("Email address").fill("anna@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Accounts")


@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_fits_and_is_quiet(app: FastAPI, books: Books, browser: Browser, address: str, width: int) -> None:
    said: list[str] = []
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=False)
    page = context.new_page()
    page.on("console", lambda message: said.append(_in_words(message)))
    sign_in(page, address)
    paths = [filled(path, books, "ours") for method, path in routes(app) if method == "GET" and _is_page(path)]
    paths += [
        f"/accounts/{books.accounts[name]}" for name in ("unsure", "dispute", "idle", "euro", "pending", "promise")
    ]
    paths += [f"/accounts/{books.accounts['due']}?at={at}" for at in (TODAY, "2020-01-01")]
    paths += [f"/accounts?said=moved&left={books.accounts['paused']}.{books.accounts['clear']}"]
    for path in paths:
        answer = page.goto(address + path)
        assert answer is not None and answer.status == 200, path
        assert page.get_by_role("heading", level=1).count() == 1, path
        for details in page.locator("main details > summary").all():
            details.click()
        for scheme in _SCHEMES:
            page.emulate_media(color_scheme=scheme)
            wide = page.locator("html").evaluate("page => page.scrollWidth - page.clientWidth")
            assert wide == 0, f"{path} scrolls sideways by {wide} px when {scheme}"
    context.close()

    assert said == []


def _in_words(message: ConsoleMessage) -> str:
    return f"{message.type}: {message.text} ({message.location.get('url')})"


def _is_page(path: str) -> bool:
    if path.startswith("/hooks/") or "/files/" in path:
        return False
    return not path.endswith(
        ("/begin", "/callback", "/letter", "/line", "/logo", "/original", "/pdf")
    ) and path not in (
        "/health",
        "/sign-in",
        "/settings",
    )


def test_the_work_of_a_morning_needs_no_script(books: Books, browser: Browser, address: str) -> None:
    """Read a reply, pause an account, pause all sending, sign out: with the keyboard's and the mouse's means alone."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, address)

    page.get_by_role("link", name="Brackenfield Estates").click()
    page.get_by_role("button", name="Mark as read").click()
    expect(page.get_by_role("status")).to_have_text("The reply is marked as read.")

    page.get_by_text("Pause this account").click()
    page.get_by_label("Why?").fill("Jo rang")
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_role("button", name="Resume the account")).to_be_visible()

    page.get_by_role("link", name="Front page").click()
    page.get_by_text("Pause all sending").click()
    page.get_by_label("Why?").fill("stocktaking")
    page.get_by_role("button", name="Pause sending").click()
    expect(page.get_by_text("No. Sending is paused.")).to_be_visible()
    page.get_by_role("button", name="Start sending").click()
    expect(page.get_by_text("Sending is on.")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    context.close()


def test_what_people_say_about_accounts_needs_no_script(books: Books, browser: Browser, address: str) -> None:
    """Dispute an invoice, answer the question, approve a step, move two accounts at once: on a phone."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 900})
    page = context.new_page()
    sign_in(page, address)

    page.goto(f"{address}/accounts/{books.accounts['due']}")
    page.get_by_text("Mute or dispute an invoice").click()
    page.get_by_label("For what reason?").fill("wrong colour")
    page.get_by_label("Ask a colleague").check()
    page.get_by_role("button", name="Dispute it").click()
    expect(page.get_by_role("status")).to_have_text("The invoice is marked as disputed.")
    page.get_by_label("Answer", exact=True).fill("as ordered")
    page.get_by_role("button", name="Answer").click()
    page.get_by_role("button", name="Settle the dispute").click()
    page.get_by_text("Mute or dispute an invoice").click()
    page.get_by_label("For what reason?").fill("credit note to come")
    page.get_by_role("button", name="Mute it").click()
    expect(page.get_by_role("button", name="Unmute")).to_be_visible()

    page.goto(f"{address}/accounts/{books.accounts['pending']}")
    page.get_by_role("button", name="Approve Approval").click()
    expect(page.get_by_role("status")).to_contain_text("Approved.")
    page.get_by_text("Change the workflow").click()
    page.get_by_label("Now").select_option(label="Gentle, from its beginning")
    page.get_by_role("button", name="Change it now").click()
    expect(page.get_by_text("Workflow: Gentle.")).to_be_visible()

    page.goto(f"{address}/accounts")
    for name in ("Thistle Services", "Eastgate Dental Practice"):
        page.get_by_label(f"Tick {name}").check()
    page.get_by_text("Change the workflow of several accounts").click()
    page.get_by_role("button", name="Change it now").click()
    expect(page.get_by_text("1 account was left as it is")).to_be_visible()
    context.close()


def test_a_workflow_is_written_without_a_script(books: Books, browser: Browser, address: str) -> None:
    """A step more, a look at what would change, a refusal beside its field, and saved."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 900})
    page = context.new_page()
    sign_in(page, address)
    page.goto(f"{address}/settings/workflows")
    page.get_by_role("link", name="Edit Standard").click()

    page.get_by_role("button", name="Add a step").click()
    added = page.get_by_role("group", name="Step 6")
    expect(added.get_by_label("Name")).to_have_value("Reminder 6")
    expect(page.locator("#added:focus")).to_have_count(1)
    added.get_by_label("Day").fill("56")
    added.get_by_label("Subject").fill("One more")
    added.get_by_label("Words").fill("Please pay.\n\n{{ statement }}")
    page.get_by_role("button", name="Save").click()
    expect(added.get_by_text("Reminder 5 is on day 56 already.")).to_be_visible()

    added.get_by_label("Day").fill("70")
    page.get_by_role("group", name="Step 3").get_by_label("Day").fill("36")
    page.get_by_label("Name", exact=True).first.press("Enter")  # asks, and saves nothing
    expect(page.get_by_role("heading", name="What would change")).to_be_visible()
    page.get_by_role("region", name="What would change").get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("The workflow is saved.")
    expect(page.get_by_role("group", name="Step 6").get_by_label("Day")).to_have_value("70")
    context.close()


def test_the_way_to_the_ledger_is_open_to_a_browser(browser: Browser, address: str, app: FastAPI) -> None:
    """The page lets forms lead nowhere else; the connect button must get out all the same."""
    from jobs import connect

    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, address)
    with pytest.MonkeyPatch.context() as patch:
        elsewhere = address.replace("127.0.0.1", "localhost")
        patch.setattr(connect, "begin", lambda *_, **__: f"{elsewhere}/health")
        page.goto(f"{address}/connections")
        page.get_by_role("link", name="Connect to Xero").click()
        page.wait_for_url(f"{elsewhere}/health")
    context.close()


def test_a_message_that_holds_a_script_shows_its_words_and_runs_nothing(
    books: Books, browser: Browser, address: str
) -> None:
    number = books.ids["message"][0]
    with books.office.database.unit_of_work() as unit:
        message = unit.get(MessageRow, number)
        assert message is not None
        message.html = "<p>Pay us</p><script>document.title = parent.document.title = 'it ran'</script>"
    page = browser.new_page()  # with scripts allowed by the browser, so that only our headers stand in the way
    sign_in(page, address)

    page.goto(f"{address}/messages/{number}/letter")
    assert (page.locator("body").inner_text(), page.title()) == ("Pay us", "")
    page.goto(f"{address}/accounts/{books.accounts['reply']}/reminders/{books.ids['reminder'][0]}")
    assert page.frame_locator("iframe").locator("body").inner_text() == "Pay us"
    assert page.title() != "it ran"
    page.close()


def test_the_message_is_shown_in_its_frame(books: Books, browser: Browser, address: str) -> None:
    page = browser.new_page()
    sign_in(page, address)
    page.goto(f"{address}/accounts/{books.accounts['reply']}/reminders/{books.ids['reminder'][0]}")

    frame = page.frame_locator("iframe")
    assert "£8,640.00" in frame.locator("body").inner_text()
    page.close()
