"""The boards in use: they move, obey keyboard and address, and say when they are old or cut off."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, expect

from tests.boards.seed import CAUGHT_UP, book, tell
from tests.e2e.browser import browser, serve_boards, sight

__all__ = ["book", "browser"]

pytestmark = pytest.mark.e2e

LOOKED_AGAIN = 8_000
"""Milliseconds: the viewer may answer a first look from its short cache; the next refresh must not."""


@pytest.fixture(scope="module")
async def address(book: str) -> AsyncIterator[str]:
    async with serve_boards(book) as url:
        yield url


@pytest.fixture(autouse=True)
async def caught_up(book: str) -> None:
    await tell(book, CAUGHT_UP)


async def test_a_change_in_the_database_is_on_the_screen_within_the_refresh(
    book: str, address: str, browser: Browser
) -> None:
    async with sight(browser) as seen:
        await seen.look_at(f"{address}/boards/lp-today?refresh=5s")
        before = await seen.figure("Due today, EUR")
        await tell(
            book,
            "UPDATE core.cash_day SET due_minor = due_minor + 90000000 WHERE effective_on = '2026-03-20'",
        )
        panel = seen.page.locator(".panel", has_text="Due today, EUR")
        await expect(panel.locator("b")).not_to_have_text(before, timeout=LOOKED_AGAIN)
        assert (await seen.figure("Due today, EUR")).endswith(" M")


async def test_old_data_are_called_old(book: str, address: str, browser: Browser) -> None:
    await tell(book, "UPDATE core.stream_position SET caught_up_at = now() - interval '6 minutes'")
    async with sight(browser) as seen:
        await seen.look_at(f"{address}/boards/lp-portfolio?refresh=5s")
        await expect(seen.page.locator("#freshness")).to_have_attribute(
            "data-state", "old", timeout=LOOKED_AGAIN
        )
        await expect(seen.page.locator("#banner")).to_contain_text(
            re.compile(r"what you see is 6\.\d min old")
        )


async def test_one_partition_that_never_caught_up_is_not_called_live(
    book: str, address: str, browser: Browser
) -> None:
    await tell(book, "UPDATE core.stream_position SET caught_up_at = NULL WHERE partition = 3")
    async with sight(browser) as seen:
        await seen.look_at(f"{address}/boards/lp-portfolio?refresh=5s")
        await expect(seen.page.locator("#freshness")).to_contain_text("catching up", timeout=LOOKED_AGAIN)


async def test_a_service_that_does_not_answer_leaves_the_last_figures_and_says_so(
    address: str, browser: Browser
) -> None:
    async with sight(browser) as seen:
        await seen.look_at(f"{address}/boards/lp-today?refresh=5s")
        figure = await seen.figure("PAR30")
        await seen.page.route("**/query", lambda route: route.abort())
        await seen.page.get_by_role("button", name="Refresh now").click()
        await expect(seen.page.locator("#freshness")).to_have_attribute("data-state", "away")
        await expect(seen.page.locator("#banner")).to_contain_text("does not answer. Figures are of")
        assert await seen.figure("PAR30") == figure
        await seen.page.unroute("**/query")
        await expect(seen.page.locator("#freshness")).to_have_attribute(
            "data-state", "live", timeout=LOOKED_AGAIN
        )
        await expect(seen.page.locator("#banner")).to_be_hidden()


async def test_a_region_narrows_the_branches_and_stays_in_the_address(address: str, browser: Browser) -> None:
    async with sight(browser) as seen:
        await seen.look_at(f"{address}/boards/lp-portfolio")
        page = seen.page
        whole = await seen.figure("Outstanding principal, EUR")
        await page.get_by_role("button", name="Region: All").click()
        await page.get_by_label("Coast", exact=True).check()
        await page.keyboard.press("Escape")
        await page.get_by_role("button", name="Region: Coast").wait_for()
        await page.get_by_role("button", name="Branch: All").click()
        offered = await page.locator(".choices:not([hidden]) label").all_inner_texts()
        assert offered == ["All", "Amber Quay", "Eastgate"]
        assert "var-region=Coast" in page.url
        assert await seen.figure("Outstanding principal, EUR") != whole
        await page.reload()
        await page.get_by_role("button", name="Region: Coast").wait_for()
        await page.get_by_role("link", name="Today").click()
        await page.get_by_role("button", name="Region: Coast").wait_for()


async def test_a_table_is_sorted_by_keyboard_and_stays_so_over_a_refresh(
    address: str, browser: Browser
) -> None:
    async with sight(browser) as seen:
        await seen.look_at(f"{address}/boards/lp-portfolio")
        table = seen.page.get_by_role("table", name="Branch league, EUR")
        for direction in ("ascending", "descending"):
            await table.get_by_role("button", name="Branch").focus()
            await seen.page.keyboard.press("Enter")
            await expect(table.get_by_role("columnheader", name="Branch")).to_have_attribute(
                "aria-sort", direction
            )
        names = await table.locator("tbody td:first-child").all_inner_texts()
        assert names == sorted(names, reverse=True)
        async with seen.page.expect_response("**/query"):
            await seen.page.get_by_role("button", name="Refresh now").click()
        await expect(table.get_by_role("columnheader", name="Branch")).to_have_attribute(
            "aria-sort", "descending"
        )
        assert await table.locator("tbody td:first-child").all_inner_texts() == names


async def test_a_loan_is_found_by_its_id(address: str, browser: Browser) -> None:
    async with sight(browser) as seen:
        await seen.look_at(f"{address}/boards/lp-loan")
        field = seen.page.get_by_role("textbox", name="Loan")
        await field.fill("L-00042")
        await field.press("Enter")
        await expect(seen.page.locator(".panel .stat b").nth(1)).to_have_text("L-00042")
        assert "var-loan=L-00042" in seen.page.url
        assert seen.complaints == []


async def test_a_loan_that_does_not_exist_leaves_empty_panels_and_no_error(
    address: str, browser: Browser
) -> None:
    async with sight(browser) as seen:
        await seen.look_at(f"{address}/boards/lp-loan?var-loan=%27%20OR%201%3D1%20--")
        states = await seen.states()
        assert states.pop("Data as of") == "drawn"
        assert set(states.values()) == {"empty"}
        assert seen.complaints == []


async def test_the_range_follows_the_clock_on_the_boards_that_have_one(
    address: str, browser: Browser
) -> None:
    async with sight(browser) as seen:
        await seen.look_at(f"{address}/boards/lp-today")
        async with seen.page.expect_request(re.compile("/query$")) as asked:
            await seen.page.get_by_role("combobox", name="Last").select_option("now-15m")
        assert '"from":"now-15m"' in ((await asked.value).post_data or "")
        assert "from=now-15m" in seen.page.url
        await seen.look_at(f"{address}/boards/lp-loan")
        assert await seen.page.get_by_role("combobox", name="Last").count() == 0


async def test_the_theme_that_was_chosen_is_kept(address: str, browser: Browser) -> None:
    async with sight(browser, theme="dark") as seen:
        await seen.look_at(f"{address}/boards/lp-today")
        await seen.page.get_by_role("button", name="Switch between dark and light").click()
        assert await seen.page.evaluate("document.documentElement.dataset.theme") == "light"
        await seen.look_at(f"{address}/boards/lp-portfolio")
        assert await seen.page.evaluate("document.documentElement.dataset.theme") == "light"
        assert seen.complaints == []


async def test_a_panel_tells_its_question_to_the_keyboard(address: str, browser: Browser) -> None:
    async with sight(browser) as seen:
        await seen.look_at(f"{address}/boards/lp-today")
        await seen.page.locator(".about").first.focus()
        await expect(seen.page.get_by_role("tooltip")).to_contain_text("How old is what I see?")


async def test_a_key_opens_the_boards(book: str, browser: Browser) -> None:
    key = "the-key-of-a-test"
    digests = frozenset({hashlib.sha256(key.encode()).hexdigest()})
    async with serve_boards(book, key_digests=digests) as url, sight(browser) as seen:
        await seen.page.goto(f"{url}/boards/lp-portfolio")
        await seen.page.get_by_label("API key").fill("not it")
        await seen.page.get_by_role("button", name="Open the boards").click()
        await expect(seen.page.get_by_role("alert")).to_have_text("This key is not known.")
        await seen.page.get_by_label("API key").fill(key)
        await seen.page.get_by_role("button", name="Open the boards").click()
        await seen.settled()
        (cookie,) = await seen.page.context.cookies()
        assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("lp_session", True, "Lax")
        await seen.page.get_by_role("button", name="Sign out").click()
        await seen.page.get_by_label("API key").wait_for()
        assert seen.complaints == []
