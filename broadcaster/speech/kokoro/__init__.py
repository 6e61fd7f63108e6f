"""The embedded voice: a small phoneme model spoken through our own Vietnamese sounds and tones.

model.py     the model on disk: join, check, cut in three, keep with a hash
graph.py     the surgery on the ONNX graph (needs `onnx`, only at set-up)
engine.py    syllables → samples, in the process that holds the model
worker.py    that process: requests on stdin, samples on stdout
pool.py      as many workers as cores, restarted when they die
voice.py     the `Voice` that the station uses
"""

from broadcaster.speech.kokoro.voice import KokoroVoice, open_kokoro

__all__ = ["KokoroVoice", "open_kokoro"]
