"""Between the torch network and the CTranslate2 model directory: reads one to start from, writes one to ship.

Both sides use the same parameter names (see network.py), so nothing here knows the architecture.
"""

import json
import re
import shutil
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from ctranslate2.specs.model_spec import LayerSpec
from ctranslate2.specs.whisper_spec import WhisperSpec
from tokenizers import Tokenizer

from tools.demo_whisper.network import DemoWhisper, Shape

PREPROCESSOR = {"feature_size": 80, "sampling_rate": 16_000, "hop_length": 160, "chunk_length": 30, "n_fft": 400}

_DTYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}  # the format's type numbers


def write_model(network: DemoWhisper, tokenizer: Path, directory: Path) -> None:
    """Write an int8 model directory that ctranslate2.models.Whisper and faster-whisper load."""
    shape = network.shape
    spec = WhisperSpec(shape.encoder_layers, shape.heads, shape.decoder_layers, shape.heads)
    for name, value in network.state_dict().items():
        if not name.startswith("ctc."):
            _assign(spec, _exported(name).split("/"), value.detach().float().numpy().copy())
    spec.decoder.projection.weight = spec.decoder.embeddings.weight
    vocabulary = Tokenizer.from_file(str(tokenizer))
    spec.register_vocabulary([vocabulary.id_to_token(token) for token in range(shape.vocabulary)])
    _configure(spec, shape)
    spec.validate()
    spec.optimize(quantization="int8")
    directory.mkdir(parents=True, exist_ok=True)
    spec.save(str(directory))
    if tokenizer.resolve() != (directory / "tokenizer.json").resolve():
        shutil.copyfile(tokenizer, directory / "tokenizer.json")
    (directory / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR))


def read_weights(directory: Path) -> dict[str, torch.Tensor]:
    """The float weights of an exported model, under the network's names."""
    variables = _variables((directory / "model.bin").read_bytes())
    weights: dict[str, torch.Tensor] = {}
    for name, stored in variables.items():
        if stored.ndim == 0 or name.endswith("weight_scale"):
            continue
        value = stored.astype(np.float32)
        if f"{name}_scale" in variables:  # one scale per row of an int8 matrix
            scale = variables[f"{name}_scale"].astype(np.float32)
            value = value / scale.reshape(-1, *[1] * (value.ndim - 1))
        weights[_imported(name)] = torch.from_numpy(value)
    return weights


def _configure(spec: WhisperSpec, shape: Shape) -> None:
    """Suppress nothing, not even an empty answer: the model is taught to say nothing to silence."""
    last = shape.decoder_layers - 1
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = []
    spec.config.lang_ids = []
    spec.config.alignment_heads = [[last, head] for head in range(shape.heads)]


def _exported(name: str) -> str:
    name = name.replace("layer_norm.weight", "layer_norm.gamma").replace("layer_norm.bias", "layer_norm.beta")
    return name.replace(".", "/")


def _imported(name: str) -> str:
    name = name.replace("layer_norm/gamma", "layer_norm/weight").replace("layer_norm/beta", "layer_norm/bias")
    return name.replace("/", ".")


def _assign(spec: LayerSpec, path: list[str], value: npt.NDArray[np.float32]) -> None:
    """Set one variable of a spec by its name; "layer_0" means the first of the list "layer"."""
    for step in path[:-1]:
        if hasattr(spec, step):
            spec = getattr(spec, step)
        else:
            numbered = re.fullmatch(r"(.+)_(\d+)", step)
            if numbered is None:
                raise KeyError("/".join(path))
            spec = getattr(spec, numbered[1])[int(numbered[2])]
    setattr(spec, path[-1], value)


def _variables(binary: bytes) -> dict[str, npt.NDArray[np.generic]]:
    """Parse CTranslate2's binary format, version 6: counted strings, shapes, type numbers and raw bytes."""
    at = 0

    def take(layout: str) -> int:
        nonlocal at
        value: int = struct.unpack_from(layout, binary, at)[0]
        at += struct.calcsize(layout)
        return value

    def take_string() -> str:
        nonlocal at
        length = take("<H")
        at += length
        return binary[at - length : at - 1].decode()

    if take("<I") != 6 or take_string() != "WhisperSpec":
        raise ValueError("not a CTranslate2 Whisper model of binary version 6")
    take("<I")  # revision of the specification
    variables: dict[str, npt.NDArray[np.generic]] = {}
    for _ in range(take("<I")):
        name = take_string()
        shape = [take("<I") for _ in range(take("<B"))]
        dtype = _DTYPES[take("<B")]
        size = take("<I")
        variables[name] = np.frombuffer(binary, dtype, count=size // np.dtype(dtype).itemsize, offset=at).reshape(shape)
        at += size
    return variables
