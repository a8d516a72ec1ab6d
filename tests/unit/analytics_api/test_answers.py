"""Shared answers: one making at a time, kept for a short while, errors never."""

from __future__ import annotations

import asyncio

import pytest

from analytics_api.routes.answers import Answer, AnswerCache


class Maker:
    """Counts how often it is asked; waits until it is let go."""

    def __init__(self) -> None:
        self.made = 0
        self.fails = False
        self.go = asyncio.Event()
        self.go.set()

    async def __call__(self) -> Answer:
        self.made += 1
        await self.go.wait()
        if self.fails:
            raise LookupError
        return Answer(body=str(self.made).encode(), etag="", data_age_s=None)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cache(clock: Clock) -> AnswerCache:
    return AnswerCache(ttl_s=1, clock=clock)


async def test_askers_at_one_time_share_one_making(cache: AnswerCache) -> None:
    make = Maker()
    make.go.clear()
    asked = [asyncio.ensure_future(cache.get("k", make)) for _ in range(5)]
    await asyncio.sleep(0)
    make.go.set()
    assert {answer.body for answer in await asyncio.gather(*asked)} == {b"1"}


async def test_an_answer_is_good_for_its_time(cache: AnswerCache, clock: Clock) -> None:
    make = Maker()
    await cache.get("k", make)
    clock.now += 0.9
    assert (await cache.get("k", make)).body == b"1"
    clock.now += 2.2
    assert (await cache.get("k", make)).body == b"2"


async def test_nobody_waits_while_the_next_one_is_made(cache: AnswerCache, clock: Clock) -> None:
    make = Maker()
    await cache.get("k", make)
    clock.now += 1.5
    make.go.clear()
    assert (await cache.get("k", make)).body == b"1"
    assert (await cache.get("k", make)).body == b"1"
    make.go.set()
    await asyncio.sleep(0.01)
    assert (await cache.get("k", make)).body == b"2"
    assert make.made == 2


async def test_an_answer_too_old_is_waited_for_although_it_is_being_made(
    cache: AnswerCache, clock: Clock
) -> None:
    make = Maker()
    await cache.get("k", make)
    clock.now += 1.5
    make.go.clear()
    await cache.get("k", make)
    clock.now += 3.4
    assert (await cache.get("k", make)).body == b"1"
    clock.now += 0.2
    waits = asyncio.ensure_future(cache.get("k", make))
    await asyncio.sleep(0)
    assert not waits.done()
    make.go.set()
    assert (await waits).body == b"2"


async def test_only_a_target_that_was_answered_before_is_ready(cache: AnswerCache, clock: Clock) -> None:
    make = Maker()
    answer = await cache.get("k", make)
    assert cache.ready(b"/k") is None
    cache.note(b"/k", "k")
    assert cache.ready(b"/k") is answer
    clock.now += 1.5
    assert cache.ready(b"/k") is None  # somebody must have the next one made
    assert cache.ready(b"/k") is answer  # and nobody else
    make.go.clear()
    await cache.get("k", make)
    clock.now += 3.4
    assert cache.ready(b"/k") is answer
    clock.now += 0.2
    assert cache.ready(b"/k") is None
    make.go.set()


async def test_one_who_asks_in_the_moment_an_answer_is_made_does_not_keep_the_next_from_being_made(
    cache: AnswerCache, clock: Clock
) -> None:
    make = Maker()
    await cache.get("k", make)
    cache.note(b"/k", "k")
    clock.now += 1.5
    make.go.clear()
    await cache.get("k", make)
    make.go.set()
    for _ in range(10):
        cache.ready(b"/k")
        await asyncio.sleep(0)
    clock.now += 1.5
    assert cache.ready(b"/k") is None  # one is called again
    assert cache.ready(b"/k") is not None


async def test_whoever_asks_in_the_moment_a_slow_answer_is_made_is_given_one(
    cache: AnswerCache, clock: Clock
) -> None:
    make = Maker()
    await cache.get("k", make)
    cache.note(b"/k", "k")
    clock.now += 1.5
    make.go.clear()
    await cache.get("k", make)
    clock.now += 2.5
    make.go.set()
    given = []
    for _ in range(10):
        given.append(cache.ready(b"/k"))
        await asyncio.sleep(0)
    assert None not in given


async def test_questions_do_not_share_their_answers(cache: AnswerCache) -> None:
    make = Maker()
    assert (await cache.get("a", make)).body == b"1"
    assert (await cache.get("b", make)).body == b"2"


async def test_an_error_reaches_all_who_wait_and_is_forgotten(cache: AnswerCache) -> None:
    make = Maker()
    make.fails = True
    results = await asyncio.gather(*(cache.get("k", make) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [LookupError] * 3
    make.fails = False
    assert (await cache.get("k", make)).body == b"2"


async def test_an_asker_who_leaves_does_not_take_the_answer_along(cache: AnswerCache) -> None:
    make = Maker()
    make.go.clear()
    leaves = asyncio.ensure_future(cache.get("k", make))
    stays = asyncio.ensure_future(cache.get("k", make))
    await asyncio.sleep(0)
    leaves.cancel()
    make.go.set()
    assert (await stays).body == b"1"
    assert make.made == 1


async def test_old_answers_make_room(cache: AnswerCache, clock: Clock) -> None:
    make = Maker()
    for number in range(600):
        await cache.get(str(number), make)
        clock.now += 0.01
    assert len(cache._entries) <= 512
