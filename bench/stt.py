"""Speech to text at scale on this machine: a Whisper of base shape (int8, random weights), the service's own scheduler.

    python -m bench.stt [--seconds 60] [--calls 16 64]

First finals per second of 3 s utterances beside the naive layout (one model, all cores on one call at a time) in the
same run. Then conversations in real time with real decoding: utterances of exp(3 s), 6 s of agent between them, words
so far once a second (less often as the queue grows), a speculative final 160 ms into the pause, the end of the turn at
550 ms; what the caller waits for words after that. Every answer has as many tokens as speech would (12 for 3 s).
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel

from actors.speech_to_text.dispatcher import Dispatcher
from actors.speech_to_text.jobs import Limits
from bench.conversations import Conversations, Tally
from bench.random_whisper import BASE, MICRO, TINY, Shape, write_random_whisper
from models.sound import mulaw_decode, mulaw_encode
from providers.roles import SpeechAudio, SttKind, SttRequest, Transcript
from providers.stt import gates, window
from providers.stt.features import at_16_khz, padded
from providers.stt.whisper import Batch, Sound, Whisper

LINE_HZ = 8_000
CLIP_S = 3.0
SHAPES: dict[str, Shape] = {"base": BASE, "tiny": TINY, "micro": MICRO}
THREADS = os.cpu_count() or 1
CALLS_AT_ONCE = 32
ROUNDS = 3


class Wordless:
    """The service's engine over random weights: answers of a fixed length, which no gate refuses."""

    def __init__(self, engine: Whisper) -> None:
        self._engine = engine

    def prepare(self, audio: SpeechAudio) -> Sound | Transcript:
        """As the engine does, and as many tokens as speech has."""
        sound = self._engine.prepare(audio)
        return sound if isinstance(sound, Transcript) else replace(sound, token_cap=tokens_of(audio.speech_s))

    def recognise(self, sounds: Sequence[Sound], *, frames: int, is_thorough: bool = False) -> Batch:
        """As the engine does, and then believe it."""
        batch = self._engine.recognise(sounds, frames=frames, is_thorough=is_thorough)
        words = gates.Decoded(text="words", avg_logprob=-0.2, no_speech=0.0, is_cut=False, speech_s=CLIP_S)
        return replace(batch, rows=tuple(words for _ in batch.rows))


class Naive:
    """One model, one call at a time, all cores on it."""

    def __init__(self, directory: Path) -> None:
        loaded = WhisperModel(
            str(directory), device="cpu", compute_type="int8", cpu_threads=THREADS, num_workers=1, local_files_only=True
        )
        self._loaded = loaded
        self._prompt = [
            loaded.hf_tokenizer.token_to_id(token) for token in window.prompt_for("en", is_multilingual=False)
        ]

    def transcribe(self, audio: SpeechAudio, frames: int) -> None:
        """Decode one utterance in a window of so many frames."""
        wide = padded(at_16_khz(mulaw_decode(audio.mulaw), audio.rate_hz), frames)
        mel = np.ascontiguousarray(self._loaded.feature_extractor(wide, padding=0)[None], dtype=np.float32)
        cap = tokens_of(audio.speech_s)
        self._loaded.model.generate(
            ctranslate2.StorageView.from_array(mel),
            [self._prompt],
            beam_size=1,
            max_length=window.max_length(cap, len(self._prompt)),
            return_scores=True,
            return_no_speech_prob=True,
        )


def tokens_of(speech_s: float) -> int:
    """What English speech of this length has in a full vocabulary, about 4 a second."""
    return max(4, round(4 * speech_s))


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=75.0, help="of conversation, per number of calls")
    parser.add_argument("--calls", type=int, nargs="*", default=[16, 64])
    parser.add_argument("--shape", choices=SHAPES, default="base")
    parser.add_argument("--skip-throughput", action="store_true")
    options = parser.parse_args()
    load = os.getloadavg()[0]
    print(f"{options.shape} shape, int8, {THREADS} threads, load average before {load:.2f}")
    with tempfile.TemporaryDirectory() as directory:
        path = write_random_whisper(Path(directory) / "model", SHAPES[options.shape])
        asyncio.run(_run(path, options.calls, options.seconds, has_throughput=not options.skip_throughput))


async def _run(path: Path, calls: Sequence[int], seconds: float, *, has_throughput: bool) -> None:
    engine = Whisper(str(path), device="cpu", compute_type="int8", threads=THREADS)
    limits = Limits.for_device("cpu", threads=THREADS, buckets=window.BUCKETS)
    sound = noise(30.0)
    clip = SpeechAudio(sound[: int(CLIP_S * LINE_HZ)], LINE_HZ, CLIP_S)
    if has_throughput:
        await _throughput(Naive(path), _dispatcher(engine, limits), clip)
    print(f"\n{'calls':>5} {'turns':>6} {'wait p50':>9} {'p95':>6} {'p99':>6} ms  spoken for at once  "
          f"partials heard/shed  specs shed  finals  refused  batch  cores busy")  # fmt: skip
    for number in calls:
        dispatcher = _dispatcher(engine, limits)
        burnt, began = time.process_time(), time.monotonic()
        tally = await Conversations(dispatcher.transcribe, sound, LINE_HZ, seed=number).run(number, seconds)
        busy = (time.process_time() - burnt) / (time.monotonic() - began)
        _print_row(number, tally, dispatcher, busy)
        dispatcher.close()


def _dispatcher(engine: Whisper, limits: Limits) -> Dispatcher:
    dispatcher = Dispatcher(Wordless(engine), limits)
    for frames, batch in dispatcher.on_every_thread(engine.warm_up)[0]:
        dispatcher.scheduler.costs.learn(
            frames, 1, batch.encode_ms, batch.decode_ms, is_thorough=frames == window.LONGEST
        )
    return dispatcher


async def _throughput(naive: Naive, dispatcher: Dispatcher, audio: SpeechAudio) -> None:
    """Rounds of each layout in turn, so that whatever else the machine does hits all of them."""
    frames = window.frames_for(CLIP_S)
    ours: list[float] = []
    single: list[float] = []
    whole: list[float] = []
    await _finals_per_s(dispatcher.transcribe, audio, 4.0)  # learns its costs
    before = dispatcher.health("").counts
    for _ in range(ROUNDS):
        ours.append(await _finals_per_s(dispatcher.transcribe, audio, 8.0))
        single.append(_one_by_one(lambda: naive.transcribe(audio, frames), 6.0))
        whole.append(_one_by_one(lambda: naive.transcribe(audio, window.LONGEST), 4.0))
    counts = dispatcher.health("").counts
    dispatcher.close()
    print(f"finals of {CLIP_S:.0f} s per second, median of {ROUNDS} rounds (all rounds)")
    batch = (counts.decoded - before.decoded) / (counts.batches - before.batches)
    for name, rates in ((f"scheduler, {CALLS_AT_ONCE} calls at once, batches of {batch:.1f}", ours),
                        (f"naive, {frames} frames", single), ("naive, padded to 30 s", whole)):  # fmt: skip
        ratio = np.median(ours) / np.median(rates)
        print(f"  {name:52} {np.median(rates):6.1f}  ({', '.join(f'{rate:.1f}' for rate in rates)})   {ratio:5.2f}x")


async def _finals_per_s(
    transcribe: Callable[[SttRequest, float], Awaitable[object]], audio: SpeechAudio, seconds: float
) -> float:
    """As many callers as CALLS_AT_ONCE, each asking again as soon as it is answered."""
    began, answered = time.monotonic(), 0

    async def call(number: int) -> None:
        nonlocal answered
        turn = 0
        while time.monotonic() - began < seconds:
            turn += 1
            answer = await transcribe(SttRequest(str(number), turn, 1, SttKind.FINAL, audio), 60.0)
            if not isinstance(answer, Transcript) or not answer.text:
                raise RuntimeError("a final was not answered")
            answered += 1

    await asyncio.gather(*(call(number) for number in range(CALLS_AT_ONCE)))
    return answered / (time.monotonic() - began)


def _one_by_one(decode: Callable[[], None], seconds: float) -> float:
    decode()
    began, done = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        decode()
        done += 1
    return done / (time.monotonic() - began)


def _print_row(number: int, tally: Tally, dispatcher: Dispatcher, busy: float) -> None:
    counts = dispatcher.health("").counts
    batch = counts.decoded / max(1, counts.batches)
    p50, p95, p99 = (np.percentile(tally.waits_ms, point) for point in (50, 95, 99))
    at_once = sum(wait <= 1.0 for wait in tally.waits_ms) / len(tally.waits_ms)
    print(f"{number:5} {len(tally.waits_ms):6} {p50:9.0f} {p95:6.0f} {p99:6.0f}     {at_once:17.0%}  "
          f"{tally.partials_heard:>12}/{tally.partials_shed:<6} {tally.specs_shed:11} "
          f"{tally.finals:7} {tally.refused:8} {batch:6.2f} {busy:11.2f}")  # fmt: skip


def noise(seconds: float) -> bytes:
    """White noise at -26 dB as mu-law: with random weights one sound is as good as another."""
    samples = np.random.default_rng(0).normal(0.0, 0.05, int(seconds * LINE_HZ)).astype(np.float32)
    return mulaw_encode(samples)


if __name__ == "__main__":
    main()
