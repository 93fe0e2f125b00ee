"""Two speech-to-text workers as Ray actors, asked the way a call actor asks them."""

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
from providers.roles import SpeechAudio, SttKind, SttRequest
from tests.local_ray import local_ray
from tests.providers.sounds import over_the_phone, spoken

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

PHRASE = "i would like to book an appointment for tuesday"


@pytest.fixture(scope="module")
def settings() -> Settings:
    return Settings(_env_file=None, stt_threads=2, stt_workers=2, ray_namespace="speech_to_text_test")


@pytest.fixture(scope="module")
def workers(settings: Settings) -> Iterator[list[Any]]:
    with local_ray(settings.ray_namespace):
        handles = speech_to_text.start(settings)
        ray.get([handle.health.remote() for handle in handles])
        yield handles
        for handle in handles:
            ray.kill(handle)


@pytest.fixture
async def audio() -> SpeechAudio:
    return over_the_phone(await spoken(PHRASE))


def request(audio: SpeechAudio, call: int = 0, *, kind: SttKind = SttKind.FINAL) -> SttRequest:
    return SttRequest(f"call{call}", 1, 1, kind, audio)


@pytest.mark.parametrize("kind", list(SttKind))
async def test_a_caller_is_understood(workers: list[Any], audio: SpeechAudio, kind: SttKind) -> None:
    transcript = await RayStt(workers, timeout_s=60.0).transcribe(request(audio, kind=kind))
    assert transcript.text == PHRASE
    assert transcript.confidence > 0.7


async def test_the_same_workers_are_found_however_often_they_are_started(
    workers: list[Any], settings: Settings
) -> None:
    again = speech_to_text.start(settings)
    assert [handle._actor_id for handle in again] == [handle._actor_id for handle in workers]
    assert (await workers[0].health.remote()).slots == settings.stt_threads


async def test_an_answer_that_takes_too_long_is_a_provider_error(workers: list[Any], audio: SpeechAudio) -> None:
    with pytest.raises(ProviderError) as caught:
        await RayStt(workers, timeout_s=0.001).transcribe(request(audio))
    assert caught.value.retryable


async def test_what_the_engine_refuses_for_good_stays_refused(workers: list[Any]) -> None:
    with pytest.raises(ProviderError, match="may last") as caught:
        await RayStt(workers, timeout_s=20.0).transcribe(request(SpeechAudio(bytes(8_000 * 40), 8_000, 30.0)))
    assert not caught.value.retryable


async def test_a_hundred_calls_at_once_are_all_understood_by_both(workers: list[Any], audio: SpeechAudio) -> None:
    before = [(await worker.health.remote()).counts.decoded for worker in workers]
    stt = RayStt(workers, timeout_s=60.0)
    transcripts = await asyncio.gather(*(stt.transcribe(request(audio, call)) for call in range(100)))
    assert {transcript.text for transcript in transcripts} == {PHRASE}
    after = [(await worker.health.remote()).counts.decoded for worker in workers]
    assert min(now - then for now, then in zip(after, before, strict=True)) > 0


async def test_cancelled_utterances_leave_the_queue(workers: list[Any], audio: SpeechAudio) -> None:
    stt = RayStt(workers, timeout_s=60.0)
    tasks = [asyncio.create_task(stt.transcribe(request(audio, call))) for call in range(60)]
    await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (await stt.transcribe(request(audio))).text == PHRASE
    for _ in range(1_000):  # a cancellation is on its way for a moment
        if not any([(await worker.health.remote()).waiting for worker in workers]):
            return
        await asyncio.sleep(0.01)
    pytest.fail("cancelled utterances stayed in a queue")


async def test_utterances_survive_the_death_of_one_worker(workers: list[Any], audio: SpeechAudio) -> None:
    stt = RayStt(workers, timeout_s=60.0)
    asked = [asyncio.create_task(stt.transcribe(request(audio, call))) for call in range(40)]
    await asyncio.sleep(0.05)
    ray.kill(workers[0], no_restart=False)
    transcripts = await asyncio.gather(*asked, stt.transcribe(request(audio, 99)))
    assert {transcript.text for transcript in transcripts} == {PHRASE}


async def test_utterances_survive_the_death_of_all_workers(workers: list[Any], audio: SpeechAudio) -> None:
    await asyncio.gather(*(RayStt([worker], timeout_s=60.0).transcribe(request(audio)) for worker in workers))
    processes = _the_workers_processes()
    assert len(processes) == len(workers)
    stt = RayStt(workers, timeout_s=60.0)
    asked = [asyncio.create_task(stt.transcribe(request(audio, call))) for call in range(20)]
    await asyncio.sleep(0.05)
    for process in processes:
        process.kill()
    transcripts = await asyncio.gather(*asked, stt.transcribe(request(audio, 99)))
    assert {transcript.text for transcript in transcripts} == {PHRASE}


async def test_workers_that_were_replaced_are_found_by_their_names(
    workers: list[Any], settings: Settings, audio: SpeechAudio
) -> None:
    stt = RayStt(workers, timeout_s=60.0)
    for worker in workers:
        ray.kill(worker)  # for good, as a rolling upgrade does
    asked = [asyncio.create_task(stt.transcribe(request(audio, call))) for call in range(20)]
    await asyncio.sleep(0.05)
    replaced = await asyncio.to_thread(speech_to_text.start, settings)
    transcripts = await asyncio.gather(*asked, stt.transcribe(request(audio, 99)))
    assert {transcript.text for transcript in transcripts} == {PHRASE}
    assert {worker._actor_id for worker in replaced}.isdisjoint(worker._actor_id for worker in workers)
    workers[:] = replaced


def _the_workers_processes() -> list[psutil.Process]:
    """Ours, not those of another Ray on this machine: descendants of this process."""
    ours = psutil.Process().children(recursive=True)
    return [process for process in ours if "SpeechToText" in process.name()]
