"""The world around Callboard, simulated: a carrier, its callers, a language model and a voice, on real sockets.

Used by the demonstration, the tests and the benchmarks. Imports nothing of the product, and the product nothing of it.

    carrier   Exotel from the other side: REST, callbacks, media sockets   (exotel_calls, exotel_frames, callbacks)
    call      one conversation over a media socket, and its report         (carrier_media, ear, mouth, caller, report)
    llm, tts  OpenAI's and ElevenLabs' streaming protocols                 (dialogue, hearing, voice, behaviour, web)
"""
