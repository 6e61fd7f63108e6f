"""ONNX graphs in torch, so that a gradient finds its way from a loss back to a voice.  For `learn_voice.py`.

Only the operators of two networks are known: the sound stage of the embedded voice, and the recogniser of `viet-asr`.
Eight-bit arithmetic is taken as if it were exact: what a quantiser gives is its input, with scale 1 and zero 0, and
weights are unpacked.  Against ONNX Runtime the sound correlates by .98, the recogniser writes the same words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper

Node = tuple[str, list[str], list[str], dict[str, Any]]
Values = dict[str, torch.Tensor]
WEIGHED = ("MatMulInteger", "ConvInteger", "DynamicQuantizeLSTM")
SIMPLE: Mapping[str, Callable[..., torch.Tensor]] = {
    "Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "MatMul": torch.matmul, "Sqrt": torch.sqrt,
    "Reciprocal": torch.reciprocal, "Sin": torch.sin, "Cos": torch.cos, "Exp": torch.exp, "Atan": torch.atan,
    "Tanh": torch.tanh, "Sigmoid": torch.sigmoid, "Relu": torch.relu, "Floor": torch.floor, "Less": torch.lt,
    "Greater": torch.gt, "Equal": torch.eq, "Where": torch.where, "Identity": lambda x: x,
}  # fmt: skip


class Graph:
    """One network.  `hooks` change a tensor of a name when it is made."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.inputs = [value.name for value in model.graph.input]
        self.outputs = [value.name for value in model.graph.output]
        self.hooks: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {}
        self._known: Values = {t.name: _tensor(t) for t in model.graph.initializer}
        self._weights: dict[str, Any] = {}
        self._nodes = self._folded(_exact([_node(n) for n in model.graph.node], set(self._known)))

    def __call__(self, values: Mapping[str, torch.Tensor]) -> list[torch.Tensor]:
        """The outputs for these inputs."""
        made = dict(values)

        def get(name: str) -> torch.Tensor | None:
            return None if not name else made[name] if name in made else self._known[name]

        for kind, given, names, attributes in self._nodes:
            inputs = [get(name) for name in given]
            if kind in WEIGHED:
                result = _weighed(kind, inputs, attributes, self._weights.get(names[0]))
            else:
                result = _computed(kind, inputs, attributes)
            for name, value in zip(
                names, result if isinstance(result, list | tuple) else [result], strict=False
            ):
                made[name] = self.hooks[name](value) if name in self.hooks else value
        return [made[name] for name in self.outputs]

    def _folded(self, nodes: list[Node]) -> list[Node]:
        """Computes once what is the same for every input; returns the rest."""
        rest = []
        for node in nodes:
            kind, given, names, attributes = node
            if kind == "Shape" or not all(not name or name in self._known for name in given):
                rest.append(node)
                if kind in WEIGHED and given[1] in self._known:
                    self._weights[names[0]] = _unpacked(
                        kind, [self._known.get(name) for name in given], attributes
                    )
                continue
            result = _computed(kind, [self._known[n] if n else None for n in given], attributes)
            self._known.update(
                zip(names, result if isinstance(result, list | tuple) else [result], strict=False)
            )
        return rest


def _tensor(proto: onnx.TensorProto) -> torch.Tensor:
    array = numpy_helper.to_array(proto)
    return torch.from_numpy(
        np.array(array, np.float32 if array.dtype in (np.uint8, np.int8, np.float64) else None)
    )


def _node(node: onnx.NodeProto) -> Node:
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    return node.op_type, list(node.input), list(node.output), attributes | {"results": len(node.output)}


def _exact(nodes: list[Node], constant: set[str]) -> list[Node]:
    """Biases that were divided into whole steps stay what they are."""
    divided = {names[0] for kind, given, names, _ in nodes if kind == "Div" and given[0] in constant}
    floors = {names[0] for kind, given, names, _ in nodes if kind == "Floor" and given[0] in divided}
    return [
        ("Identity", given[:1], names, a)
        if (kind == "Floor" and names[0] in floors) or (kind == "Cast" and given[0] in floors)
        else (kind, given, names, a)
        for kind, given, names, a in nodes
    ]


def _unpacked(kind: str, given: Sequence[torch.Tensor | None], attributes: dict[str, Any]) -> Any:
    if kind != "DynamicQuantizeLSTM":
        zero = given[3] if len(given) > 3 else None
        assert given[1] is not None
        return given[1] if zero is None else given[1] - zero
    size = attributes["hidden_size"]

    def in_order(
        x: torch.Tensor,
    ) -> torch.Tensor:  # input, output, forget, cell -> input, forget, cell, output
        i, o, f, c = x.split(size, dim=-1)
        return torch.cat([i, f, c, o], -1)

    _, w, r, bias, _, _, _, _, w_scale, w_zero, r_scale, r_zero = given
    w, r = (
        (x - zero.reshape(-1, 1, 1)) * scale.reshape(-1, 1, 1)  # type: ignore[operator, union-attr]
        for x, scale, zero in ((w, w_scale, w_zero), (r, r_scale, r_zero))
    )
    flat = []
    for turn in range(len(w)):
        b = bias[turn]  # type: ignore[index]
        flat += [
            in_order(w[turn]).T.contiguous(), in_order(r[turn]).T.contiguous(),
            in_order(b[: 4 * size]), in_order(b[4 * size :]),
        ]  # fmt: skip
    return flat


def _weighed(kind: str, x: Sequence[Any], a: dict[str, Any], weights: Any) -> Any:
    if kind == "MatMulInteger":
        if weights is None:
            weights = x[1] if len(x) < 4 or x[3] is None else x[1] - x[3]
        return x[0] @ weights
    if kind == "ConvInteger":
        return _convolved(x[0], weights, None, a)
    size, both = a["hidden_size"], a.get("direction", b"forward") == b"bidirectional"
    ways = 2 if both else 1
    start = (x[5], x[6]) if x[5] is not None else tuple(torch.zeros(2, ways, x[0].shape[1], size).unbind(0))
    out, h, c = torch._VF.lstm(x[0], start, weights, True, 1, 0.0, False, both, False)  # type: ignore[attr-defined]
    return [out.reshape(*out.shape[:2], ways, size).permute(0, 2, 1, 3), h, c]


def _convolved(x: torch.Tensor, weights: torch.Tensor, bias: torch.Tensor | None, a: dict[str, Any]) -> Any:
    sides = x.ndim - 2
    pads = a.get("pads", [0] * 2 * sides)
    if pads[:sides] != pads[sides:]:
        x, pads = F.pad(x, _for_torch(pads)), [0] * 2 * sides
    convolve = F.conv1d if sides == 1 else F.conv2d
    return convolve(
        x, weights, bias, a.get("strides", 1), pads[:sides], a.get("dilations", 1), a.get("group", 1)
    )


def _for_torch(pads: Sequence[int]) -> list[int]:
    """Begins and ends of all sides, first side first -> pairs, last side first."""
    sides = len(pads) // 2
    return [pads[at] for side in reversed(range(sides)) for at in (side, side + sides)]


def _computed(kind: str, x: Sequence[Any], a: dict[str, Any]) -> Any:
    if kind in SIMPLE:
        return SIMPLE[kind](*x)
    shape = SHAPES.get(kind)
    if shape is not None:
        return shape(x, a)
    match kind:
        case "DynamicQuantizeLinear":
            return [x[0], torch.tensor(1.0), torch.tensor(0.0)]
        case "DequantizeLinear":
            return _dequantised(x, a)
        case "Div":
            if not x[0].is_floating_point():
                return torch.div(x[0], x[1], rounding_mode="trunc")
            # where both parts of a spectrum are nothing, an angle is asked of 0/0, and thrown away
            return x[0] / (torch.where(x[1] == 0, 1e-12, x[1]) if x[1].numel() > 1000 else x[1])
        case "Pow":
            return x[0] * x[0] if x[1].numel() == 1 and float(x[1]) == 2 else x[0] ** x[1]
        case "ThresholdedRelu":
            return torch.where(x[0] > a.get("alpha", 1.0), x[0], 0.0)
        case "LeakyRelu":
            return F.leaky_relu(x[0], a.get("alpha", 0.01))
        case "Softmax":
            return torch.softmax(x[0], a.get("axis", -1))
        case "LogSoftmax":
            return torch.log_softmax(x[0], a.get("axis", -1))
        case "Conv":
            return _convolved(x[0], x[1], x[2] if len(x) > 2 else None, a)
        case "ConvTranspose":
            return F.conv_transpose1d(
                x[0], x[1], x[2] if len(x) > 2 else None, a["strides"], a.get("pads", [0])[:1],
                a.get("output_padding", [0]), a.get("group", 1), a.get("dilations", [1]),
            )  # fmt: skip
        case "LayerNormalization":
            return F.layer_norm(
                x[0], x[0].shape[a["axis"] :], x[1], x[2] if len(x) > 2 else None, a.get("epsilon", 1e-5)
            )
        case "ReduceMean":
            return x[0].mean(dim=a.get("axes") or x[1].tolist(), keepdim=bool(a.get("keepdims", 1)))
        case "GlobalAveragePool":
            return x[0].mean(dim=list(range(2, x[0].ndim)), keepdim=True)
        case "CumSum":
            return torch.cumsum(x[0], int(x[1]))
        case "STFT":
            size = int(x[3])
            sound = x[0].reshape(x[0].shape[0], -1)
            found = torch.stft(sound, size, int(x[1]), size, x[2], center=False, return_complex=True)
            return torch.view_as_real(found.transpose(1, 2))
        case "Resize":
            scale = x[2].tolist()[-1]
            if a["mode"] == b"nearest":
                return x[0].repeat_interleave(int(scale), -1)
            if scale < 1:
                return F.interpolate(x[0], scale_factor=scale, mode="linear", recompute_scale_factor=False)
            return F.interpolate(x[0], size=int(x[0].shape[-1] * scale + 1e-9), mode="linear")
    raise NotImplementedError(kind)


def _dequantised(x: Sequence[Any], a: dict[str, Any]) -> torch.Tensor:
    scale, zero = x[1], x[2] if len(x) > 2 and x[2] is not None else torch.tensor(0.0)
    if scale.numel() > 1:
        shape = [1] * x[0].ndim
        shape[a.get("axis", 1)] = -1
        scale, zero = scale.reshape(shape), zero.reshape(shape) if zero.numel() > 1 else zero
    return torch.as_tensor((x[0] - zero) * scale)


# ------------------------------------------------------------------------------------ what moves numbers about


def _slice(x: Sequence[Any], a: dict[str, Any]) -> torch.Tensor:
    out, begins, ends = x[0], x[1].tolist(), x[2].tolist()
    axes = x[3].tolist() if len(x) > 3 and x[3] is not None else list(range(len(begins)))
    steps = x[4].tolist() if len(x) > 4 and x[4] is not None else [1] * len(begins)
    for begin, end, axis, step in zip(begins, ends, axes, steps, strict=True):
        reach = range(out.shape[axis])[slice(begin, end if abs(end) < 2**40 else None, step)]
        if step == 1:
            out = out.narrow(axis, reach.start, len(reach))
        else:
            out = out.index_select(axis, torch.tensor(list(reach), dtype=torch.int64))
    return torch.as_tensor(out)


def _pad(x: Sequence[Any], a: dict[str, Any]) -> torch.Tensor:
    pads = _for_torch(x[1].tolist())
    if a.get("mode", b"constant") != b"reflect":
        return F.pad(x[0], pads)
    while pads[-2:] == [0, 0]:
        pads = pads[:-2]
    row = x[0].reshape(1, -1, x[0].shape[-1])
    return F.pad(row, pads, mode="reflect").reshape(*x[0].shape[:-1], -1)


def _gather(x: Sequence[Any], a: dict[str, Any]) -> torch.Tensor:
    axis, at = a.get("axis", 0), x[1]
    if at.ndim == 0:
        return torch.as_tensor(x[0].select(axis, int(at)))
    flat = x[0].index_select(axis, at.reshape(-1) % x[0].shape[axis])
    return torch.as_tensor(flat.reshape([*x[0].shape[:axis], *at.shape, *x[0].shape[axis + 1 :]]))


def _split(x: Sequence[Any], a: dict[str, Any]) -> list[torch.Tensor]:
    axis = a.get("axis", 0)
    if len(x) > 1 and x[1] is not None:
        return list(torch.split(x[0], x[1].tolist(), axis))
    return list(torch.chunk(x[0], a["results"], axis))


def _unsqueeze(x: Sequence[Any], a: dict[str, Any]) -> torch.Tensor:
    out, axes = x[0], np.atleast_1d(x[1].tolist() if len(x) > 1 else a["axes"]).tolist()
    for axis in sorted(axes):
        out = out.unsqueeze(axis)
    return torch.as_tensor(out)


def _squeeze(x: Sequence[Any], a: dict[str, Any]) -> torch.Tensor:
    out, axes = x[0], np.atleast_1d(x[1].tolist() if len(x) > 1 else a["axes"]).tolist()
    for axis in sorted((axis % out.ndim for axis in axes), reverse=True):
        out = out.squeeze(axis)
    return torch.as_tensor(out)


def _filled(x: Sequence[Any], a: dict[str, Any]) -> torch.Tensor:
    value = numpy_helper.to_array(a["value"]).reshape(-1)[0] if "value" in a else np.float32(0)
    kind = torch.float32 if np.issubdtype(value.dtype, np.floating) else torch.int64
    return torch.full(x[0].tolist(), value.item(), dtype=kind)


def _cast(x: Sequence[Any], a: dict[str, Any]) -> torch.Tensor:
    whole = torch.float32 if x[0].is_floating_point() else torch.int64  # "integers" of exact arithmetic
    return torch.as_tensor(
        x[0].to({1: torch.float32, 6: whole, 7: torch.int64, 9: torch.bool, 11: torch.float32}[a["to"]])
    )


def _scattered(x: Sequence[Any], a: dict[str, Any]) -> torch.Tensor:
    out = x[0].clone()
    out[tuple(x[1].reshape(-1, x[1].shape[-1]).T)] = x[2].reshape(-1)
    return torch.as_tensor(out)


SHAPES: Mapping[str, Callable[[Sequence[Any], dict[str, Any]], Any]] = {
    "Slice": _slice, "Pad": _pad, "Gather": _gather, "Split": _split, "Unsqueeze": _unsqueeze, "Squeeze": _squeeze,
    "ConstantOfShape": _filled, "Cast": _cast, "ScatterND": _scattered,
    "Transpose": lambda x, a: x[0].permute(a.get("perm", list(range(x[0].ndim))[::-1])),
    "Concat": lambda x, a: torch.cat([t.reshape(-1) if t.ndim == 0 else t for t in x], a["axis"]),
    "Reshape": lambda x, a: x[0].reshape([x[0].shape[i] if n == 0 else n for i, n in enumerate(x[1].tolist())]),
    "Shape": lambda x, a: torch.tensor(x[0].shape, dtype=torch.int64),
    "Range": lambda x, a: torch.arange(int(x[0]), int(x[1]), int(x[2])),
    "Expand": lambda x, a: x[0].expand(torch.broadcast_shapes(x[0].shape, tuple(x[1].tolist()))),
    "NonZero": lambda x, a: torch.nonzero(x[0]).T,
}  # fmt: skip
