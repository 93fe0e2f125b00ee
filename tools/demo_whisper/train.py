"""Trains the demonstration Whisper on a file of utterances and exports it every few minutes.

The learning rate follows the clock, not a step count: a run takes the minutes it is given on any machine.
"""

import argparse
import itertools
import math
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, distributed, nn
from torch.multiprocessing.spawn import spawn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from tools.demo_whisper import export, synth
from tools.demo_whisper.batches import IGNORED, Batch, Vocabulary, endless
from tools.demo_whisper.network import DemoWhisper, Shape

PEAK_RATE, LAST_RATE = 1e-3, 1e-5
HEAD_STEPS = 150  # of a model that starts from an exported one: its CTC head is new and must not teach the encoder yet
WARM_UP_STEPS = 300
LABEL_SMOOTHING = 0.05
CTC_WEIGHT = 0.5
GRADIENT_NORM = 1.0
EXPORT_EVERY_S = 300.0
REPORT_EVERY_STEPS = 100


def losses(network: nn.Module, batch: Batch, *, is_head_new: bool) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the decoder, and CTC of the encoder."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits, ctc_logits = network(batch.mel, batch.tokens, is_head_new=is_head_new)
    said = functional.cross_entropy(
        logits.float().flatten(0, 1), batch.targets.flatten(), ignore_index=IGNORED, label_smoothing=LABEL_SMOOTHING
    )
    places = torch.full((len(batch.mel),), ctc_logits.shape[1])
    aligned = functional.ctc_loss(
        ctc_logits.float().log_softmax(-1).transpose(0, 1),
        batch.words,
        places,
        batch.word_counts,
        blank=ctc_logits.shape[-1] - 1,
        reduction="none",
        zero_infinity=True,
    )
    per_unit = torch.where(batch.word_counts > 0, batch.word_counts, places)  # silence counts by its length
    return said, (aligned / per_unit).mean()


def learning_rate(step: int, progress: float, *, peak: float) -> float:
    """A short warm-up by steps, then half a cosine by progress (0 to 1)."""
    cosine = 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))
    return LAST_RATE + (peak - LAST_RATE) * min(1.0, (step + 1) / WARM_UP_STEPS) * cosine


def train(
    network: DemoWhisper,
    batches: Iterator[Batch],
    *,
    seconds: float,
    peak: float,
    head_steps: int,
    save: Callable[[], None],
) -> None:
    """Run one cycle of the learning rate in step with the other processes; the first saves now and then."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=peak, betas=(0.9, 0.98), weight_decay=0.01)
    replica = DistributedDataParallel(network)
    started = saved = time.monotonic()
    for step in itertools.count():
        elapsed = _first_says(time.monotonic() - started)
        if elapsed >= seconds:
            break
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, elapsed / seconds, peak=peak)
        said, aligned = losses(replica, next(batches), is_head_new=step < head_steps)
        optimizer.zero_grad()
        torch.autograd.backward(said + CTC_WEIGHT * aligned)
        nn.utils.clip_grad_norm_(network.parameters(), GRADIENT_NORM)
        optimizer.step()
        if step % REPORT_EVERY_STEPS == 0 and distributed.get_rank() == 0:
            print(f"step {step} at {elapsed:.0f} s: decoder {said.item():.3f}, ctc {aligned.item():.3f}", flush=True)
        if time.monotonic() - saved > EXPORT_EVERY_S:
            saved = time.monotonic()
            save()
    save()


def _first_says(value: float) -> float:
    """The first process's value, on all of them: they must agree on the learning rate and on when to stop."""
    shared = torch.tensor([value], dtype=torch.float64)
    distributed.broadcast(shared, src=0)
    return float(shared.item())


def _run(rank: int, options: argparse.Namespace, meeting: str) -> None:
    """One process: its own core, its own batches, shared gradients."""
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=meeting, rank=rank, world_size=options.processes)
    vocabulary = Vocabulary(options.tokenizer)
    network = DemoWhisper(Shape(vocabulary=vocabulary.size))
    if options.start_from is not None:
        network.start_from(export.read_weights(options.start_from))
    utterances = [utterance for path in options.data for utterance in synth.load(path)]
    batches = endless(utterances, vocabulary, seed=options.seed * options.processes + rank)

    def save() -> None:
        if rank == 0:
            export.write_model(network, options.tokenizer, options.directory)

    train(
        network,
        batches,
        seconds=options.minutes * 60,
        peak=options.peak_rate,
        head_steps=HEAD_STEPS if options.start_from else 0,
        save=save,
    )
    distributed.destroy_process_group()


def main() -> None:
    """Train from an exported model, or from nothing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path, help="where the model goes")
    parser.add_argument("data", type=Path, nargs="+", help="what synth.py wrote")
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--start-from", type=Path, help="an exported model directory to continue")
    parser.add_argument("--minutes", type=float, default=85.0)
    parser.add_argument("--peak-rate", type=float, default=PEAK_RATE, help="of learning")
    parser.add_argument("--processes", type=int, default=2, help="one per core")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        launch: Callable[..., object] = spawn  # it has no types
        launch(_run, args=(options, f"file://{folder}/meeting"), nprocs=options.processes)


if __name__ == "__main__":
    main()
