from __future__ import annotations

from embedded.kafka import draw_cluster_id


def test_a_cluster_id_is_never_taken_for_an_option() -> None:
    drawn = {draw_cluster_id() for _ in range(2_000)}  # one in 64 would begin with a dash
    assert len(drawn) == 2_000
    assert {len(cluster_id) for cluster_id in drawn} == {22}
    assert not any(cluster_id.startswith("-") for cluster_id in drawn)
