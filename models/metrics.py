"""Every number the product exports, as data: what it is called, what it says, how it is told apart. Pure.

Prometheus sees each as `ray_callboard_NAME` (a histogram as that with `_bucket`, `_count` and `_sum`), with Ray's own
labels beside ours: NodeAddress, WorkerId (the process), Component, SessionName, Version. Every process says its own
share, so a gauge of the whole is the sum over its series.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Metric:
    """One number; `buckets` are upper bounds of a histogram's classes, in the metric's unit."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    about: str
    tags: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


_MS = (10.0, 25.0, 50.0, 100.0, 200.0, 300.0, 400.0, 500.0, 600.0, 700.0, 800.0, 1000.0, 1500.0, 2000.0, 3000.0, 5000.0)
_SHORT_MS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)

METRICS: tuple[Metric, ...] = (
    # Pools of call actors.
    Metric("pool_actors", "gauge", "Call actors of a node by standing", ("standing",)),
    Metric("pool_slots", "gauge", "Live calls a node may have at most"),
    Metric("pool_reserved", "gauge", "Actors kept for phones that ring"),
    Metric("pool_lease_ms", "histogram", "From asking for an actor to having one", (), _SHORT_MS),
    Metric("pool_start_ms", "histogram", "What a call actor takes to become warm", (), _MS),
    Metric("pool_lost_total", "counter", "Call actors replaced, by why", ("reason",)),
    Metric("calls_refused_total", "counter", "Calls there was no room for", ("direction", "reason")),
    # Calls.
    Metric("calls_live", "gauge", "Calls being carried"),
    Metric("calls_ended_total", "counter", "Calls by how they ended", ("status", "reason")),
    Metric("calls_resumed_total", "counter", "Calls taken up by another actor"),
    Metric("turn_latency_ms", "histogram", "From the caller's last sound to the first byte of the answer", (), _MS),
    Metric("call_loop_lag_ms", "histogram", "A call actor's event loop: how late, at worst in a second", (), _SHORT_MS),
    Metric("vendor_errors_total", "counter", "Failures of vendors", ("role", "vendor")),
    Metric("log_behind", "gauge", "Writes of a call's log that wait for the database"),
    Metric("log_retries_total", "counter", "Writes of call logs that had to be repeated"),
    Metric("events_dropped_total", "counter", "Live events lost because Redis was away for too long"),
    Metric("spans_dropped_total", "counter", "Spans lost because the collector of traces did not take them"),
    # Outgoing webhooks.
    Metric("webhook_queue", "gauge", "Deliveries that wait, in all; every replica counts them, so take the largest"),
    Metric("webhook_deliveries_total", "counter", "Attempts to deliver a webhook, by what came of them", ("outcome",)),
    # Text messages after calls.
    Metric(
        "sms_messages_total", "counter", "Text messages after calls, by what the carrier made of them", ("outcome",)
    ),
    # Speech to text.
    Metric("stt_waiting", "gauge", "Utterances in the queue of a worker", ("kind",)),
    Metric("stt_decoded_total", "counter", "Utterances recognised", ("kind",)),
    Metric("stt_shed_total", "counter", "Utterances not recognised because others were more urgent", ("kind",)),
    Metric("stt_queue_ms", "histogram", "What an utterance waits before it is decoded", ("kind",), _MS),
    Metric("stt_decode_ms", "histogram", "What its batch takes", (), _MS),
    # Credits.
    Metric("credits_held_micros", "gauge", "Credits set aside for calls under way, in micro-credits"),
    Metric("ledger_entries_total", "counter", "Entries written to the ledger", ("kind",)),
)

BY_NAME = {metric.name: metric for metric in METRICS}
