"""Surgery on the model's ONNX graph, once, at set-up: one graph becomes three stages.

tokens → **durations** → **pitch and energy** → **sound**.  Between the stages we put our own durations and
our own pitch, and into the last one the colours of Vietnamese sounds.  Needs the package `onnx`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

DURATIONS = "/encoder/Clip_output_0"
PITCH = "/encoder/F0_proj/Conv_output_0"
ENERGY = "/encoder/N_proj/Conv_output_0"
SOUND = "audio"
LETTERS = "/encoder/text_encoder/embedding/Gather_output_0"  # [1, tokens, 512], as the sound stage hears them
COLOURS = "colours"  # of the same shape: what is added to them


def cut(model: Any) -> list[Any]:
    """The three stages of the whole model, each an ONNX ModelProto of its own.

    Raises KeyError when the model does not have the tensors named above: it is another model.
    """
    graph = model.graph
    made_by = {output: i for i, node in enumerate(graph.node) for output in node.output if output}
    for name in (DURATIONS, PITCH, ENERGY, LETTERS, SOUND):
        if name not in made_by:
            raise KeyError(name)

    def needed(outputs: Iterable[str], known: set[str]) -> set[int]:
        found: set[int] = set()
        todo = [name for name in outputs if name not in known]
        while todo:
            index = made_by.get(todo.pop())
            if index is not None and index not in found:
                found.add(index)
                todo += [name for name in graph.node[index].input if name and name not in known]
        return found

    first = needed([DURATIONS], set())
    second = needed([PITCH, ENERGY], {DURATIONS}) - first
    third = set(range(len(graph.node))) - first - second
    return [
        _stage(model, first, _crossing(graph, first, second | third) | {DURATIONS}),
        _stage(model, second, _crossing(graph, second, third) | {PITCH, ENERGY}),
        _coloured(_stage(model, third, {SOUND})),
    ]


def _coloured(stage: Any) -> Any:
    """The stage with one more input, which is added to the letters before anything else hears them."""
    from onnx import TensorProto, helper

    graph = stage.graph
    (made,) = [index for index, node in enumerate(graph.node) if LETTERS in node.output]
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name == LETTERS:
                node.input[place] = LETTERS + "/coloured"
    graph.node.insert(made + 1, helper.make_node("Add", [LETTERS, COLOURS], [LETTERS + "/coloured"]))
    graph.input.append(helper.make_tensor_value_info(COLOURS, TensorProto.FLOAT, [1, "tokens", 512]))
    return stage


def _crossing(graph: Any, inside: set[int], outside: set[int]) -> set[str]:
    made = {output for i in inside for output in graph.node[i].output if output}
    return {name for i in outside for name in graph.node[i].input if name in made}


def _stage(model: Any, nodes: set[int], outputs: set[str]) -> Any:
    from onnx import TensorProto, helper

    graph = model.graph
    own = [graph.node[i] for i in sorted(nodes)]
    made = {output for node in own for output in node.output}
    read = {name for node in own for name in node.input if name}
    kept = [tensor for tensor in graph.initializer if tensor.name in read]
    given = {value.name: value for value in graph.input}
    quantized = {
        output
        for node in graph.node
        if node.op_type == "DynamicQuantizeLinear"
        for output in (node.output[0], node.output[2])
    }
    inputs = []
    for name in sorted(read - made - {tensor.name for tensor in kept}):
        kind = TensorProto.UINT8 if name in quantized else TensorProto.FLOAT
        inputs.append(given[name] if name in given else helper.make_tensor_value_info(name, kind, None))
    stage = helper.make_model(
        helper.make_graph(
            own,
            "stage",
            inputs,
            [helper.make_empty_tensor_value_info(name) for name in sorted(outputs)],
            kept,
        ),
        opset_imports=model.opset_import,
        ir_version=model.ir_version,
    )
    stage.functions.extend(model.functions)
    return stage
