"""The speech-to-text worker as a Ray actor, asked the way a call actor asks it."""

import asyncio
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
import ray

from actors.speech_to_text import worker as speech_to_text
from actors.speech_to_text.client import RayStt
from models.errors import ProviderError
from models.settings import Settings
from providers.roles import SpeechAudio
from tests.local_ray import local_ray
from tests.providers.sounds import over_the_phone, spoken

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

PHRASE = "i would like to book an appointment for tuesday"


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings(_env_file=None, stt_threads=2, ray_namespace="speech_to_text_test")


@pytest.fixture(scope="module")
def worker(settings: Settings) -> Iterator[Any]:
    with local_ray(settings.ray_namespace):
        handle = speech_to_text.start(settings)
        yield handle
        ray.kill(handle)


@pytest.fixture
async def audio() -> SpeechAudio:
    return over_the_phone(await spoken(PHRASE))


async def test_a_caller_is_understood(worker: Any, audio: SpeechAudio) -> None:
    transcript = await RayStt(worker, timeout_s=60.0).transcribe(audio)
    assert transcript.text == PHRASE
    assert transcript.confidence > 0.7


async def test_there_is_one_worker_however_often_it_is_started(worker: Any, settings: Settings) -> None:
    assert speech_to_text.start(settings)._actor_id == worker._actor_id
    assert (await worker.health.remote()).threads == settings.stt_threads


async def test_an_answer_that_takes_too_long_is_a_provider_error(worker: Any, audio: SpeechAudio) -> None:
    with pytest.raises(ProviderError) as caught:
        await RayStt(worker, timeout_s=0.001).transcribe(audio)
    assert caught.value.retryable


async def test_what_the_engine_refuses_for_good_stays_refused(worker: Any) -> None:
    with pytest.raises(ProviderError, match="may last") as caught:
        await RayStt(worker, timeout_s=20.0).transcribe(SpeechAudio(bytes(8_000 * 40), 8_000, 30.0))
    assert not caught.value.retryable


async def test_a_hundred_calls_at_once_are_all_understood(worker: Any, audio: SpeechAudio) -> None:
    stt = RayStt(worker, timeout_s=60.0)
    transcripts = await asyncio.gather(*(stt.transcribe(audio) for _ in range(100)))
    assert {transcript.text for transcript in transcripts} == {PHRASE}


async def test_cancelled_utterances_leave_the_queue(worker: Any, audio: SpeechAudio) -> None:
    stt = RayStt(worker, timeout_s=60.0)
    tasks = [asyncio.create_task(stt.transcribe(audio)) for _ in range(60)]
    await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (await stt.transcribe(audio)).text == PHRASE
    health = await worker.health.remote()
    assert health.waiting == 0


async def test_an_utterance_survives_the_death_of_the_worker(worker: Any, audio: SpeechAudio) -> None:
    process = _the_workers_process()
    stt = RayStt(worker, timeout_s=60.0)
    asked = [asyncio.create_task(stt.transcribe(audio)) for _ in range(20)]
    await asyncio.sleep(0.05)
    process.kill()
    transcripts = await asyncio.gather(*asked, stt.transcribe(audio))
    assert {transcript.text for transcript in transcripts} == {PHRASE}


def _the_workers_process() -> psutil.Process:
    """Ours, not one of another Ray on this machine: a descendant of this process."""
    ours = psutil.Process().children(recursive=True)
    (process,) = [process for process in ours if "SpeechToText" in process.name()]
    return process
