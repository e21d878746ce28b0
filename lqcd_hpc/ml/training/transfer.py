"""Weights of one flow for another: of another volume or coupling, but of the same architecture."""

from __future__ import annotations

import torch

from ...errors import LqcdError

SHOWN = 6


def transfer(flow, tensors, origin):
    """Give the parameters of a flow the values of a model's tensors, by name and shape.

    What is not learned (masks, tables of a volume) stays as the flow made it. Layers with a method `grown` take the
    parameters of smaller layers too. Raises `LqcdError` that lists what does not fit, and for values that are not
    finite.
    """
    parameters, state = dict(flow.named_parameters()), flow.state_dict()
    tensors = _grown(flow, tensors)
    faults = [f"{name} is missing there" for name in parameters if name not in tensors]
    faults += [f"{name} is not in this flow" for name in tensors if name not in state]
    faults += [
        f"{name} has shape {_text(tensors[name])} there, {_text(parameter)} here"
        for name, parameter in parameters.items()
        if name in tensors and tensors[name].shape != parameter.shape
    ]
    if faults:
        more = f"; and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        raise LqcdError(
            f"the model {origin} is of another architecture than the flow: {'; '.join(faults[:SHOWN])}{more}; write "
            "the [flow] table of its card.json, or train from the beginning"
        )
    lost = [name for name in parameters if not bool(torch.isfinite(tensors[name]).all())]
    if lost:
        raise LqcdError(f"the model {origin} has values of {lost[0]} that are not finite: train it again")
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(tensors[name])


def restore(flow, tensors, origin):
    """The whole state of a flow, which must be the one that was stored."""
    transfer(flow, tensors, origin)
    flow.load_state_dict(tensors)


def _grown(flow, tensors):
    """The tensors, with those of layers that know how to take them from smaller layers in their own shape."""
    found = dict(tensors)
    for place, layer in flow.named_modules():
        for name in dict(layer.named_parameters(recurse=False)) if hasattr(layer, "grown") else ():
            key = f"{place}.{name}"
            if key in found and bool(torch.isfinite(found[key]).all()):
                found[key] = layer.grown(found[key])
    return found


def _text(tensor):
    return "x".join(map(str, tensor.shape)) or "1"
