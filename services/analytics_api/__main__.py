"""`python -m analytics_api serve` answers requests and draws boards; `refresh` keeps the minute tables."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import signal
import sys

import structlog
import uvicorn
from pydantic import ValidationError

from analytics_api.app import create_app
from analytics_api.errors import StoreAwayError
from analytics_api.front import FrontProtocol, open_doors
from analytics_api.refresh import Refresher, RefreshPlan
from analytics_api.settings import AnalyticsSettings
from analytics_api.store import PostgresMartStore
from loanbook.domain.errors import LoanbookError

_SWITCH_S = 0.00005  # what is shaped in a thread holds answers up no longer than this


def main(arguments: list[str] | None = None) -> int:
    """Run one of the two processes until it is told to stop."""
    parser = argparse.ArgumentParser(prog="python -m analytics_api", description=__doc__)
    parser.add_argument("process", choices=["serve", "refresh"])
    chosen = parser.parse_args(arguments)
    _log_as_json()
    try:
        settings = AnalyticsSettings()  # type: ignore[call-arg]  # from the environment
        if chosen.process == "serve":
            return _serve(settings)
        asyncio.run(_refresh(settings))
    except ValidationError as error:
        for item in error.errors():
            field = ".".join(str(part) for part in item["loc"]) or "settings"
            print(f"analytics_api: {field}: {item['msg']}", file=sys.stderr)  # noqa: T201
        return 2
    except (LoanbookError, StoreAwayError) as error:
        print(f"analytics_api: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def _serve(settings: AnalyticsSettings) -> int:
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        http=FrontProtocol,
        loop="uvloop",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=10,
    )
    config.load()
    gc.collect()
    gc.freeze()  # what is loaded by now stays: no collection looks at it again and holds answers up
    sys.setswitchinterval(_SWITCH_S)
    server = uvicorn.Server(config)
    server.run(open_doors(config))
    return 0 if server.started else 1


async def _refresh(settings: AnalyticsSettings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    store = await PostgresMartStore.open(settings.database_url.get_secret_value())
    plan = RefreshPlan(
        interval=settings.refresh_interval,
        minutes_kept=settings.minutes_kept,
        stale_after=settings.stale_after,
        provision_rates_bps=settings.provision_rates_bps,
    )
    try:
        await Refresher(store, plan).run(stop)
    finally:
        await store.close()


def _log_as_json() -> None:
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
    )


if __name__ == "__main__":
    sys.exit(main())
