import uuid

import socketio
from socketio.async_manager import AsyncManager

from serve_app.rooms import HELD_EVENTS, HoldingManager, Rooms

ROOM = "call:s1"


class Wire:
    """The server behind the manager: notes which connection gets what."""

    packet_class = socketio.packet.Packet

    def __init__(self) -> None:
        self.eio = self
        self.sent: list[tuple[str, str]] = []

    def generate_id(self) -> str:
        return uuid.uuid4().hex

    async def _send_eio_packet(self, eio_sid: str, packet: object) -> None:
        self.sent.append((eio_sid, packet.data))  # type: ignore[attr-defined]


async def a_room(*watchers: str) -> tuple[HoldingManager, Wire, dict[str, str]]:
    manager, wire = HoldingManager(), Wire()
    manager.set_server(wire)
    sids = {}
    for watcher in watchers:
        sids[watcher] = await manager.connect(watcher, "/")
        await manager.enter_room(sids[watcher], "/", ROOM)
    return manager, wire, sids


def told(wire: Wire, watcher: str) -> list[str]:
    return [data for eio_sid, data in wire.sent if eio_sid == watcher]


async def test_a_held_client_gets_nothing_while_the_others_get_everything() -> None:
    manager, wire, sids = await a_room("ann", "bob")
    manager.hold(sids["bob"], ROOM)
    await manager.emit("call:transcript", {"text": "one"}, "/", room=ROOM)
    assert len(told(wire, "ann")) == 1
    assert told(wire, "bob") == []


async def test_held_events_come_out_in_order_and_then_the_hold_is_over() -> None:
    manager, wire, sids = await a_room("bob")
    manager.hold(sids["bob"], ROOM)
    for text in ("one", "two"):
        await manager.emit("call:transcript", {"text": text}, "/", room=ROOM)
    assert manager.next_held(sids["bob"], ROOM) == ("call:transcript", {"text": "one"})
    await manager.emit("call:transcript", {"text": "three"}, "/", room=ROOM)
    assert [manager.next_held(sids["bob"], ROOM) for _ in range(3)] == [
        ("call:transcript", {"text": "two"}),
        ("call:transcript", {"text": "three"}),
        None,
    ]
    await manager.emit("call:transcript", {"text": "four"}, "/", room=ROOM)
    assert len(told(wire, "bob")) == 1


async def test_a_hold_keeps_one_rooms_events_only() -> None:
    manager, wire, sids = await a_room("bob")
    manager.hold(sids["bob"], "call:another")
    await manager.emit("call:transcript", {}, "/", room=ROOM)
    assert len(told(wire, "bob")) == 1


async def test_a_message_to_one_client_reaches_it_though_it_is_held() -> None:
    manager, wire, sids = await a_room("bob")
    manager.hold(sids["bob"], ROOM)
    await manager.emit("call:started", {}, "/", to=sids["bob"])
    assert len(told(wire, "bob")) == 1


async def test_nothing_is_kept_for_a_client_that_is_gone() -> None:
    manager, _, sids = await a_room("bob")
    manager.hold(sids["bob"], ROOM)
    await manager.emit("call:ended", {}, "/", room=ROOM)
    manager.drop(sids["bob"])
    assert manager.next_held(sids["bob"], ROOM) is None


async def test_what_is_kept_has_a_bound() -> None:
    manager, _, sids = await a_room("bob")
    manager.hold(sids["bob"], ROOM)
    for n in range(HELD_EVENTS + 10):
        await manager.emit("call:error", n, "/", room=ROOM)
    kept = 0
    while manager.next_held(sids["bob"], ROOM) is not None:
        kept += 1
    assert kept == HELD_EVENTS


def test_the_redis_manager_delivers_through_the_hold() -> None:
    order = Rooms.__mro__
    assert order.index(socketio.AsyncRedisManager) < order.index(HoldingManager) < order.index(AsyncManager)
