"""Whatever comes in whatever order: never more actors than slots, no promise broken, targets within bounds."""

from hypothesis import given, settings, strategies as st

from actors.call_session.pool_policy import UNKNOWN, Refusal, Roster, Rules, Standing

sessions = st.integers(0, 7).map(lambda n: f"s{n}")
steps = st.tuples(
    st.sampled_from(
        ["reserve", "cancel", "lease", "lease", "return", "warm", "warm", "lose", "doubt", "place", "adopt", "admit"]
    ),
    sessions,
    st.sampled_from([0.0, 0.0, 0.1, 1.0, 20.0, 200.0]),
)


class Watched:
    """A roster whose starts and stops are followed, as its crew would."""

    def __init__(self, slots: int, idle_min: int) -> None:
        self.rules = Rules(slots, min(idle_min, slots), max_calls=5)
        self.roster = Roster(self.rules)
        self.now = 0.0
        self.made = 0
        self.alive: set[str] = set()
        self.kept: dict[str, float] = {}

    def do(self, what: str, session_id: str, passes: float) -> None:
        self.now += passes
        self.kept = {each: until for each, until in self.kept.items() if until > self.now}
        match what:
            case "reserve":
                self._reserve(session_id)
            case "cancel":
                self.roster.cancel(session_id)
                self.kept.pop(session_id, None)
            case "lease":
                self._lease(session_id)
            case "return":
                self._return(session_id)
            case "warm":
                for name in self._standing(Standing.STARTING)[:1]:
                    self.roster.warm(name, self.now)
            case "lose":
                for name in [member.name for member in self.roster.members][:1]:
                    assert self.roster.lost(name)
                    self.alive.discard(name)
            case "doubt":
                for idle in self._standing(Standing.IDLE)[:1]:
                    self.roster.doubted(idle)
            case "place":
                if (doubted := self.roster.with_call(UNKNOWN)) is not None:
                    self.roster.found(doubted, session_id=None)
            case "adopt":
                self._adopt(session_id)
            case "admit":
                self.roster.is_admitting = not self.roster.is_admitting
        self._keep_up()

    def _reserve(self, session_id: str) -> None:
        free, had = self.roster.free(self.now), session_id in self.kept
        if self.roster.reserve(session_id, now=self.now, until=self.now + 45.0) is None:
            assert free or had
            self.kept[session_id] = self.now + 45.0
        else:
            assert not had
            assert free == 0 or not self.roster.is_admitting

    def _lease(self, session_id: str) -> None:
        before = {member.name: member for member in self.roster.members}
        promised, has_claim = len(self.kept), session_id in self.kept
        idle = self.roster.count(Standing.IDLE)
        name = self.roster.lease(session_id, self.now)
        if isinstance(name, Refusal):
            assert not has_claim or idle == 0
            return
        if before[name].standing is Standing.LEASED:
            assert before[name].session_id == session_id
            return
        assert before[name].standing is Standing.IDLE
        assert has_claim or idle > promised, "an actor kept for another call was lent"
        self.kept.pop(session_id, None)

    def _return(self, session_id: str) -> None:
        name = self.roster.with_call(session_id)
        if name is not None and not self.roster.returned(name, session_id, 0):
            self.alive.discard(name)

    def _adopt(self, session_id: str) -> None:
        if len(self.alive) < self.rules.slots and self.roster.with_call(session_id) is None:
            self.made += 1
            self.alive.add(f"a{self.made}")
            self.roster.found(f"a{self.made}", session_id=session_id, is_current=self.made % 2 == 0)

    def _keep_up(self) -> None:
        self.alive -= set(self.roster.to_stop(self.now))
        for _ in range(self.roster.to_start(self.now)):
            self.made += 1
            self.alive.add(f"a{self.made}")
            self.roster.starting(f"a{self.made}", self.now)
        self._check()

    def _check(self) -> None:
        roster, now = self.roster, self.now
        assert {member.name for member in roster.members} == self.alive
        assert len(self.alive) <= self.rules.slots
        assert roster.count(Standing.STARTING) <= self.rules.at_once
        assert roster.reserved(now) == len(self.kept)
        leased = roster.count(Standing.LEASED)
        assert 0 <= roster.target(now) <= self.rules.slots - leased
        assert roster.target(now) >= min(self.rules.idle_min, self.rules.slots - leased - len(self.kept))
        assert roster.to_start(now) == 0
        sessions = [member.session_id for member in roster.members if member.session_id not in (None, UNKNOWN)]
        assert len(sessions) == len(set(sessions))

    def _standing(self, standing: Standing) -> list[str]:
        return [member.name for member in self.roster.members if member.standing is standing]


@settings(max_examples=150, deadline=None)
@given(st.integers(1, 6), st.integers(1, 4), st.lists(steps, max_size=60))
def test_a_pool_keeps_its_promises(slots: int, idle_min: int, events: list[tuple[str, str, float]]) -> None:
    watched = Watched(slots, idle_min)
    for event in events:
        watched.do(*event)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 6), st.integers(1, 4), st.lists(steps, max_size=40))
def test_left_alone_it_is_open_again(slots: int, idle_min: int, events: list[tuple[str, str, float]]) -> None:
    watched = Watched(slots, idle_min)
    for event in events:
        watched.do(*event)
    for _ in range(2 * slots + 2):
        watched.do("warm", "s0", 0.0)
    assert watched.roster.is_open(watched.now)
