"""The carrier's messages become the machine's events: decoding, recording, resampling and voice activity."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

from actors.call_session.audio import VAD_WINDOW, UtteranceAudio, Windows
from actors.call_session.hush import Hush
from actors.call_session.protocol import Answered, Event, FrameHeard, HungUp, KeyPressed, PlaybackMark, ToneHeard
from actors.call_session.recorder import SAMPLE_BYTES, Recorder
from actors.call_session.tones import BeepDetector
from models.call import Call
from models.sound import Floats, Upsampler, mulaw_encode, pcm_decode
from providers.roles import (
    DtmfPressed,
    MarkPlayed,
    MediaAudio,
    MediaCodec,
    MediaGarbage,
    MediaMessage,
    MediaStarted,
    MediaStopped,
    Vad,
)

logger = logging.getLogger(__name__)

NARROWBAND_HZ = 8000
CLOCKS_S = 0.15
"""By so much the times of two actors may differ: a word may seem to end this much after the log says so."""


class Listener:
    """Hears one media stream. `utterances` and `recorder` exist once the stream has started."""

    def __init__(self, call: Call, codec: MediaCodec, vad: Vad, recording_path: Path) -> None:
        self._call = call
        self._codec = codec
        self._vad = vad
        self._recording_path = recording_path
        self._garbage = 0
        self._is_closed = False
        self._windows = Windows()
        self._hush = Hush(Upsampler.TARGET_HZ)
        self._beeps: BeepDetector | None = None
        self._upsampler: Upsampler | None = None
        self._answered_ago_s: float | None = None
        self._behind_s = 0.0
        """How much sound is known to follow the message in hand."""
        self._is_settled = False
        self.utterances: UtteranceAudio | None = None
        self.recorder: Recorder | None = None

    def receive(self, message: str | bytes) -> list[Event]:
        """What one message from the carrier means to the machine; nothing once the call is over."""
        return [] if self._is_closed else self._on_media(self._codec.decode(message))

    def repeated(
        self, messages: Sequence[str | bytes], *, answered_ago_s: float | None, settled_ago_s: float
    ) -> Iterator[list[Event]]:
        """What messages mean that came while no actor had the call, one after the other as if they came now.

        `answered_ago_s`: when the call was first answered, None: it was not. What the caller said or pressed before
        `settled_ago_s` is answered already: it is silence.
        """
        self._answered_ago_s = answered_ago_s
        decoded = [self._codec.decode(message) for message in messages]
        rates = [media.rate_hz for media in decoded if isinstance(media, MediaStarted)]
        lengths = [_seconds(media, rates[0] if rates else NARROWBAND_HZ) for media in decoded]
        self._behind_s = sum(lengths)
        for media, length_s in zip(decoded, lengths, strict=True):
            self._behind_s = max(0.0, self._behind_s - length_s)
            self._is_settled = self._behind_s > settled_ago_s - CLOCKS_S
            yield [] if self._is_closed else self._on_media(media)
        self._behind_s, self._is_settled = 0.0, False

    def close(self) -> None:
        """The call is over; a second time does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._garbage:
            logger.warning("ignored media messages", extra={"call_id": self._call.id, "count": self._garbage})
        if self.recorder is not None:
            self.recorder.close()

    def _on_media(self, media: MediaMessage | None) -> list[Event]:
        match media:
            case MediaStarted():
                return self._start(media)
            case MediaAudio():
                return self._hear(media.pcm)
            case MarkPlayed():
                return [PlaybackMark(media.name)]
            case MediaStopped():
                return [HungUp(media.reason)]
            case MediaGarbage():
                self._ignore(media.problem)
                return []
            case DtmfPressed():
                return [] if self._is_settled else [KeyPressed(media.digit)]
            case None:
                return []

    def _ignore(self, problem: str) -> None:
        """One line for the first; the rest are counted and told at the end."""
        self._garbage += 1
        if self._garbage == 1:
            logger.warning("ignoring a media message", extra={"call_id": self._call.id, "problem": problem})

    def _start(self, started: MediaStarted) -> list[Event]:
        if self._upsampler is not None:
            self._ignore("second start")
            return []
        if self._call.carrier_call_id not in (None, started.carrier_call_id):
            return [HungUp("wrong_call")]
        rate_hz = started.rate_hz
        self._upsampler = Upsampler(rate_hz)
        if self._call.direction == "outbound":  # only there may a machine answer
            self._beeps = BeepDetector(Upsampler.TARGET_HZ)
        self.utterances = UtteranceAudio(NARROWBAND_HZ if rate_hz == NARROWBAND_HZ else Upsampler.TARGET_HZ)
        goes_on_at_s = None if self._answered_ago_s is None else max(0.0, self._answered_ago_s - self._behind_s)
        self.recorder = Recorder(self._recording_path, rate_hz, goes_on_at_s=goes_on_at_s)
        return [Answered(rate_hz, self._codec.chunk_bytes(rate_hz))]

    def _hear(self, pcm: bytes) -> list[Event]:
        if self._upsampler is None or self.utterances is None or self.recorder is None:
            self._ignore("audio before start")
            return []
        pcm = pcm[: len(pcm) & ~1]
        self.recorder.add_caller(pcm)
        samples = pcm_decode(pcm)
        wide = self._upsampler.feed(samples)
        self.utterances.feed(mulaw_encode(samples if self.utterances.rate_hz == NARROWBAND_HZ else wide))
        beeped = self._beeps is not None and self._beeps.feed(wide)
        return [*self._windows_heard(wide), *([ToneHeard()] if beeped else [])]

    def _windows_heard(self, wide: Floats) -> list[Event]:
        """A window's hush is that at its end; the last one's that of all sound so far, which is worth 16 ms."""
        known = len(self._windows.rest)
        windows = list(self._windows.feed(wide))
        events: list[Event] = []
        for number, window in enumerate(windows, 1):
            hush_s = self._hush.feed(window[known:] if number == 1 else window)
            left = len(windows) * VAD_WINDOW - number * VAD_WINDOW + len(self._windows.rest)
            if number == len(windows):
                hush_s = self._hush.feed(self._windows.rest)
            probability = self._vad.probability(window)
            age_s = left / Upsampler.TARGET_HZ + self._behind_s
            events.append(FrameHeard(0.0 if self._is_settled else probability, hush_s, age_s))
        if not windows:
            self._hush.feed(wide)
        return events


def _seconds(media: MediaMessage | None, rate_hz: int) -> float:
    return len(media.pcm) / (SAMPLE_BYTES * rate_hz) if isinstance(media, MediaAudio) else 0.0
