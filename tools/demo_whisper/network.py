"""A small Whisper in torch, its parameters named as CTranslate2 names them, so that export is a copy by name.

Pre-norm transformer: two convolutions and an encoder over mel frames, a decoder tied to its embeddings. The CTC
head beside the encoder exists only in training: it is what makes the attention align.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

ENCODER_POSITIONS = 1_500
DECODER_POSITIONS = 448


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of one network."""

    vocabulary: int
    width: int = 128
    heads: int = 2
    encoder_layers: int = 4
    decoder_layers: int = 2
    mels: int = 80
    dropout: float = 0.1


class SelfAttention(nn.Module):
    """Attention of a sequence to itself; linear_0 holds query, key and value, linear_1 the output."""

    def __init__(self, shape: Shape, *, is_causal: bool) -> None:
        super().__init__()
        self.heads, self.is_causal = shape.heads, is_causal
        self.layer_norm = nn.LayerNorm(shape.width)
        self.linear_0 = nn.Linear(shape.width, 3 * shape.width)
        self.linear_1 = nn.Linear(shape.width, shape.width)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (_split(part, self.heads) for part in self.linear_0(self.layer_norm(x)).chunk(3, dim=-1))
        return _tensor(self.linear_1(_joined(_attended(query, key, value, is_causal=self.is_causal))))


class CrossAttention(nn.Module):
    """Attention of the words to the sound: linear_0 query, linear_1 key and value, linear_2 the output."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.layer_norm = nn.LayerNorm(shape.width)
        self.linear_0 = nn.Linear(shape.width, shape.width)
        self.linear_1 = nn.Linear(shape.width, 2 * shape.width)
        self.linear_2 = nn.Linear(shape.width, shape.width)

    def forward(self, x: Tensor, sound: Tensor) -> Tensor:
        query = _split(self.linear_0(self.layer_norm(x)), self.heads)
        key, value = (_split(part, self.heads) for part in self.linear_1(sound).chunk(2, dim=-1))
        return _tensor(self.linear_2(_joined(_attended(query, key, value, is_causal=False))))


class FeedForward(nn.Module):
    """The two-layer perceptron of one block."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.layer_norm = nn.LayerNorm(shape.width)
        self.linear_0 = nn.Linear(shape.width, 4 * shape.width)
        self.linear_1 = nn.Linear(4 * shape.width, shape.width)

    def forward(self, x: Tensor) -> Tensor:
        return _tensor(self.linear_1(functional.gelu(self.linear_0(self.layer_norm(x)))))


class EncoderLayer(nn.Module):
    """One encoder block. A new one can be made to change nothing, to deepen a trained network.

    It has no dropout: the sound is new in every epoch, and the random numbers would cost a tenth of the time.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attention = SelfAttention(shape, is_causal=False)
        self.ffn = FeedForward(shape)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.self_attention(x)
        return _tensor(x + self.ffn(x))

    def become_identity(self) -> None:
        """Silence both outputs: the block passes its input through until training says otherwise."""
        for output in (self.self_attention.linear_1, self.ffn.linear_1):
            nn.init.zeros_(output.weight)
            nn.init.zeros_(output.bias)


class DecoderLayer(nn.Module):
    """One decoder block."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attention = SelfAttention(shape, is_causal=True)
        self.attention = CrossAttention(shape)
        self.ffn = FeedForward(shape)
        self.dropout = nn.Dropout(shape.dropout)

    def forward(self, x: Tensor, sound: Tensor) -> Tensor:
        x = x + self.dropout(self.self_attention(x))
        x = x + self.dropout(self.attention(x, sound))
        return _tensor(x + self.dropout(self.ffn(x)))


class Encoder(nn.Module):
    """Mel frames (batch, mels, frames) to one vector per two frames."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(shape.mels, shape.width, 3, padding=1)
        self.conv2 = nn.Conv1d(shape.width, shape.width, 3, stride=2, padding=1)
        self.position_encodings = Positions(_sinusoids(ENCODER_POSITIONS, shape.width), is_trained=False)
        self.layers = [f"layer_{index}" for index in range(shape.encoder_layers)]
        for name in self.layers:
            self.add_module(name, EncoderLayer(shape))
        self.layer_norm = nn.LayerNorm(shape.width)

    def forward(self, mel: Tensor) -> Tensor:
        x = functional.gelu(self.conv2(functional.gelu(self.conv1(mel)))).transpose(1, 2)
        x = x + self.position_encodings(x.shape[1])
        for name in self.layers:
            x = self.get_submodule(name)(x)
        return _tensor(self.layer_norm(x))


class Decoder(nn.Module):
    """Token ids (batch, length) and encoded sound to logits over the vocabulary."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embeddings = nn.Embedding(shape.vocabulary, shape.width)
        nn.init.normal_(self.embeddings.weight, std=0.02)
        self.position_encodings = Positions(torch.randn(DECODER_POSITIONS, shape.width) * 0.01, is_trained=True)
        self.layers = [f"layer_{index}" for index in range(shape.decoder_layers)]
        for name in self.layers:
            self.add_module(name, DecoderLayer(shape))
        self.layer_norm = nn.LayerNorm(shape.width)

    def forward(self, tokens: Tensor, sound: Tensor) -> Tensor:
        x = self.embeddings(tokens) + self.position_encodings(tokens.shape[1])
        for name in self.layers:
            x = self.get_submodule(name)(x, sound)
        return _tensor(self.layer_norm(x)) @ self.embeddings.weight.T


class Positions(nn.Module):
    """A table of position vectors, sliced (never stretched) to the length in use."""

    def __init__(self, table: Tensor, *, is_trained: bool) -> None:
        super().__init__()
        self.encodings = nn.Parameter(table, requires_grad=is_trained)

    def forward(self, length: int) -> Tensor:
        return self.encodings[:length]


class DemoWhisper(nn.Module):
    """The network with its training-only CTC head, whose last class is the blank."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder = Encoder(shape)
        self.decoder = Decoder(shape)
        self.ctc = nn.Linear(shape.width, shape.vocabulary + 1)

    def forward(self, mel: Tensor, tokens: Tensor, *, is_head_new: bool) -> tuple[Tensor, Tensor]:
        """Logits of the decoder, and of the CTC head, which while it is new learns without teaching the encoder."""
        sound = self.encoder(mel)
        return self.decoder(tokens, sound), self.ctc(sound.detach() if is_head_new else sound)

    def start_from(self, weights: dict[str, Tensor]) -> None:
        """Take the weights of an exported model; encoder layers it has not are made to change nothing."""
        missing = self.load_state_dict(weights, strict=False).missing_keys
        for name in self.encoder.layers:
            if f"encoder.{name}.ffn.linear_0.weight" in missing:
                layer = self.encoder.get_submodule(name)
                assert isinstance(layer, EncoderLayer)
                layer.become_identity()


def _sinusoids(length: int, width: int) -> Tensor:
    half = width // 2
    rates = torch.exp(-math.log(10_000) / (half - 1) * torch.arange(half))
    angles = torch.arange(length)[:, None] * rates[None]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def _attended(query: Tensor, key: Tensor, value: Tensor, *, is_causal: bool) -> Tensor:
    """Attention spelled out: at these sizes plain products train faster on a CPU than the fused kernel."""
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
    if is_causal:
        scores = scores + torch.full(scores.shape[-2:], -torch.inf).triu(1)
    return _tensor(scores.softmax(-1).to(value.dtype) @ value)


def _split(x: Tensor, heads: int) -> Tensor:
    return _tensor(x.reshape(*x.shape[:-1], heads, -1).transpose(1, 2))


def _joined(x: Tensor) -> Tensor:
    return _tensor(x.transpose(1, 2).flatten(2))


def _tensor(x: object) -> Tensor:
    """Module calls are untyped; this is where they get their type back."""
    assert isinstance(x, Tensor)
    return x
