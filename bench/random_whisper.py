"""Writes a CTranslate2 Whisper of true shape and random weights: it costs what a real one costs and knows no words.

For speed, batching and scheduling; what a real Whisper of that shape hears is another question. Its end-of-text token
is suppressed, so every answer has exactly as many tokens as it is allowed. A parrot is the opposite: it costs nothing,
and its words are believed.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from ctranslate2.specs.attention_spec import MultiHeadAttentionSpec
from ctranslate2.specs.common_spec import LayerNormSpec, LinearSpec
from ctranslate2.specs.transformer_spec import FeedForwardSpec
from ctranslate2.specs.whisper_spec import WhisperSpec

ENCODER_POSITIONS, DECODER_POSITIONS = 1_500, 448
SPECIAL = (
    "<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|de|>", "<|translate|>", "<|transcribe|>", "<|startoflm|>",
    "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of one network; heads are 64 wide, as in every Whisper."""

    width: int
    layers: int
    vocabulary: int = 51_864
    mels: int = 80

    @property
    def heads(self) -> int:
        """Of each attention."""
        return max(1, self.width // 64)


MICRO = Shape(width=64, layers=1, vocabulary=1_000)
"""Not a Whisper's shape; for tests that only need something that runs."""
TINY = Shape(width=384, layers=4)
BASE = Shape(width=512, layers=6)
SURE = 0.25
"""Times the width: by how much the logit of the next token of a parrot is above all others."""


def write_random_whisper(directory: Path, shape: Shape, *, seed: int = 0) -> Path:
    """Write model, vocabulary and tokenizer; returns the directory."""
    weights = _Weights(shape, seed)
    spec = WhisperSpec(shape.layers, shape.heads, shape.layers, shape.heads)
    weights.fill_encoder(spec)
    weights.fill_decoder(spec)
    tokens = [*(f"w{number}" for number in range(shape.vocabulary - len(SPECIAL))), *SPECIAL]
    return _write(directory, spec, shape, tokens, suppressed=[tokens.index("<|endoftext|>")])


def write_parrot(directory: Path, words: str = "yes please") -> Path:
    """The same for a network of next to no size that is sure to hear these words, all different, in any sound.

    Nothing in its decoder looks at the sound, or back: each token is the key to the row of the next one.
    """
    said = words.split()
    tokens = [*said, *SPECIAL]
    shape = Shape(width=64, layers=1, vocabulary=len(tokens))
    follows = dict(zip(["<|notimestamps|>", *said], [*said, "<|endoftext|>"], strict=True))
    weights = _Weights(shape, seed=0)
    spec = WhisperSpec(shape.layers, shape.heads, shape.layers, shape.heads)
    weights.fill_encoder(spec)
    weights.fill_decoder(spec)
    keys = weights.directions(len(tokens))
    rows = np.zeros_like(keys)
    for token, key in zip(tokens, keys, strict=True):
        rows[tokens.index(follows.get(token, "<|endoftext|>"))] += SURE * key
    spec.decoder.embeddings.weight, spec.decoder.projection.weight = keys, rows
    spec.decoder.position_encodings.encodings = np.zeros((DECODER_POSITIONS, shape.width), dtype=np.float32)
    for layer in spec.decoder.layer:
        for linear in (*layer.self_attention.linear, *layer.attention.linear, layer.ffn.linear_0, layer.ffn.linear_1):
            linear.weight = linear.weight * np.float32(1e-6)
    return _write(directory, spec, shape, tokens, suppressed=[])


def _write(directory: Path, spec: WhisperSpec, shape: Shape, tokens: list[str], *, suppressed: list[int]) -> Path:
    spec.register_vocabulary(tokens)
    spec.config.suppress_ids = suppressed
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = []
    spec.config.alignment_heads = [[shape.layers - 1, 0]]
    spec.validate()
    spec.optimize(quantization="int8")
    directory.mkdir(parents=True, exist_ok=True)
    spec.save(str(directory))
    (directory / "tokenizer.json").write_text(json.dumps(_tokenizer(tokens)))
    features = {
        "feature_size": shape.mels,
        "sampling_rate": 16_000,
        "hop_length": 160,
        "chunk_length": 30,
        "n_fft": 400,
    }
    (directory / "preprocessor_config.json").write_text(json.dumps(features))
    return directory


class _Weights:
    """Random numbers small enough for activations to stay finite."""

    def __init__(self, shape: Shape, seed: int) -> None:
        self._shape = shape
        self._rng = np.random.default_rng(seed)

    def fill_encoder(self, spec: WhisperSpec) -> None:
        """Two convolutions, positions and the encoder's blocks."""
        width, encoder = self._shape.width, spec.encoder
        encoder.conv1.weight, encoder.conv1.bias = self._random(width, self._shape.mels, 3), self._zeros(width)
        encoder.conv2.weight, encoder.conv2.bias = self._random(width, width, 3), self._zeros(width)
        encoder.position_encodings.encodings = self._random(ENCODER_POSITIONS, width)
        self._norm(encoder.layer_norm)
        for layer in encoder.layer:
            self._attention(layer.self_attention, (3, 1))
            self._perceptron(layer.ffn)

    def fill_decoder(self, spec: WhisperSpec) -> None:
        """Embeddings tied to the output, positions and the decoder's blocks."""
        width, decoder = self._shape.width, spec.decoder
        decoder.embeddings.weight = self._random(self._shape.vocabulary, width)
        decoder.projection.weight = decoder.embeddings.weight
        decoder.position_encodings.encodings = self._random(DECODER_POSITIONS, width)
        self._norm(decoder.layer_norm)
        for layer in decoder.layer:
            self._attention(layer.self_attention, (3, 1))
            self._attention(layer.attention, (1, 2, 1))
            self._perceptron(layer.ffn)

    def directions(self, count: int) -> npt.NDArray[np.float32]:
        """So many rows at right angles to each other, each with mean 0 and variance 1: a norm leaves them alone."""
        drawn = self._rng.standard_normal((self._shape.width, count))
        square, _ = np.linalg.qr(drawn - drawn.mean(axis=0))
        return np.ascontiguousarray(square.T * np.sqrt(self._shape.width), dtype=np.float32)

    def _attention(self, spec: MultiHeadAttentionSpec, widths: tuple[int, ...]) -> None:
        self._norm(spec.layer_norm)
        for linear, times in zip(spec.linear, widths, strict=True):
            self._linear(linear, times * self._shape.width, self._shape.width)

    def _perceptron(self, spec: FeedForwardSpec) -> None:
        self._norm(spec.layer_norm)
        self._linear(spec.linear_0, 4 * self._shape.width, self._shape.width)
        self._linear(spec.linear_1, self._shape.width, 4 * self._shape.width)

    def _linear(self, spec: LinearSpec, out: int, into: int) -> None:
        spec.weight, spec.bias = self._random(out, into), self._zeros(out)

    def _norm(self, spec: LayerNormSpec) -> None:
        spec.gamma, spec.beta = np.ones(self._shape.width, dtype=np.float32), self._zeros(self._shape.width)

    def _random(self, *shape: int) -> npt.NDArray[np.float32]:
        return self._rng.standard_normal(shape, dtype=np.float32) * np.float32(0.05)

    def _zeros(self, size: int) -> npt.NDArray[np.float32]:
        return np.zeros(size, dtype=np.float32)


def _tokenizer(tokens: list[str]) -> dict[str, object]:
    """A tokenizer of whole words in the format of the `tokenizers` library."""
    ids = {token: number for number, token in enumerate(tokens)}
    added = [
        {"id": ids[token], "content": token, "special": True, "normalized": False,
         "single_word": False, "lstrip": False, "rstrip": False}
        for token in SPECIAL
    ]  # fmt: skip
    model = {"type": "WordLevel", "vocab": ids, "unk_token": "w0"}
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added, "normalizer": None,
            "pre_tokenizer": None, "post_processor": None, "decoder": None, "model": model}  # fmt: skip
