"""Voice activity by Silero VAD (16 kHz ONNX model out of the `silero-vad` wheel) on onnxruntime.

The package is never imported, only its file is read: importing it would load torch. The session is shared by a
process, the recurrent state belongs to one stream.
"""

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from models.sound import Floats

RATE_HZ = 16_000
WINDOW = 512
CONTEXT = 64
"""Samples of the window before, put in front of each window: without them the model answers near zero, silently."""

_MODEL = Path("data") / "silero_vad_16k_op15.onnx"
_RATE = np.array(RATE_HZ, dtype=np.int64)


class SileroVad:
    """One stream of 16 kHz sound; satisfies `roles.Vad`. Not for two threads at once."""

    def __init__(self) -> None:
        self._session = _session()
        self.reset()

    def reset(self) -> None:
        """Forget the stream, as if new."""
        self._state: Floats = np.zeros((2, 1, 128), dtype=np.float32)
        self._input: Floats = np.zeros((1, CONTEXT + WINDOW), dtype=np.float32)

    def probability(self, window: Floats) -> float:
        """How likely the next 512 samples are speech, 0 to 1; takes about 0.15 ms. ValueError on any other length."""
        if window.shape != (WINDOW,):
            raise ValueError(f"a window is {WINDOW} samples, not {window.shape}")
        self._input[0, :CONTEXT] = self._input[0, -CONTEXT:]
        self._input[0, CONTEXT:] = window
        answer, self._state = self._session.run(None, {"input": self._input, "state": self._state, "sr": _RATE})
        return float(answer[0, 0])


@cache
def _session() -> Any:
    """The model on one thread: a window of 32 ms is too little work to share out."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(_model_path()), options, providers=["CPUExecutionProvider"])


def _model_path() -> Path:
    spec = importlib.util.find_spec("silero_vad")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the silero-vad distribution is not installed")
    return Path(spec.submodule_search_locations[0]) / _MODEL
