"""The worker without Ray: real engine, real threads; queue, deadlines and cancellation."""

import asyncio

import pytest
import pytest_asyncio

from actors.speech_to_text.answers import Refusal
from actors.speech_to_text.worker import WAITING_PER_THREAD, SpeechToText
from models.settings import Settings
from providers.roles import SpeechAudio, Transcript
from tests.providers.sounds import over_the_phone, spoken

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

PHRASE = "i want to talk to a person"


@pytest.fixture(scope="module")
def worker() -> SpeechToText:
    return SpeechToText(Settings(_env_file=None, stt_threads=2))


@pytest_asyncio.fixture(loop_scope="module")
async def audio() -> SpeechAudio:
    return over_the_phone(await spoken(PHRASE))


async def test_words_come_with_what_they_cost(worker: SpeechToText, audio: SpeechAudio) -> None:
    answer = await worker.transcribe(audio, 5.0)
    assert isinstance(answer, Transcript)
    assert answer.text == PHRASE
    assert answer.decode_ms > 0
    assert answer.queue_ms < 1_000


async def test_calls_at_the_same_time_are_all_answered(worker: SpeechToText, audio: SpeechAudio) -> None:
    before = await worker.health()
    answers = await asyncio.gather(*(worker.transcribe(audio, 20.0) for _ in range(30)))
    assert {answer.text for answer in answers if isinstance(answer, Transcript)} == {PHRASE}
    after = await worker.health()
    assert (after.busy, after.waiting, after.decoded - before.decoded) == (0, 0, 30)
    assert max(answer.queue_ms for answer in answers if isinstance(answer, Transcript)) > 0


async def test_more_than_the_queue_holds_is_refused_at_once(worker: SpeechToText, audio: SpeechAudio) -> None:
    room = 2 + 2 * WAITING_PER_THREAD
    answers = await asyncio.gather(*(worker.transcribe(audio, 30.0) for _ in range(room + 7)))
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    assert [refusal.retryable for refusal in refused] == [True] * 7


async def test_a_request_whose_deadline_passes_is_answered_with_a_refusal(
    worker: SpeechToText, audio: SpeechAudio
) -> None:
    answers = await asyncio.gather(*(worker.transcribe(audio, 0.02) for _ in range(40)))
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    assert refused
    assert all(refusal.retryable and "deadline" in refusal.message for refusal in refused)
    assert (await worker.health()).waiting == 0


async def test_cancelled_requests_give_their_turns_back(worker: SpeechToText, audio: SpeechAudio) -> None:
    tasks = [asyncio.create_task(worker.transcribe(audio, 20.0)) for _ in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(answer, asyncio.CancelledError) for answer in answers[::2])
    assert all(isinstance(answer, Transcript) for answer in answers[1::2])
    assert isinstance(await worker.transcribe(audio, 5.0), Transcript)


async def test_an_utterance_the_engine_cannot_take_is_a_final_refusal(worker: SpeechToText) -> None:
    answer = await worker.transcribe(SpeechAudio(b"\x00" * 8_000 * 40, 8_000, 30.0), 5.0)
    assert isinstance(answer, Refusal)
    assert not answer.retryable
