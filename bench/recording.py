"""What a call's recording says: each side of a stereo WAV, utterance by utterance, as the configured Whisper hears it.

    python -m bench.recording data/recordings/*.wav

Prints, per utterance, its time, its level and its words. The agent's side is spoken by a synthesiser over no line at
all, so words outside the demonstration model's vocabulary come out as others, or as none.
"""

import argparse
import math
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from actors.call_session.audio import Windows
from actors.call_session.turn import WINDOW_S, Signal, TurnTaking
from models.settings import Settings
from models.sound import Floats, Upsampler, mulaw_encode, pcm_decode
from providers.roles import SpeechAudio
from providers.stt.whisper import Whisper
from providers.vad.silero import SileroVad

SIDES = ("caller", "agent")
LEAD_S = 0.3
"""Speech is noticed late; this much before it belongs to it."""


def main() -> None:
    """Print both sides of every file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+")
    files: list[Path] = parser.parse_args().files
    settings = Settings()
    engine = Whisper(settings.stt_model_path, device="cpu", compute_type="int8", threads=1)
    for path in files:
        rate_hz, sides = _read(path)
        print(f"{path}: {len(sides[0]) / rate_hz:.1f} s at {rate_hz} Hz")
        lines = [(start, name, text) for name, side in zip(SIDES, sides, strict=True)
                 for start, text in _spoken(engine, side, rate_hz)]  # fmt: skip
        for start, name, text in sorted(lines):
            print(f"  {start:6.1f} s  {name:<6}  {text}")


def _read(path: Path) -> tuple[int, tuple[Floats, Floats]]:
    with wave.open(str(path)) as file:
        frames = file.readframes(file.getnframes())
        return file.getframerate(), (pcm_decode(frames)[0::2], pcm_decode(frames)[1::2])


def _spoken(engine: Whisper, side: Floats, rate_hz: int) -> Iterator[tuple[float, str]]:
    """Start and description of every utterance of one side."""
    for start, end, speech_s in _utterances(side, rate_hz):
        sound = side[max(0, int((start - LEAD_S) * rate_hz)) : int(end * rate_hz)]
        heard = engine.transcribe(SpeechAudio(mulaw_encode(sound), rate_hz, speech_s), is_late=lambda: False)
        level_db = 10 * math.log10(float(np.mean(np.square(sound))) + 1e-12)
        yield start, f"{end - start:4.1f} s {level_db:5.0f} dB  {heard.text or f'({heard.rejected})'}"


def _utterances(side: Floats, rate_hz: int) -> Iterator[tuple[float, float, float]]:
    """Start, end and seconds of speech of every utterance, by the call actor's own ear."""
    vad, turns, start = SileroVad(), TurnTaking(), 0.0
    silence = np.zeros(rate_hz, dtype=np.float32)
    for index, frame in enumerate(Windows().feed(Upsampler(rate_hz).feed(np.concatenate([side, silence])))):
        now = (index + 1) * WINDOW_S
        for signal in turns.hear(vad.probability(frame)):
            if signal is Signal.STARTED:
                start = now - 3 * WINDOW_S
            elif signal in (Signal.ENDED, Signal.OVERLONG):
                yield start, now - turns.silence_s + 0.1, turns.speech_s
                start = now


if __name__ == "__main__":
    main()
