"""The state is not handed on: every window starts from zeros, by an accident that nothing reports."""

from __future__ import annotations

from engine.credit import credit
from engine.museum.exhibit import Amount, Bug, Exhibit, Met, credit_map, credit_maps
from engine.museum.runs import T, plan, run, subject
from engine.museum.streams import UPDATES, Course, K, curve, train
from engine.phrases import number
from engine.published.lagged_bits import LAGS, floor, reset_floor
from engine.published.result import Picture, series

BUG = Bug(
    "reset_every_batch", "State reset every batch, by accident",
    "The state is left out of the call, or made anew inside the loop, and every window starts from zeros.",
    "No error. The loss falls, and then stands on a floor that no network and no training time gets below.",
    "",
    "Hand the state on: output, state = rnn(x, state), and detach it; make it once, before the loop.",
    "pytorch",
    (Met("Problem with pytorch", "https://github.com/ruohoruotsi/LSTM-Music-Genre-Classification/issues/12",
         "model.hidden was set at every epoch, and forward() never read it: the LSTM was called without a state and "
         "began at zeros in every batch."),
     Met("question about on-lstm hidden states initialization?", "https://github.com/yikangshen/Ordered-Neurons/issues/13",
         "The other way round: why hand the state on instead of calling init_hidden for each batch? Because the whole "
         "corpus is one long sequence."),
     Met("RNN does not keep but reset its hidden state", "https://github.com/keras-team/keras/issues/1128",
         "A character model fed one character at a time gave meaningless text: each call began from a reset state.")))


def compute() -> Exhibit:
    """Returns the losses of two trainings that differ in nothing but the state that a window starts from."""
    reset, carried = train(Course(carry=False)), train(Course())
    least, both = reset_floor(K), floor(8)
    amounts = (
        Amount("loss over the last quarter of the training", reset.late, carried.late, "nats"),
        Amount("least loss that is possible", least, both, "nats"),
        Amount("share of the steps that can see the echo after 3", (K - LAGS[0]) / K, 1.0, ""),
        Amount("share of the steps that can see the echo after 8", max(0, K - LAGS[1]) / K, 1.0, ""))
    ends, before = curve(reset.losses)
    picture = Picture(f"Training loss, windows of {K} steps", "updates", "nats", False, (
        series("state reset every window", ends, before, "truncated"),
        series("state carried", *curve(carried.losses), "full"),
        series("floor with a reset", [0, UPDATES], [least] * 2, "ink")))
    x = subject()
    starts = plan(style="window", k=K, value="reset")
    matrices = [credit(x.network, x.params, run(x, resets), resets, x.data.counts.nonzero()[0])[0]
                for resets in (starts.reset, plan(style="full").reset)]
    maps = credit_maps(
        "|dL_s/dh_t| with nothing detached: how much the loss depends on the state",
        credit_map("state reset every window", matrices[0], starts.starts),
        credit_map("state carried", matrices[1], starts.starts),
        f"With a reset no loss depends on anything before its window; carried, the loss at step {T - 1} still depends "
        f"on the state after step 0 ({number(float(matrices[1][-1, 0]))}). A detach would cut the gradient there too, "
        "but not the value.")
    return Exhibit(
        BUG, "Bits with echoes after 3 and 8 steps, a plain RNN of 16 units, Adam, the same windows in the same order; "
        "the least losses follow from the definition of the bits.", amounts, maps, picture,
        f"Reset, the training ends at {reset.late:.3f} nats, on its floor of {least:.3f}. Carried as a value, with "
        f"every gradient cut at the same places, it comes to {carried.late:.3f}.")
