"""The k1/k2 loop that people copy: the stored states' .grad is never cleared, and paths are counted twice."""

from __future__ import annotations

import numpy as np

from engine.arrays import Array
from engine.museum.exhibit import Amount, Bug, Exhibit, Met, credit_map, credit_maps
from engine.phrases import number
from engine.published.result import Picture, series
from engine.published.state_grad import W, copied_loop, true_derivative

BUG = Bug(
    "state_grad", "k1/k2 with state.grad piling up",
    "To go back k2 steps every k1 steps, the loop keeps detached copies of the states and hands their .grad on; "
    "zero_grad() clears the weights' gradients, not those.",
    "No error. The gradient is too large, the more the further it goes back, and the learning rate hides it.",
    "",
    "Clear the states' gradients before each backward pass: state.grad = None for every stored state.",
    "pytorch",
    (Met("Implementing Truncated Backpropagation Through Time, page 2",
         "https://discuss.pytorch.org/t/implementing-truncated-backpropagation-through-time/15500?page=2",
         "Somebody tried the thread's loop on x = 0.2 x with x0 = 0.9 and calculated on paper: dx3/dw is 0.108, and "
         "the loop gave 0.2880."),
     Met("Implementing Truncated Backpropagation Through Time",
         "https://discuss.pytorch.org/t/implementing-truncated-backpropagation-through-time/15500",
         "The thread in which the loop was written down, and from which it has been copied since.")))
N = 8


def compute() -> Exhibit:
    """Returns both derivatives, and what each pass hands to each step."""
    wrong, right = copied_loop(3, clear=False), true_derivative(3)
    late = copied_loop(N, clear=False) / true_derivative(N)
    amounts = (
        Amount("dx_3/dw for x_t = 0.2 x_{t-1}, x_0 = 0.9", wrong, right, ""),
        Amount("factor by which dx_3/dw is too large", wrong / right, copied_loop(3, clear=True) / right, ""),
        Amount(f"factor by which dx_{N}/dw is too large", late, copied_loop(N, clear=True) / true_derivative(N), ""))
    steps = np.arange(1, N + 1)
    picture = Picture("dx_n/dw after n steps", "n", "derivative", True, (
        series("the copied loop", steps, [copied_loop(int(n), clear=False) for n in steps], "truncated"),
        series("true", steps, [true_derivative(int(n)) for n in steps], "full")))
    broken, mended = handed(clear=False), handed(clear=True)
    maps = credit_maps(
        "what the backward pass after step s hands to the state x_t",
        credit_map("states' gradients kept", broken, [0]), credit_map("states' gradients cleared", mended, [0]),
        f"The pass after step 3 should hand {number(mended[2, 1])} to x_1 and hands {number(broken[2, 1])}: the "
        f"{number(mended[1, 1])} of the pass before it is still there.",
        ("backward pass after step", "state x after step"), steps, np.arange(N))
    return Exhibit(
        BUG, "The loop of the thread with every .grad written out, k1 = 1 and k2 as long as the run, beside one sweep "
        "of the engine over the same recurrence.", amounts, maps, picture,
        f"The loop gives {number(wrong)} for {number(right)} after 3 steps, and after {N} it is too large by a factor "
        f"of {number(late)}.")


def handed(clear: bool) -> Array:
    """Returns (N, N): in the pass after step s (row s - 1), the .grad of the stored copy of x_t, column t."""
    grads, out = np.zeros(N), np.zeros((N, N))
    for s in range(1, N + 1):
        if clear:
            grads[:] = 0.0
        arriving = 1.0
        for t in range(s - 1, -1, -1):
            grads[t] += arriving * W
            arriving = out[s - 1, t] = grads[t]
    return out
