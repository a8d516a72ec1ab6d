"""Whole partition batches on a real Kafka: order, offsets, positions, transactions, back-pressure."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from aiokafka import AIOKafkaProducer

from loanbook.kafka.batches import Partition, RecordBatch
from tests.integration.kafka.recorder import (
    Recorder,
    committed_offset,
    fill,
    make_topic,
    quick_settings,
    until,
    until_caught_up,
    working,
)
from tests.parts import Broker

pytestmark = pytest.mark.integration


def chain(batches: list[RecordBatch], partition: Partition) -> list[tuple[int, int]]:
    return [(b.from_offset, b.next_offset) for b in batches if b.partition == partition]


async def test_every_record_comes_once_in_order_and_batches_join_without_a_gap(kafka: Broker) -> None:
    topic, boot = await make_topic(kafka.bootstrap_servers, 3), kafka.bootstrap_servers
    values = {p: [f"{p}:{i}".encode() for i in range(1200)] for p in range(3)}
    for p in range(3):
        await fill(boot, topic, p, values[p])
    recorder = Recorder()
    async with working(quick_settings(boot, max_poll_records=500), recorder, topic) as worker:
        await until_caught_up(worker, 3)
    for p in range(3):
        partition = Partition(topic, p)
        assert recorder.values(partition) == values[p]
        offsets = chain(recorder.batches, partition)
        assert offsets[0][0] == 0
        assert offsets[-1][1] == 1200
        assert all(before[1] == after[0] for before, after in pairwise(offsets))
    assert max(len(batch) for batch in recorder.batches) > 1


async def test_what_comes_while_a_few_records_are_taken_comes_in_one_delivery(kafka: Broker) -> None:
    boot, topic = kafka.bootstrap_servers, await make_topic(kafka.bootstrap_servers, 1)
    recorder = Recorder()
    recorder.gate.clear()
    async with working(quick_settings(boot), recorder, topic) as worker:
        await fill(boot, topic, 0, [b"0"])
        await until(lambda: recorder.deliveries == 1)
        for number in range(1, 4):
            await fill(boot, topic, 0, [b"%d" % number])
            await asyncio.sleep(0.1)  # a consumer that reads ahead would have fetched it
        recorder.gate.set()
        await until_caught_up(worker, 1)
    assert recorder.values(Partition(topic, 0)) == [b"0", b"1", b"2", b"3"]
    assert recorder.deliveries == 2


async def test_the_handler_says_where_to_read_from_whatever_kafka_has_committed(kafka: Broker) -> None:
    boot, topic = kafka.bootstrap_servers, await make_topic(kafka.bootstrap_servers, 1)
    partition = Partition(topic, 0)
    await fill(boot, topic, 0, [b"%d" % i for i in range(10)])
    first = Recorder()
    async with working(quick_settings(boot), first, topic) as worker:
        await until_caught_up(worker, 1)
    assert await committed_offset(boot, f"group.{topic}", partition) == 10
    restored = Recorder({partition: 4})
    async with working(quick_settings(boot), restored, topic) as worker:
        await until_caught_up(worker, 1)
    assert restored.values(partition) == [b"%d" % i for i in range(4, 10)]
    assert chain(restored.batches, partition)[0][0] == 4


async def test_a_partition_the_handler_names_no_position_for_is_not_read(kafka: Broker) -> None:
    boot, topic = kafka.bootstrap_servers, await make_topic(kafka.bootstrap_servers, 2)
    await fill(boot, topic, 0, [b"read"])
    await fill(boot, topic, 1, [b"unread"])

    class Choosy(Recorder):
        async def assigned(self, partitions: frozenset[Partition]) -> dict[Partition, int | None]:
            return {
                p: offset for p, offset in (await super().assigned(partitions)).items() if not p.partition
            }

    recorder = Choosy()
    async with working(quick_settings(boot), recorder, topic) as worker:
        await until(lambda: bool(recorder.batches))
        await asyncio.sleep(0.5)
        assert {batch.partition.partition for batch in recorder.batches} == {0}
        await worker.seek(Partition(topic, 1), 0)
        await until(lambda: len(recorder.batches) == 2)
    assert recorder.values(Partition(topic, 1)) == [b"unread"]


async def test_an_aborted_transaction_is_never_delivered_and_does_not_look_like_lag(kafka: Broker) -> None:
    boot, topic = kafka.bootstrap_servers, await make_topic(kafka.bootstrap_servers, 1)
    partition = Partition(topic, 0)
    async with AIOKafkaProducer(bootstrap_servers=boot, transactional_id=topic) as upstream:
        for value, keep in [(b"first", True), (b"never", False), (b"second", True), (b"nor this", False)]:
            await upstream.begin_transaction()
            await upstream.send_and_wait(topic, value, partition=0)
            await (upstream.commit_transaction() if keep else upstream.abort_transaction())
    recorder = Recorder()
    async with working(quick_settings(boot), recorder, topic) as worker:
        await until_caught_up(worker, 1)
        state = (await worker.progress())[partition]
        await fill(boot, topic, 0, [b"third"])
        await until(lambda: b"third" in recorder.values(partition))
        assert await worker.read_record(partition, 2) is None  # aborted
        found = await worker.read_record(partition, 4)
        assert found is not None
        assert found.value == b"second"
        assert await worker.log_range(partition) == (0, 9)
    assert recorder.values(partition) == [b"first", b"second", b"third"]
    # first 0, marker 1, never 2, marker 3, second 4, marker 5, nor this 6, marker 7, third 8
    assert (state.position, state.last_stable_offset, state.queued) == (8, 8, 0)
    offsets = chain(recorder.batches, partition)
    assert (offsets[0][0], offsets[-1][1]) == (0, 9)
    assert all(before[1] == after[0] for before, after in pairwise(offsets))


async def test_an_open_transaction_holds_back_what_comes_after_it(kafka: Broker) -> None:
    boot, topic = kafka.bootstrap_servers, await make_topic(kafka.bootstrap_servers, 1)
    recorder = Recorder()
    async with AIOKafkaProducer(bootstrap_servers=boot, transactional_id=topic) as upstream:
        await upstream.begin_transaction()
        await upstream.send_and_wait(topic, b"open", partition=0)
        await fill(boot, topic, 0, [b"after"])
        async with working(quick_settings(boot), recorder, topic) as worker:
            await until_caught_up(worker, 1)
            assert recorder.batches == []
            await upstream.commit_transaction()
            await until(lambda: len(recorder.values(Partition(topic, 0))) == 2)
    assert recorder.values(Partition(topic, 0)) == [b"open", b"after"]


async def test_a_seek_delivers_again_and_makes_what_was_under_way_stale(kafka: Broker) -> None:
    boot, topic = kafka.bootstrap_servers, await make_topic(kafka.bootstrap_servers, 1)
    partition, values = Partition(topic, 0), [b"%d" % i for i in range(600)]
    await fill(boot, topic, 0, values)
    recorder = Recorder()
    recorder.acks = False
    async with working(quick_settings(boot, max_poll_records=100), recorder, topic) as worker:
        await until(lambda: len(recorder.values(partition)) == 600)
        before = list(recorder.batches)
        recorder.acks = True
        await worker.seek(partition, 250)
        assert not any(worker.is_current(batch) for batch in before)
        await until_caught_up(worker, 1)
        worker.ack(before[0])
        assert (await worker.progress())[partition].queued == 0
    again = recorder.batches[len(before) :]
    assert again[0].from_offset == 250
    assert [r.value for batch in again for r in batch.records] == values[250:]


async def test_seeks_in_full_flight_never_mislabel_a_batch(kafka: Broker) -> None:
    boot, topic = kafka.bootstrap_servers, await make_topic(kafka.bootstrap_servers, 1)
    partition = Partition(topic, 0)
    await fill(boot, topic, 0, [b"%d" % i for i in range(3000)])
    recorder = Recorder()
    async with working(quick_settings(boot, max_poll_records=50), recorder, topic) as worker:
        await until(lambda: bool(recorder.batches))
        for target in range(0, 2900, 97):
            await worker.seek(partition, target)
            await asyncio.sleep(0.003)
        await until_caught_up(worker, 1)
    # This log has no holes, so each batch's first record must stand exactly at its from_offset.
    assert all(b.records[0].offset == b.from_offset for b in recorder.batches)
    assert recorder.batches[-1].next_offset == 3000


async def test_a_paused_partition_waits_while_the_others_go_on(kafka: Broker) -> None:
    boot, topic = kafka.bootstrap_servers, await make_topic(kafka.bootstrap_servers, 2)
    held, free = Partition(topic, 0), Partition(topic, 1)
    recorder = Recorder()
    async with working(quick_settings(boot), recorder, topic) as worker:
        await until_caught_up(worker, 2)
        worker.pause(held)
        await asyncio.sleep(0.4)  # a fetch that was under way may still bring something
        await fill(boot, topic, 0, [b"held"])
        await fill(boot, topic, 1, [b"free"])
        await until(lambda: recorder.values(free) == [b"free"])
        await asyncio.sleep(0.5)
        assert recorder.values(held) == []
        assert (await worker.progress())[held].lag == 1
        worker.resume(held)
        await until(lambda: recorder.values(held) == [b"held"])


async def test_a_handler_that_waits_holds_the_fetching_back_and_stays_in_its_group(kafka: Broker) -> None:
    boot, topic = kafka.bootstrap_servers, await make_topic(kafka.bootstrap_servers, 4)
    for p in range(4):
        await fill(boot, topic, p, [b"x" * 100] * 3000)
    recorder = Recorder()
    recorder.gate.clear()
    settings = quick_settings(boot, max_poll_records=100, buffered_fetches=4)
    async with working(settings, recorder, topic) as worker:
        await until(lambda: bool(recorder.batches))
        await asyncio.sleep(8)  # longer than the session
        queued = sum(state.queued for state in (await worker.progress()).values())
        assert recorder.deliveries == 1
        assert queued <= 100 * (
            4 + 3
        )  # the buffer, the one delivered, the one at the buffer's door, one fetched
        assert [name for name, _ in recorder.calls] == ["assigned"]
        recorder.gate.set()
        await until_caught_up(worker, 4)
    assert sum(len(batch) for batch in recorder.batches) == 12_000


async def test_the_cluster_names_itself(kafka: Broker) -> None:
    topic = await make_topic(kafka.bootstrap_servers, 1)
    async with working(quick_settings(kafka.bootstrap_servers), Recorder(), topic) as worker:
        named = await worker.cluster_id()
        assert named
        assert named == await worker.cluster_id()
