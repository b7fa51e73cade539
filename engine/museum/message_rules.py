"""Error messages and complaints, as people paste them: a phrase, the exhibit that it points to, and the reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from engine.museum.code_rules import Hint
from engine.museum.source import Source

NEAR = r"[^\n]{0,120}"
STATE_WORDS = re.compile(r"lstm|(?<![a-z])(?:hidden|gru|rnn|recurrent|bptt)(?![a-z])"
                         r"|\b(?:cell_state|h_?0|c_?0|h_state)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Phrase:
    """A message by which an exhibit is known."""

    pattern: re.Pattern[str]
    name: str
    weight: int
    reason: str
    recurrent: bool = False  # counts only where the text speaks of a recurrent state too


def _phrase(pattern: str, name: str, weight: int, reason: str, recurrent: bool = False) -> Phrase:
    return Phrase(re.compile(pattern, re.IGNORECASE), name, weight, reason, recurrent)


PHRASES: tuple[Phrase, ...] = (
    _phrase(r"backward through the graph a second time|buffers have already been freed|backpropagate more than once",
            "no_detach", 60, "The message says that a backward pass has come to a graph that an earlier pass has used "
            "up: in a recurrent loop, that of the window before."),
    _phrase(r"backward through the graph a second time|buffers have already been freed", "h_not_c", 30,
            "The same message comes where h was detached and c was not."),
    _phrase(r"modified by an in-?place operation", "retain_graph", 55,
            "The graph of an earlier window needs weights that the optimizer has changed since; retain_graph=True has "
            "kept it.", recurrent=True),
    _phrase(rf"retain_graph{NEAR}(?:out of memory|oom|memory (?:blow|grow|leak|increas|usage)|slower|slow)|"
            rf"(?:out of memory|oom|memory|slower){NEAR}retain_graph", "retain_graph", 70,
            "Memory or time that grows under retain_graph=True is every window's graph, kept."),
    _phrase(r"expected (?:hidden|c_0|h_0|cell)(?:\[\d\])? ?(?:size|shape)? ?"
            r"[\(\[](\d{1,6}), ?(\d{1,9}), ?(\d{1,9})[\)\]],? got [\(\[]\1, ?(?!\2,)\d{1,9}, ?\3[\)\]]",
            "last_batch", 75, "A state with the rows of one batch met a batch with another number of rows."),
    _phrase(r"specified a list with shape \[(\d{1,9}),(\d{1,9})\] from a tensor with shape \[(?!\1,)\d{1,9},\2\]",
            "last_batch", 70, "The batch has other rows than the batch size that the layer was built for.",
            recurrent=True),
    _phrase(r"input batch size \d{1,6} doesn'?t match hidden", "last_batch", 75,
            "A state with the rows of one batch met a batch with another number of rows."),
    _phrase(rf"stateful{NEAR}batch size|batch size{NEAR}stateful|divisible by the batch size", "last_batch", 55,
            "A stateful layer keeps a state for each row of its batch, and the batch has other rows."),
    _phrase(r"zerodivisionerror", "short_series", 35, "An epoch without a single window has no mean loss.",
            recurrent=True),
    _phrase(r"index 0 is out of bounds for axis 0 with size 0|epoch_size is 0|decrease batch_size or num_steps"
            r"|batches in train: 0|num_batches (?:is|==|=) ?0", "short_series", 70,
            "There is no window: the series is shorter than one batch of them."),
    _phrase(r"product of (?:the |all )?forget gates?|dc_?t ?/ ?dc_?\{?t-1\}? (?:=|is|equals) f", "forget_product", 70,
            "The product of the forget gates is the gradient along the highway alone."),
    _phrase(rf"stateful{NEAR}(?:backprop|gradient|bptt)|(?:backprop|gradient|bptt){NEAR}stateful", "keras_stateful", 65,
            "stateful=True hands on the value of the state, not the gradient."),
    _phrase(rf"shuffl{NEAR}(?:hidden state|stateful|carr(?:y|ied))|(?:hidden state|stateful){NEAR}shuffl"
            rf"|(?:hidden|last|final) states?{NEAR}(?:at random|randomly)", "shuffled_windows", 55,
            "A state that is handed on needs its windows in order."),
    _phrase(rf"states?{NEAR}not (?:being )?reset{NEAR}(?:batch|epoch|sequence|document|sentence)", "shuffled_windows",
            50, "A state that goes on where another sequence begins is a stranger there.", recurrent=True),
    _phrase(rf"hidden{NEAR}(?:always|just|all|every){NEAR}\bzero(?:e?s)?\b"
            rf"|\bzero(?:e?s)?\b{NEAR}(?:each|every) (?:batch|window)", "reset_every_batch", 50,
            "A state that starts from zeros at every batch carries nothing along a series.", recurrent=True),
    _phrase(rf"num_?steps{NEAR}(?:number of layers|how many layers|layers deep|depth)", "num_steps_depth", 60,
            "num_steps counts time steps, which share their weights; layers have weights of their own."),
    _phrase(rf"(?:0\.288|state\.grad|states?\[[^\n]{{0,20}}\.grad){NEAR}(?:accumulat|0\.108|too large|wrong)"
            rf"|0\.288{NEAR}0\.108|0\.108{NEAR}0\.288", "state_grad", 75,
            "The loop's stored states keep their .grad from pass to pass."),
    _phrase(rf"\bpad(?:ded|ding|s)?\b{NEAR}(?:last|final) (?:hidden )?(?:state|output|step)"
            rf"|(?:last|final) (?:hidden state|time ?step|step|element|token|output){NEAR}\bpad(?:ded|ding|s)?\b"
            rf"|(?:recurrent|hidden) states?{NEAR}\bpadding", "padding", 55, "Padding steps are steps: they change "
            "the state.", recurrent=True),
    _phrase(rf"(?:validation|evaluat\w{{0,6}}|test) (?:loss|set){NEAR}(?:hidden state|carried|reset_states|init_hidden)"
            rf"|hidden state{NEAR}(?:validation|evaluation)|(?:in|during|doing) validation{NEAR}hidden",
            "validation_state", 50,
            "What validation starts from is part of its result."),
    _phrase(rf"(?:clip|gradient norm){NEAR}(?:sequence length|seq_?len|sum over time|number of steps)"
            rf"|gradient (?:magnitude|norm){NEAR}depends on{NEAR}length", "sum_loss_clip", 60,
            "A loss that is summed over the steps has a gradient that grows with their number."),
    _phrase(rf"(?:gradient check|numerical gradient){NEAR}(?:lstm|gate)|lstm{NEAR}gradient check", "gate_gradient", 50,
            "Where an LSTM by hand fails a gradient check, the gates' own derivatives are the first thing to look at."),
    _phrase(rf"zero_?grad\w{{0,4}}\(?\)?{NEAR}(?:inner loop|inside the loop|(?:each|every) (?:chunk|window))"
            rf"|gradients? (?:are |is )?(?:being )?(?:set to zero|zeroed){NEAR}(?:inner|trunc|window|chunk)",
            "zero_in_window", 60,
            "What is zeroed in the loop over windows never comes to the step after it."),
)


def messages(source: Source) -> Iterator[Hint]:
    """Yields what the phrases of a text point to."""
    recurrent = bool(STATE_WORDS.search(source.text))
    for phrase in PHRASES:
        if phrase.pattern.search(source.text) and (recurrent or not phrase.recurrent):
            weight = phrase.weight + (10 if recurrent else 0)
            yield Hint(phrase.name, weight, phrase.reason)
