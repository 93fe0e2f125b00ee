"""A carrier whose people have habits: what becomes of a call depends on who is dialled, whenever that is."""

from collections.abc import Callable
from typing import Any

from simulators.carrier import Carrier, CarrierCall, Plan
from simulators.exotel_calls import DialRequest


class CarrierByNumber(Carrier):
    """`habit` gives what becomes of a call to a number (E.164). `streams` are the platform's addresses, by call."""

    def __init__(self, habit: Callable[[str], Plan], **options: Any) -> None:
        super().__init__(habit(""), **options)
        self._habit = habit
        self.streams: dict[str, str] = {}

    async def _dial(self, call: CarrierCall, order: DialRequest, plan: Plan) -> None:
        self.streams[call.state.sid] = order.stream_url
        await super()._dial(call, order, self._habit(order.callee))
