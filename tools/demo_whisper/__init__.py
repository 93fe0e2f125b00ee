"""The demonstration Whisper: corpus -> synth -> line -> train -> export -> evaluate."""
