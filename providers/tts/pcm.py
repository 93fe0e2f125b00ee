"""Vendor audio on its way to a carrier: cut into whole samples, brought to the carrier's rate. Pure, one per stream."""

import numpy as np
import soxr

_SAMPLE_BYTES = 2


class PcmFeed:
    """16-bit little-endian mono PCM in pieces of any length at `from_hz`, out in whole samples at `to_hz`."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._rest = b""
        self._resampler = soxr.ResampleStream(from_hz, to_hz, 1, dtype="int16") if from_hz != to_hz else None

    def feed(self, data: bytes) -> bytes:
        """What is ready after this piece, maybe nothing: the resampler holds back its filter's length."""
        data = self._rest + data
        whole = len(data) - len(data) % _SAMPLE_BYTES
        self._rest = data[whole:]
        return self._resampled(data[:whole], is_last=False)

    def end(self) -> bytes:
        """The rest; half a sample is dropped."""
        return self._resampled(b"", is_last=True)

    def _resampled(self, data: bytes, *, is_last: bool) -> bytes:
        if self._resampler is None:
            return data
        samples = np.frombuffer(data, dtype="<i2").astype(np.int16)
        return bytes(self._resampler.resample_chunk(samples, last=is_last).astype("<i2").tobytes())
