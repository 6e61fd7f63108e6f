"""The surgery on the model's graph, against the model as it came."""

import os
from pathlib import Path

import numpy as np
import pytest

from broadcaster.speech.kokoro import graph, model
from broadcaster.speech.kokoro.colours import SIZE
from broadcaster.speech.kokoro.engine import load_speaker
from broadcaster.speech.phonology import TOKENS, parse, sounds

VOICES = Path(__file__).resolve().parents[2] / "audio" / "voices"

needs_model = pytest.mark.skipif(
    model.missing_parts() is not None and not os.environ.get("CI"),
    reason="the packages of the embedded voice are not installed",
)


def session(proto):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 3
    return ort.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])


def given(words: str) -> dict[str, np.ndarray]:
    text, _ = sounds(parse(words))
    return {
        "tokens": np.array([[0, *(TOKENS[letter] for letter in text), 0]], np.int64),
        "style": np.array([load_speaker(VOICES / "nu-1.json").style], np.float32),
        "speed": np.array([1.0], np.float32),
    }


@needs_model
def test_the_light_stages_together_sound_like_the_whole_model(tmp_path: Path) -> None:
    import onnx

    from broadcaster.speech.kokoro.lighten import lighten

    whole = onnx.load_from_string(model.source_bytes(tmp_path))
    values = given("bà con.")
    wanted = session(whole).run([graph.SOUND], values)[0].reshape(-1)
    lighten(whole)
    for stage in map(session, graph.cut(whole)):
        names = [output.name for output in stage.get_outputs()]
        values[graph.COLOURS] = np.zeros((1, values["tokens"].size, SIZE), np.float32)
        needs = {value.name: values[value.name] for value in stage.get_inputs()}
        values.update(zip(names, stage.run(names, needs), strict=True))
    got = values[graph.SOUND].reshape(-1)
    assert got.shape == wanted.shape
    assert np.corrcoef(got, wanted)[0, 1] > 0.9
    # The form is the measure; a level within 2 dB is evened out when the programme is mastered.
    assert np.sqrt(np.mean(got**2)) == pytest.approx(np.sqrt(np.mean(wanted**2)), rel=0.2)


@needs_model
def test_another_model_is_refused() -> None:
    from onnx import TensorProto, helper

    node = helper.make_node("Identity", ["tokens"], ["audio"])
    value = helper.make_tensor_value_info
    other = helper.make_model(
        helper.make_graph(
            [node], "g", [value("tokens", TensorProto.FLOAT, [1])], [value("audio", TensorProto.FLOAT, [1])]
        )
    )
    with pytest.raises(KeyError):
        graph.cut(other)
