"""The boards in a real browser: every panel drawn, in both themes, on desk and phone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from tests.boards.seed import CAUGHT_UP, book, tell
from tests.e2e.browser import DESKTOP, PHONE, browser, serve_boards, sight

__all__ = ["book", "browser"]

pytestmark = pytest.mark.e2e

BOARDS = ("lp-today", "lp-operations", "lp-portfolio", "lp-measures", "lp-loan")
COLORS_OF_A_CANVAS = """canvas => {
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const colors = new Set();
    for (let i = 0; i < data.length; i += 4)
        if (data[i + 3] > 128) colors.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
    return colors.size;
}"""
NAMELESS = """elements => elements.filter(element => !(
    element.getAttribute("aria-label") || element.textContent.trim() || element.closest("label") ||
    document.getElementById(element.getAttribute("aria-labelledby"))
)).map(element => element.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
async def address(book: str) -> AsyncIterator[str]:
    async with serve_boards(book) as url:
        yield url


@pytest.fixture(autouse=True)
async def caught_up(book: str) -> None:
    await tell(book, CAUGHT_UP)


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("board", BOARDS)
async def test_a_board_is_drawn_whole_without_a_complaint(
    board: str, theme: str, size: tuple[int, int], address: str, browser: Browser
) -> None:
    async with sight(browser, theme=theme, size=size) as seen:
        await seen.look_at(f"{address}/boards/{board}")
        page = seen.page
        assert set((await seen.states()).values()) == {"drawn"}
        assert await page.locator(".badge").count() == 0
        assert not [title for title in await seen.states() if "$" in title]
        assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert await page.evaluate("document.documentElement.dataset.theme") == theme
        assert "live" in await page.locator("#freshness").inner_text()
        assert await page.locator("#banner").is_hidden()
        assert seen.complaints == []


@pytest.mark.parametrize("board", BOARDS)
async def test_every_picture_has_ink(board: str, address: str, browser: Browser) -> None:
    async with sight(browser) as seen:
        await seen.look_at(f"{address}/boards/{board}")
        await seen.page.wait_for_timeout(300)
        pictures = await seen.page.locator(".chart canvas").all()
        assert pictures
        for picture in pictures:
            assert await picture.evaluate(COLORS_OF_A_CANVAS) > 10


@pytest.mark.parametrize("board", BOARDS)
async def test_every_link_leads_to_a_board_that_is_drawn(board: str, address: str, browser: Browser) -> None:
    async with sight(browser) as seen:
        await seen.look_at(f"{address}/boards/{board}")
        links = await seen.page.locator("main a, nav a").evaluate_all("links => links.map(link => link.href)")
        assert links
        assert all(link.startswith(f"{address}/boards/lp-") for link in links)
        first_of_each_board = {link.split("?")[0]: link for link in reversed(links)}
        for link in first_of_each_board.values():
            await seen.look_at(link)
            assert set((await seen.states()).values()) <= {"drawn", "empty"}
        assert seen.complaints == []


async def test_a_figure_leads_to_its_branch_and_on_to_its_loan(address: str, browser: Browser) -> None:
    async with sight(browser) as seen:
        await seen.look_at(f"{address}/boards")
        await seen.page.get_by_role("link", name="O'Malley Cross").click()
        await seen.settled()
        await seen.page.get_by_role("button", name="Branch: O'Malley Cross").wait_for()
        loan = seen.page.locator("section", has_text="Whom to call first").locator("tbody a").first
        name = await loan.inner_text()
        await loan.click()
        await seen.settled()
        assert await seen.figure("Loan") == name
        assert seen.complaints == []


async def test_the_home_board_is_today(address: str, browser: Browser) -> None:
    async with sight(browser) as seen:
        await seen.look_at(f"{address}/boards")
        assert await seen.page.title() == "Today · Loanpulse"
        assert await seen.page.locator("nav a").all_inner_texts() == [
            "Today",
            "Measures",
            "Operations",
            "Portfolio",
            "Loan",
        ]
        assert await seen.page.locator("nav [aria-current=page]").inner_text() == "Today"


@pytest.mark.parametrize("board", BOARDS)
async def test_everything_has_a_name_for_those_who_do_not_see_it(
    board: str, address: str, browser: Browser
) -> None:
    async with sight(browser) as seen:
        await seen.look_at(f"{address}/boards/{board}")
        everything = "button, a, select, input, section, nav, [role=img], [role=region], table"
        assert await seen.page.locator(everything).evaluate_all(NAMELESS) == []
