"""The engine over random weights: batches, windows, prompts and the traps of CTranslate2's Whisper."""

import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ctranslate2
import numpy as np
import pytest

from bench.random_whisper import MICRO, write_parrot, write_random_whisper
from models.errors import ProviderError
from models.sound import mulaw_encode
from providers.roles import SpeechAudio, Transcript
from providers.stt import gates, window
from providers.stt.whisper import Sound, Whisper
from tests.providers.sounds import LINE_HZ, noise

pytestmark = pytest.mark.integration

POISON_HZ = 24_000
"""A rate only the poisoned sound has."""


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_random_whisper(tmp_path_factory.mktemp("micro"), MICRO)


@pytest.fixture(scope="module")
def engine(directory: Path) -> Whisper:
    return Whisper(str(directory), device="cpu", compute_type="int8", threads=2)


def sound(engine: Whisper, seconds: float = 1.0, *, seed: int = 1, language: str = "en", cap: int = 6) -> Sound:
    mulaw = mulaw_encode(noise(seconds, level=0.05, seed=seed))
    prepared = engine.prepare(SpeechAudio(mulaw, LINE_HZ, seconds, language))
    assert isinstance(prepared, Sound)
    return replace(prepared, token_cap=cap)


def in_language(language: str, directory: Path, sound: Sound) -> Sound:
    """With the prompt of a multilingual Whisper."""
    tokens = json.loads((directory / "vocabulary.json").read_text())
    prompt = window.prompt_for(language, is_multilingual=True)
    return replace(sound, prompt=tuple(tokens.index(token) for token in prompt))


def decoded(engine: Whisper, *sounds: Sound, frames: int = 400) -> list[gates.Decoded]:
    rows = engine.recognise(sounds, frames=frames).rows
    return [row for row in rows if isinstance(row, gates.Decoded)]


def about(row: gates.Decoded) -> tuple[str, float, float]:
    return row.text, round(row.avg_logprob, 4), round(row.no_speech, 6)


class TestBatches:
    def test_a_row_reads_the_same_alone_and_in_a_batch(self, engine: Whisper) -> None:
        sounds = [sound(engine, seed=seed) for seed in range(5)]
        together = decoded(engine, *sounds)
        assert [about(row) for row in together] == [about(decoded(engine, each)[0]) for each in sounds]
        assert len({about(row) for row in together}) == 5

    def test_encoding_together_gives_the_same_as_one_by_one(self, directory: Path, engine: Whisper) -> None:
        other = Whisper(str(directory), device="cpu", compute_type="int8", threads=1, encodes_together=True)
        sounds = [sound(engine, seed=seed) for seed in range(3)]
        assert [about(row) for row in decoded(other, *sounds)] == [about(row) for row in decoded(engine, *sounds)]

    def test_both_halves_of_the_work_are_timed(self, engine: Whisper) -> None:
        batch = engine.recognise([sound(engine)], frames=400)
        assert batch.encode_ms > 0
        assert batch.decode_ms > 0

    def test_languages_mix(self, engine: Whisper, directory: Path) -> None:
        sounds = [in_language(language, directory, sound(engine)) for language in ("en-US", "de")]
        english, german = decoded(engine, *sounds)
        assert about(english) == about(decoded(engine, sounds[0])[0])
        assert about(german) == about(decoded(engine, sounds[1])[0])
        assert about(english) != about(german)

    def test_prompts_of_other_length_are_refused_before_they_fail_everybody(self, engine: Whisper) -> None:
        one = sound(engine)
        with pytest.raises(ValueError, match="equally long"):
            engine.recognise([one, replace(one, prompt=(*one.prompt, one.prompt[-1]))], frames=400)

    def test_threads_do_not_mix_up_their_languages(self, engine: Whisper, directory: Path) -> None:
        plain = [sound(engine, seed=seed) for seed in range(3)]
        sounds = [in_language(language, directory, each) for each in plain for language in ("en", "de")]
        alone = [about(decoded(engine, each)[0]) for each in sounds]
        with ThreadPoolExecutor(4) as pool:
            for _ in range(4):
                at_once = pool.map(lambda each: about(decoded(engine, each)[0]), sounds)
                assert list(at_once) == alone


class Poisoned(Whisper):
    """Fails over every batch with the poisoned sound in it, as CTranslate2 does over a bad row."""

    def _decode(self, sounds: Sequence[Sound], encoded: Any, is_thorough: bool) -> list[gates.Decoded]:
        if any(each.rate_hz == POISON_HZ for each in sounds):
            raise ValueError("poison")
        return super()._decode(sounds, encoded, is_thorough)


def test_a_bad_row_fails_alone(directory: Path, engine: Whisper) -> None:
    poisoned = Poisoned(str(directory), device="cpu", compute_type="int8", threads=1)
    sounds = [sound(engine, seed=seed) for seed in range(3)]
    rows = poisoned.recognise([sounds[0], replace(sounds[1], rate_hz=POISON_HZ), sounds[2]], frames=400).rows
    assert [isinstance(row, ProviderError) for row in rows] == [False, True, False]
    healthy = [about(row) for row in rows if isinstance(row, gates.Decoded)]
    assert healthy == [about(row) for row in decoded(engine, sounds[0], sounds[2])]


class TestWindows:
    def test_the_trap_is_there(self, directory: Path) -> None:
        """Why `window.check` exists: with 160 frames and 80 bands encoded input is encoded once more."""
        model = ctranslate2.models.Whisper(str(directory), device="cpu", compute_type="int8")
        rng = np.random.default_rng(0)

        def scores(frames: int) -> tuple[float, float]:
            raw = ctranslate2.StorageView.from_array(rng.standard_normal((1, 80, frames)).astype(np.float32))
            inputs = (raw, model.encode(raw))
            answers = [model.generate(each, [[991, 999]], beam_size=1, return_scores=True)[0] for each in inputs]
            return round(answers[0].scores[0], 4), round(answers[1].scores[0], 4)

        assert len(set(scores(158))) == 1
        assert len(set(scores(160))) == 2

    @pytest.mark.parametrize("frames", [159, 160, 0, 3001])
    def test_the_engine_does_not_walk_into_it(self, engine: Whisper, frames: int) -> None:
        with pytest.raises(ValueError, match="cannot be encoded"):
            engine.recognise([sound(engine)], frames=frames)

    @pytest.mark.parametrize("frames", window.BUCKETS)
    def test_every_bucket_works(self, engine: Whisper, frames: int) -> None:
        assert len(decoded(engine, sound(engine), frames=frames)) == 1

    def test_a_sound_longer_than_the_window_is_cut_not_an_error(self, engine: Whisper) -> None:
        assert len(decoded(engine, sound(engine, 9.0), frames=400)) == 1


class TestTokenCap:
    @pytest.mark.parametrize("cap", [1, 5, 40, 200])
    def test_a_decoder_in_a_loop_stops_there(self, engine: Whisper, cap: int) -> None:
        (row,) = decoded(engine, sound(engine, cap=cap))
        assert row.is_cut
        assert len(row.text.split()) == cap

    def test_a_batch_has_the_cap_of_its_longest_row(self, engine: Whisper) -> None:
        rows = decoded(engine, sound(engine, cap=4), sound(engine, cap=9))
        assert [row.is_cut for row in rows] == [True, True]
        assert max(len(row.text.split()) for row in rows) == 9


class TestPreparing:
    def test_silence_is_answered_at_once(self, engine: Whisper) -> None:
        answer = engine.prepare(SpeechAudio(b"\xff" * LINE_HZ, LINE_HZ, 1.0))
        assert isinstance(answer, Transcript)
        assert answer.rejected == "silent"

    def test_a_language_the_model_does_not_know_is_refused_before_any_batch(self, directory: Path) -> None:
        polyglot = Whisper(str(directory), device="cpu", compute_type="int8", threads=1)
        polyglot._model = SimpleNamespace(is_multilingual=True)
        assert len(sound(polyglot, language="de-AT").prompt) == 4
        with pytest.raises(ProviderError, match="language"):
            sound(polyglot, language="xx")

    def test_the_window_holds_the_sound_and_a_margin(self, engine: Whisper) -> None:
        assert (sound(engine, 1.0).frames, sound(engine, 3.0).frames, sound(engine, 12.0).frames) == (400, 500, 1500)


def test_the_interpreter_is_free_while_the_engine_works(engine: Whisper) -> None:
    """Another Python thread gets to run during one long decoding."""
    ticks, done = [0], threading.Event()

    def tick() -> None:
        while not done.is_set():
            ticks[0] += 1

    thread = threading.Thread(target=tick)
    thread.start()
    engine.recognise([sound(engine, 5.0, cap=200)], frames=3000)
    done.set()
    thread.join()
    assert ticks[0] > 0


def test_a_parrot_hears_its_words_and_is_believed(tmp_path: Path) -> None:
    parrot = Whisper(str(write_parrot(tmp_path)), device="cpu", compute_type="int8", threads=1)
    for seconds, seed in ((0.5, 1), (2.0, 2)):
        (row,) = decoded(parrot, sound(parrot, seconds, seed=seed, cap=20))
        assert (row.text, gates.refuse_text(row)) == ("yes please", None)
