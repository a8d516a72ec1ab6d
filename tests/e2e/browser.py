"""A real Chromium for tests, and a viewer to look at; skips with the reason where there is no browser."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, ConsoleMessage, Page, Response, async_playwright, expect

from analytics_api.board_viewer.routes import router
from analytics_api.board_viewer.viewer import BoardViewerSettings, open_board_viewer
from embedded.ports import free_port

DASHBOARDS = Path(__file__).parent.parent.parent / "grafana" / "dashboards"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DESKTOP, PHONE = (1440, 900), (390, 844)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A page, and everything it complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    async def look_at(self, url: str) -> None:
        """Open a board and wait until no panel waits any more."""
        await self.page.goto(url)
        await self.settled()

    async def settled(self) -> None:
        """Every panel has been answered."""
        await expect(self.page.locator("#board")).to_have_attribute("aria-busy", "false", timeout=20_000)
        await expect(self.page.locator(".panel[data-state=waiting]")).to_have_count(0)

    async def states(self) -> dict[str, str]:
        """Title and state of each panel: drawn, empty or error."""
        panels = await self.page.locator(".panel").all()
        return {
            await panel.locator("h2").inner_text(): await panel.get_attribute("data-state") or ""
            for panel in panels
        }

    async def figure(self, title: str) -> str:
        """The figure that a stat panel shows."""
        panel = self.page.locator(".panel", has=self.page.get_by_role("heading", name=title, exact=True))
        return await panel.locator("b").inner_text()


def chromium() -> str:
    """Path of the machine's Chromium; skips the test where there is none."""
    for name in filter(None, (os.environ.get("CHROMIUM"), *NAMES)):
        if found := shutil.which(name):
            return found
    pytest.skip(f"no Chromium: none of {', '.join(NAMES)} is installed, and CHROMIUM is not set")


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """The browser that all tests share."""
    path = chromium()
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=path, args=[*FLAGS])
        yield started
        await started.close()


@asynccontextmanager
async def sight(
    browser: Browser, *, theme: str = "dark", size: tuple[int, int] = DESKTOP
) -> AsyncIterator[Sight]:
    """A fresh visitor with a theme and a screen."""
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="light" if theme == "light" else "dark",
        reduced_motion="reduce",
    )
    seen = Sight(page=await context.new_page())

    def console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            seen.complaints.append(f"{message.type}: {message.text}")

    def answered(response: Response) -> None:
        if response.status >= 400:
            seen.complaints.append(f"{response.status}: {response.url}")

    seen.page.on("console", console)
    seen.page.on("pageerror", lambda error: seen.complaints.append(f"page error: {error}"))
    seen.page.on("response", answered)
    yield seen
    await context.close()


class _QuietServer(uvicorn.Server):
    """Leaves the signals to pytest."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serve_boards(dsn: str, *, key_digests: frozenset[str] = frozenset()) -> AsyncIterator[str]:
    """The viewer alone on a free port; gives its address."""
    port = free_port()
    app = FastAPI()
    app.include_router(router)
    settings = BoardViewerSettings(boards_dir=DASHBOARDS, dsn=dsn, key_digests=key_digests)
    async with open_board_viewer(settings) as app.state.board_viewer:
        server = _QuietServer(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
        running = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110  uvicorn offers no event to wait for
            await asyncio.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        await running
