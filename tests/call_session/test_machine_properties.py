"""Whatever happens in whatever order: the machine never raises, never plays after the end, and always ends."""

from hypothesis import given, settings, strategies as st

from actors.call_session import protocol as p
from actors.call_session.machine import CLOSING_S, DRAINING_S, CallMachine, Phase
from actors.call_session.resuming import Ending, Owed, Resumption, What
from models.call import CallStatus
from models.conversation import Interruption, Silence, Voicemail
from models.tool import Tools
from providers.roles import Message, ToolCall
from tests.call_session.conversation import CHUNK_BYTES, RATE_HZ, agent_config

MOST_TICKS = 500
"""Far more than any wait here can need: chunks of 200 ms and a write every 10 s."""

small = st.integers(0, 6)
texts = st.sampled_from(["", "yes", "book a visit, please. On Tuesday at three. ", "no, "])

calls = st.builds(
    ToolCall,
    st.sampled_from("ab"),
    st.sampled_from(["end_call", "transfer_call", "send_dtmf", "send_sms", "look_up"]),
    st.sampled_from(["{}", '{"digits": "12"}', "not JSON"]),
)
events: st.SearchStrategy[p.Event] = st.one_of(
    st.just(p.Answered(RATE_HZ, CHUNK_BYTES)),
    st.builds(
        p.FrameHeard,
        st.sampled_from([0.0, 0.4, 0.6, 1.0]),
        st.sampled_from([0.0, 0.02, 0.06]),
        st.sampled_from([0.0, 0.0, 3.0]),
    ),
    st.builds(p.Transcribed, small, small, texts, st.sampled_from([None, "unlikely", "shed"])),
    st.sampled_from("159#*").map(p.KeyPressed),
    st.just(p.ToneHeard()),
    st.builds(p.ToolsAsked, small, st.lists(calls, min_size=1, max_size=2).map(tuple)),
    st.builds(p.ToolAnswered, small, st.sampled_from("ab"), texts),
    st.builds(p.TranscribeFailed, small, small),
    st.builds(p.ReplyPiece, small, texts),
    st.builds(p.ReplyDone, small),
    st.builds(p.ReplyFailed, small),
    st.builds(p.VoiceFailed, small),
    st.builds(p.PlaybackMark, st.sampled_from(["1.1", "2.1", "2.2", "3.1", "x"])),
    st.just(p.CreditsExhausted()),
    st.just(p.Tick()),
)
"""Speech pieces are added by the test, for clauses the machine really asked for."""

resumptions = st.builds(
    Resumption,
    answered_ago_s=st.sampled_from([0.0, 5.0, 100.0]),
    settled_ago_s=st.just(float("inf")),
    answered_by=st.sampled_from([None, "human", "machine-voicemail", "unavailable"]),
    history=st.sampled_from([(), (Message("user", "Hello."),), (Message("assistant", "How can I"),)]),
    saves=st.just(()),
    functions=st.just(()),
    owed=st.builds(
        Owed,
        st.sampled_from(What),
        st.sampled_from(["", "The rest of it."]),
        st.sampled_from([None, Ending(CallStatus.COMPLETED, "transferred", "+15550001111")]),
    ),
)
"""What a call that was carried before may start with, sensible or not."""

steps = st.tuples(events, st.sampled_from([0.0, 0.02, 0.2, 1.5, 11.0]), st.integers(1, 30))


class Watched:
    """The machine, with every command checked as it comes."""

    def __init__(
        self, *, is_outbound: bool, action: str, is_interruptible: bool, resumption: Resumption | None = None
    ) -> None:
        self.now = 0.0
        config = agent_config(
            first_message="Hello there, how can I help?",
            session_timeout=30,
            silence=Silence(reprompt_after_s=3),
            voicemail=Voicemail.model_validate({"action": action}),
            interruption=Interruption(enabled=is_interruptible),
            tools=Tools(built_in=("end_call", "transfer_call", "send_dtmf", "send_sms"), transfer_to="+15550001111"),
        )
        self.machine = CallMachine(config, now=0.0, is_outbound=is_outbound, resumption=resumption)
        self.finished = 0
        self.orders: list[p.Synthesize] = []

    def send(self, event: p.Event) -> None:
        for command in self.machine.handle(event, self.now):
            assert not self.finished, f"{command} after the end"
            match command:
                case p.Finish():
                    self.finished += 1
                case p.Synthesize():
                    self.orders.append(command)
                case p.SendAudio():
                    assert len(command.pcm) == CHUNK_BYTES
                case p.SaveTurn():
                    assert command.text.strip()
        deadline = self.machine.deadline(self.now)
        assert (deadline is None) == (self.machine.phase is Phase.ENDED)

    def voice_some(self) -> None:
        if self.orders:
            order = self.orders.pop(0)
            self.send(p.SpeechPiece(order.turn, order.clause, b"\1\0" * 4000))
            self.send(p.SpeechDone(order.turn, order.clause))

    def settle(self, seconds: float) -> None:
        end = self.now + seconds
        for _ in range(MOST_TICKS):
            deadline = self.machine.deadline(self.now)
            if deadline is None or deadline > end:
                break
            self.now = max(self.now, deadline)
            self.send(p.Tick())
        else:
            raise AssertionError("the machine wants to be called again and again without anything to do")
        self.now = end


watched = st.builds(
    Watched,
    is_outbound=st.booleans(),
    action=st.sampled_from(["ignore", "hangup", "leave-message"]),
    is_interruptible=st.booleans(),
    resumption=st.none() | resumptions,
)


@settings(max_examples=100, deadline=None)
@given(
    watched, st.lists(steps, max_size=60), st.sampled_from([p.HungUp("callended"), p.EndRequested("user_requested")])
)
def test_any_sequence_ends_after_hang_up_and_is_silent_from_then_on(
    call: Watched, sequence: list[tuple[p.Event, float, int]], end: p.Event
) -> None:
    for event, pause, times in sequence:
        for _ in range(times if isinstance(event, p.FrameHeard) else 1):
            call.send(event)
        call.voice_some()
        call.settle(pause)
    call.send(end)
    call.settle(max(DRAINING_S, CLOSING_S) + 1)
    assert call.finished == 1
    assert call.machine.phase is Phase.ENDED
    for event, _, _ in sequence:
        call.send(event)


@settings(max_examples=40, deadline=None)
@given(watched, st.lists(steps, max_size=60))
def test_a_call_left_alone_ends_by_itself_at_its_timeout(
    call: Watched, sequence: list[tuple[p.Event, float, int]]
) -> None:
    for event, pause, _ in sequence:
        call.send(event)
        call.voice_some()
        call.settle(pause)
    call.settle(30 + CLOSING_S + 16)
    assert call.finished == 1
