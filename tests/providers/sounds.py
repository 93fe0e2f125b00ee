"""Sounds for tests: speech by the local voice, noise, and the telephone line they come through."""

import numpy as np

from models.sound import Floats, Upsampler, mulaw_decode, mulaw_encode, pcm_decode
from providers.roles import SpeechAudio
from providers.tts.espeak import EspeakTts
from providers.vad.silero import WINDOW, SileroVad

LINE_HZ = 8_000


async def spoken(text: str, *, voice_id: str = "en-us", rate_hz: int = LINE_HZ) -> Floats:
    """The text as samples."""
    speech = EspeakTts().speak(text, voice_id=voice_id, model=None, language="en", rate_hz=rate_hz)
    return pcm_decode(b"".join([piece async for piece in speech]))


def noise(seconds: float, *, level: float, rate_hz: int = LINE_HZ, seed: int = 1) -> Floats:
    """White noise; `level` is its standard deviation, 1.0 full scale."""
    return np.random.default_rng(seed).normal(0.0, level, int(seconds * rate_hz)).astype(np.float32)


def probabilities(samples: Floats) -> list[float]:
    """What the VAD thinks of 16 kHz samples, window by window."""
    vad = SileroVad()
    whole = len(samples) - len(samples) % WINDOW
    return [vad.probability(window) for window in samples[:whole].reshape(-1, WINDOW)]


def over_the_phone(samples: Floats, *, snr: float = 0.003) -> SpeechAudio:
    """An utterance as a call actor hands it over: 300 ms before it, 200 ms after, noise, mu-law, its VAD's verdict."""
    quiet = [np.zeros(int(seconds * LINE_HZ), dtype=np.float32) for seconds in (0.3, 0.2)]
    sound = np.concatenate([quiet[0], 0.5 * samples, quiet[1]])
    mulaw = mulaw_encode(sound + noise(len(sound) / LINE_HZ + 1, level=snr)[: len(sound)])
    heard = probabilities(Upsampler(LINE_HZ).feed(mulaw_decode(mulaw)))
    return SpeechAudio(mulaw, LINE_HZ, speech_s=sum(p > 0.5 for p in heard) * WINDOW / Upsampler.TARGET_HZ)
