"""Which text message a call owes, what it says, when it is tried again, and what is told of it."""

from datetime import timedelta
from typing import Any

import pytest

from models.agent import SmsAfter
from models.call import CallStatus, CampaignCall, Versions
from models.document import new_id
from models.errors import ProviderError
from models.sms import SmsStatus
from services import sms_rules as rules
from services.sms_rules import Again, Never, after_refusal
from services.sms_runner import LEASE, SEND_S
from tests.documents import NOW
from tests.messages import DLT, FILLED, a_message, a_version, disposed, over

ORGANIZATION, VERSION = new_id(), new_id()
PAID = SmsAfter(outcomes=("answered",), dispositions=("promised", "paid"))


class TestOwed:
    """After which calls a message is owed."""

    @pytest.mark.parametrize(
        ("status", "answered_by", "outcome"),
        [
            (CallStatus.COMPLETED, None, "answered"),
            (CallStatus.COMPLETED, "human", "answered"),
            (CallStatus.COMPLETED, "uncertain", "answered"),
            (CallStatus.COMPLETED, "machine-voicemail", "machine"),
            (CallStatus.COMPLETED, "unavailable", "no-answer"),
            (CallStatus.NO_ANSWER, None, "no-answer"),
            (CallStatus.BUSY, None, "busy"),
            (CallStatus.FAILED, None, "failed"),
            (CallStatus.CANCELED, None, "canceled"),
        ],
    )
    def test_after_the_outcomes_that_are_named_and_no_other(
        self, status: CallStatus, answered_by: Any, outcome: Any
    ) -> None:
        others: Any = tuple({"answered", "machine", "busy", "no-answer", "failed", "canceled"} - {outcome})
        how = {"status": status, "answered_by": answered_by}
        assert rules.template_owed(over(ORGANIZATION, VERSION, SmsAfter(outcomes=(outcome,)), **how)) == VERSION
        assert rules.template_owed(over(ORGANIZATION, VERSION, SmsAfter(outcomes=others), **how)) is None

    @pytest.mark.parametrize("status", [CallStatus.INITIATED, CallStatus.RINGING, CallStatus.IN_PROGRESS])
    def test_never_while_the_call_goes_on(self, status: CallStatus) -> None:
        every = SmsAfter(outcomes=("answered", "machine", "busy", "no-answer", "failed", "canceled"))
        assert rules.template_owed(over(ORGANIZATION, VERSION, every, status=status)) is None

    @pytest.mark.parametrize(("said", "owed"), [("promised", True), ("paid", True), ("refused", False), (None, False)])
    def test_after_the_dispositions_that_are_named(self, said: str | None, owed: bool) -> None:
        call = over(ORGANIZATION, VERSION, PAID, disposition=said and disposed(said))
        assert (rules.template_owed(call) is not None) is owed

    def test_a_disposition_alone_is_not_enough(self) -> None:
        call = over(ORGANIZATION, VERSION, PAID, status=CallStatus.BUSY, disposition=disposed("paid"))
        assert rules.template_owed(call) is None

    @pytest.mark.parametrize("versions", [None, Versions()])
    def test_none_without_a_template(self, versions: Versions | None) -> None:
        assert rules.template_owed(over(ORGANIZATION, None, versions=versions)) is None


class TestMessage:
    """What the message is."""

    def test_it_is_filled_registered_and_due_at_once(self) -> None:
        version = a_version(ORGANIZATION)
        campaign = CampaignCall(campaign_id=new_id(), contact_id=new_id(), attempt=1)
        call = over(ORGANIZATION, version.id, campaign=campaign)
        made = rules.message(call, version.id, version, call.from_phone, NOW)
        assert (made.status, made.next_at, made.error) == (SmsStatus.QUEUED, NOW, None)
        assert (made.text, made.template_version_id) == (FILLED, version.id)
        assert (made.from_phone, made.to_phone) == (call.from_phone, call.to_phone)
        assert (made.dlt_template_id, made.dlt_entity_id) == tuple(DLT.values())
        assert (made.campaign_id, made.contact_id) == (campaign.campaign_id, campaign.contact_id)
        assert (made.call_id, made.organization_id) == (call.id, ORGANIZATION)

    def test_its_id_is_the_same_whoever_makes_it(self) -> None:
        version, call = a_version(), over(ORGANIZATION, VERSION)
        first, second = (rules.message(call, VERSION, version, call.from_phone, NOW) for _ in range(2))
        assert first.id == second.id == rules.message_id(call.id)
        assert len(first.id) == 24
        assert first.id not in {call.id, rules.message_id(new_id())}

    def test_who_called_in_gets_it_from_the_number_they_called(self) -> None:
        call = over(ORGANIZATION, VERSION, direction="inbound", from_phone="+919812345678", to_phone="+918047491899")
        made = rules.message(call, VERSION, a_version(), "+918047491899", NOW)
        assert (made.from_phone, made.to_phone) == ("+918047491899", "+919812345678")

    @pytest.mark.parametrize(
        ("fields", "content", "says"),
        [
            ({"variables": {}}, None, "no value for: customer_name, amount"),
            ({"variables": {"customer_name": "Asha", "amount": " "}}, None, "no value for: amount"),
            ({"variables": {"customer_name": "x" * 2_000, "amount": "1"}}, None, rules.TOO_LONG),
            ({"to_phone": "anonymous"}, None, rules.NO_NUMBER),
            ({"to_phone": ""}, "Thank you", rules.NO_NUMBER),
            ({"ended_at": NOW - rules.TOO_LATE - timedelta(seconds=1)}, None, rules.LATE),
        ],
    )
    def test_what_cannot_be_sent_is_kept_with_the_reason(self, fields: Any, content: str | None, says: str) -> None:
        version = a_version() if content is None else a_version(content=content)
        call = over(ORGANIZATION, version.id, **fields)
        made = rules.message(call, version.id, version, call.from_phone, NOW)
        assert (made.status, made.next_at, made.finished_at) == (SmsStatus.FAILED, None, NOW)
        assert says in (made.error or "")

    def test_a_template_or_a_phone_that_is_gone_is_said(self) -> None:
        version, call = a_version(), over(ORGANIZATION, VERSION)
        for template, phone in ((None, call.from_phone), (version, None)):
            made = rules.message(call, VERSION, template, phone, NOW)
            assert (made.status, "gone" in (made.error or "")) == (SmsStatus.FAILED, True)
            assert made.from_phone == call.from_phone

    def test_a_text_without_variables_needs_none(self) -> None:
        version = a_version(content="Thank you for your call")
        call = over(ORGANIZATION, version.id, variables={})
        assert rules.message(call, version.id, version, call.from_phone, NOW).text == "Thank you for your call"


class TestAgain:
    """What follows a refusal."""

    NOT_NOW = ProviderError("busy", provider="exotel", retryable=True)
    NO = ProviderError("no", provider="exotel", retryable=False)

    def test_what_is_refused_for_the_moment_is_tried_again_for_hours_and_then_no_more(self) -> None:
        verdicts = [after_refusal(self.NOT_NOW, attempt) for attempt in range(1, len(rules.RETRY_S) + 2)]
        assert verdicts == [*(Again(delay) for delay in rules.RETRY_S), Never()]
        assert list(rules.RETRY_S) == sorted(rules.RETRY_S)
        assert 3 * 3600 < sum(rules.RETRY_S) < 5 * 3600

    def test_what_is_refused_is_not_tried_again(self) -> None:
        assert after_refusal(self.NO, 1) == Never()

    @pytest.mark.parametrize(("asked", "delay"), [(1.0, 5.0), (40.0, 40.0), (1e6, rules.LONGEST_S)])
    def test_the_carrier_may_ask_for_more_time(self, asked: float, delay: float) -> None:
        error = ProviderError("busy", provider="exotel", retryable=True, retry_after_s=asked)
        assert after_refusal(error, 1) == Again(delay)


class TestTold:
    """The event of a message that was sent."""

    def test_it_comes_after_everything_of_its_call_and_does_not_say_the_text(self) -> None:
        sms = a_message(sent_at=NOW, campaign_id=new_id())
        event = rules.sent_event(sms)
        assert event is not None
        assert (event.id, event.type, event.at) == (f"{sms.id}.sms.sent", "sms.sent", NOW)
        assert (event.subject_id, event.sequence) == (sms.call_id, rules.AFTER_THE_CALL)
        assert (event.data["sms_id"], event.data["call_id"]) == (sms.id, sms.call_id)
        assert event.data["campaign_id"] == sms.campaign_id
        assert sms.text not in str(event)

    def test_nothing_is_told_of_one_that_was_not(self) -> None:
        assert rules.sent_event(a_message()) is None


def test_the_words_are_in_the_order_of_what_is_known() -> None:
    by_rank = sorted(SmsStatus, key=lambda status: status.rank)
    assert by_rank == ["queued", "sending", "failed", "sent", "undelivered", "delivered"]


def test_sending_is_over_before_its_claim_is() -> None:
    assert timedelta(seconds=SEND_S) < LEASE / 2
