"""The credit matrix by PyTorch's autograd: a backward pass for each loss, or one that is batched over the losses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from benchmarks.work import Work, load

State = tuple[torch.Tensor, torch.Tensor]


def ways(same: Work) -> dict[str, Callable[[], np.ndarray]]:
    """Returns PyTorch's ways, each from nothing to (2, T, T): the norms for h and c, by loss and step."""
    hidden = same.network.hidden
    cell, read = torch.nn.LSTMCell(same.data.xs.shape[1], hidden), torch.nn.Linear(hidden, 1)
    load(cell, same.params, "")
    read.load_state_dict({"weight": torch.from_numpy(same.params["W_hy"]),
                          "bias": torch.from_numpy(same.params["b_y"])})
    xs, targets = (torch.from_numpy(np.swapaxes(x, 1, 2).copy()) for x in (same.data.xs, same.data.targets))

    def forward() -> tuple[torch.Tensor, list[State]]:
        state, states = (torch.zeros(1, hidden, requires_grad=True), torch.zeros(1, hidden)), []
        for x in xs:
            state = cell(x, state)
            states.append(state)
        hs = torch.stack([h for h, _ in states])
        return 0.5 * torch.square(read(hs) - targets).flatten(), states

    def one_by_one() -> np.ndarray:
        found, states = forward()
        out = np.zeros((2, len(found), len(found)))
        for s, loss in enumerate(found):
            hs, cs = zip(*states[: s + 1], strict=True)
            grads = torch.autograd.grad(loss, [*hs, *cs], retain_graph=True)
            out[0, s, : s + 1] = _norms(grads[: s + 1])
            out[1, s, : s + 1] = _norms(grads[s + 1 :])
        return out

    def batched() -> np.ndarray:
        found, states = forward()
        hs, cs = zip(*states, strict=True)
        grads = torch.autograd.grad(found, [*hs, *cs], torch.eye(len(found)), is_grads_batched=True)
        sizes = torch.stack([torch.linalg.vector_norm(grad[:, 0], dim=1) for grad in grads])
        return sizes.reshape(2, len(found), -1).swapaxes(1, 2).numpy()

    return {"a backward per loss": one_by_one, "is_grads_batched": batched}


def _norms(grads: tuple[torch.Tensor, ...]) -> np.ndarray:
    return torch.linalg.vector_norm(torch.cat(grads), dim=1).numpy()
