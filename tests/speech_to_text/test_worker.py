"""The worker without Ray: the shipped model, real threads; words, many calls, cancellation."""

import asyncio

import pytest
import pytest_asyncio

from actors.speech_to_text.answers import Refusal
from actors.speech_to_text.worker import SpeechToText
from models.settings import Settings
from providers.roles import SHED, SpeechAudio, SttKind, SttRequest, Transcript
from tests.providers.sounds import over_the_phone, spoken

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

PHRASE = "i want to talk to a person"


@pytest.fixture(scope="module")
def worker() -> SpeechToText:
    return SpeechToText(Settings(_env_file=None, stt_threads=2))


@pytest_asyncio.fixture(loop_scope="module")
async def audio() -> SpeechAudio:
    return over_the_phone(await spoken(PHRASE))


def request(audio: SpeechAudio, call: int = 0, *, kind: SttKind = SttKind.FINAL, revision: int = 1) -> SttRequest:
    return SttRequest(f"call{call}", 1, revision, kind, audio)


@pytest.mark.parametrize("kind", list(SttKind))
async def test_words_come_with_what_they_cost(worker: SpeechToText, audio: SpeechAudio, kind: SttKind) -> None:
    answer = await worker.transcribe(request(audio, kind=kind), 5.0)
    assert isinstance(answer, Transcript)
    assert answer.text == PHRASE
    assert answer.decode_ms > 0
    assert answer.queue_ms < 1_000


async def test_calls_at_the_same_time_are_all_answered(worker: SpeechToText, audio: SpeechAudio) -> None:
    before = (await worker.health()).counts
    answers = await asyncio.gather(*(worker.transcribe(request(audio, call), 20.0) for call in range(50)))
    assert {answer.text for answer in answers if isinstance(answer, Transcript)} == {PHRASE}
    health = await worker.health()
    assert (health.busy, health.waiting, health.counts.decoded - before.decoded) == (0, 0, 50)
    assert health.counts.batches - before.batches < 50  # they went together
    assert max(answer.queue_ms for answer in answers if isinstance(answer, Transcript)) > 0


async def test_final_speculative_and_partial_words_of_one_call_agree(worker: SpeechToText, audio: SpeechAudio) -> None:
    kinds = [(SttKind.PARTIAL, 1), (SttKind.SPEC, 2), (SttKind.FINAL, 2)]
    asked = [worker.transcribe(request(audio, kind=kind, revision=revision), 5.0) for kind, revision in kinds]
    partial, spec, final = await asyncio.gather(*asked)
    assert isinstance(partial, Transcript)
    assert partial.rejected in (None, SHED)
    assert [answer.text for answer in (spec, final) if isinstance(answer, Transcript)] == [PHRASE, PHRASE]


async def test_cancelled_requests_give_their_places_back(worker: SpeechToText, audio: SpeechAudio) -> None:
    tasks = [asyncio.create_task(worker.transcribe(request(audio, call), 20.0)) for call in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[::2])
    assert all(isinstance(answer, Transcript) for answer in answers[1::2])
    assert (await worker.health()).waiting == 0


async def test_an_utterance_the_engine_cannot_take_is_a_final_refusal(worker: SpeechToText) -> None:
    answer = await worker.transcribe(request(SpeechAudio(b"\x00" * 8_000 * 40, 8_000, 30.0)), 5.0)
    assert isinstance(answer, Refusal)
    assert not answer.retryable


async def test_its_health_tells_what_decoding_costs(worker: SpeechToText) -> None:
    health = await worker.health()
    assert (health.model, health.slots) == ("demo", 2)
    assert {cost.frames for cost in health.costs} >= {400, 800, 3000}
    assert health.finals_per_s > 1
