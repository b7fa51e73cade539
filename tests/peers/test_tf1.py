"""TensorFlow 1's cells beside the engine."""

from __future__ import annotations

import pytest

from tests.engine.peer_answers import Sizes, blocks_of, errors, run
from tests.engine.setups import relative
from tests.peers import tf1
from tests.peers.checks import MISREAD, TOLERANCE, PeerTests

# The cells say that they are deprecated; that is why they are the oracle of this convention.
pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated:UserWarning",
                                        "ignore:.*is deprecated:DeprecationWarning")


class TestTensorFlow1(PeerTests):
    peer = tf1


@pytest.mark.parametrize("forget_bias", [0.0, 0.3, 5.0])
def test_the_forget_bias_is_the_one_that_the_cell_was_made_with(forget_bias: float) -> None:
    answer = tf1.answer(("lstm", True), Sizes(), forget_bias=forget_bias)
    assert max(errors(answer, forget_bias=forget_bias).values()) < TOLERANCE
    assert relative(run(answer, blocks_of(answer)).outputs, answer.outputs) > MISREAD, "1.0 was added, wrongly"
