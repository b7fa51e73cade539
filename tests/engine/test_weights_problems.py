"""What cannot be imported says which tensor, what shape it should have, what it has, and what to do."""

from __future__ import annotations

import numpy as np
import pytest

from engine import InputError
from engine.weights import export_weights, import_states, import_weights
from tests.engine.test_weights_mapping import blocks_of

LSTM = export_weights("pytorch", "lstm", blocks_of(("lstm", True), 1))


def problems(*arguments: object, **options: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        import_weights(*arguments, **options)
    return [str(problem) for problem in caught.value.problems]


def test_an_unknown_convention_names_the_nearest() -> None:
    assert problems("pytorhc", "lstm", LSTM)[0].endswith("Did you mean pytorch?")
    assert "tensorflow1" in problems("Tensorflow", "lstm", LSTM)[0]
    assert problems("?", "lstm", LSTM)[0].endswith("Choose one of them.")


def test_an_unknown_cell() -> None:
    assert "must be one of lstm, gru, rnn" in problems("pytorch", "lstmm", LSTM)[0]


def test_a_wrong_shape_names_the_tensor_what_is_expected_and_what_it_has() -> None:
    (said,) = problems("pytorch", "lstm", {**LSTM, "weight_hh_l0": np.zeros((20, 6))})
    assert said.startswith("weight_hh_l0 = shape (20, 6): must have shape (4*hidden, hidden) = (20, 5). Check")


def test_a_transposed_kernel() -> None:
    turned = {name: array.T for name, array in LSTM.items()}
    assert any("must have the axes (4*hidden, inputs)" in said for said in problems("pytorch", "lstm", turned))


def test_another_width_than_the_one_asked_for() -> None:
    said = problems("pytorch", "lstm", LSTM, 6)
    assert "weight_ih_l0 = shape (20, 2): must have shape (4*hidden, inputs) = (24, 2)" in said[0]
    assert not any("are the weights of" in each for each in said)


def test_a_missing_tensor() -> None:
    rest = {name: array for name, array in LSTM.items() if name != "weight_hh_l0"}
    said = problems("pytorch", "lstm", rest)
    assert "weight_hh_l0 = missing: is needed for layer 0 of PyTorch's lstm" in said[0]


def test_a_missing_layer() -> None:
    deep = export_weights("pytorch", "lstm", blocks_of(("lstm", True), 3))
    said = problems("pytorch", "lstm", {name: array for name, array in deep.items() if not name.endswith("_l1")})
    assert any("layer 1 is missing" in each for each in said)


@pytest.mark.parametrize(("convention", "cell", "reset_after"), [
    ("pytorch", "gru", True), ("keras", "lstm", True), ("onnx", "rnn", True), ("tensorflow1", "lstm", True)])
def test_weights_of_another_cell_say_whose_they_are(convention: str, cell: str, reset_after: bool) -> None:
    said = problems(convention, cell, LSTM, reset_after=reset_after)
    assert "are the weights of PyTorch's lstm. Set convention = pytorch, cell = lstm." in said[0]
    assert len(said) > 1


def test_keras_biases_tell_where_the_reset_gate_stands() -> None:
    before = export_weights("keras", "gru", blocks_of(("gru", False), 1), reset_after=False)
    assert "Set convention = keras, cell = gru, reset_after = false." in problems("keras", "gru", before)[0]


def test_cells_that_a_framework_does_not_have() -> None:
    assert "resets after the product. Set reset_after to true." in problems("pytorch", "gru", {}, reset_after=False)[0]
    assert "resets before the product" in problems("tensorflow1", "gru", {})[0]
    assert "ReLU" in problems("haiku", "rnn", {})[0]


@pytest.mark.parametrize(("convention", "name", "reason"), [
    ("pytorch", "weight_ih_l0_reverse", "bidirectional"), ("pytorch", "weight_hr_l0", "projection"),
    ("keras", "bi/forward_lstm/lstm_cell/kernel", "bidirectional"), ("onnx", "P", "peepholes"),
    ("tensorflow1", "rnn/lstm_cell/w_f_diag", "peepholes")])
def test_what_unrolled_does_not_have_is_named(convention: str, name: str, reason: str) -> None:
    weights = export_weights(convention, "lstm", blocks_of(("lstm", True), 1))
    assert any(reason in said for said in problems(convention, "lstm", {**weights, name: np.zeros((1, 15))}))


def test_a_misspelt_tensor_names_the_nearest() -> None:
    said = problems("pytorch", "lstm", {**LSTM, "rnn.weigth_ih": np.zeros((20, 2))})
    assert any(each.endswith("Did you mean weight_ih?") for each in said)


@pytest.mark.parametrize(
    "value",
    [[[1.0], [1.0, 2.0]], "text", [["1"]], None, [[np.nan]], [[np.inf]], [[1j]], {"a": 1}, [[10**400]], [[object()]]],
    ids=["ragged", "text", "digits", "none", "nan", "inf", "complex", "mapping", "huge", "object"])
def test_what_is_no_array_of_finite_numbers(value: object) -> None:
    said = problems("pytorch", "lstm", {**LSTM, "weight_ih_l0": value})
    assert said[0].startswith("weight_ih_l0 = ")


@pytest.mark.parametrize("name", ["", "x" * 300, 3, "weight_ih_l99999999999", "a\nb", "rnn.weight_ih_l0"])
def test_names_that_are_none(name: object) -> None:
    said = problems("pytorch", "lstm", {**LSTM, name: LSTM["weight_ih_l0"]})
    assert all("\n" not in each and len(each) < 500 for each in said)


def test_two_names_of_one_tensor() -> None:
    assert "is the same tensor as" in problems("keras", "lstm", {"a/kernel": [[1.0]], "a__kernel": [[1.0]]})[0]


def test_a_readout_that_does_not_fit() -> None:
    said = problems("keras", "lstm", {**export_weights("keras", "lstm", blocks_of(("lstm", True), 1)),
                                      "dense/kernel": np.zeros((4, 3))})
    assert said == ["dense/kernel = shape (4, 3): must have shape (hidden, outputs) = (5, 3). "
                    "Check the order of the axes."]
    said = problems("pytorch", "lstm", {**LSTM, "other.weight": np.zeros((3, 5))})
    assert "second tensor for one place" in said[0]


def test_a_forget_bias_where_there_is_no_choice() -> None:
    for convention in ("pytorch", "haiku"):
        weights = export_weights(convention, "lstm", blocks_of(("lstm", True), 1))
        assert "always" in problems(convention, "lstm", weights, forget_bias=2.0)[0]
    weights = export_weights("tensorflow1", "lstm", blocks_of(("lstm", True), 1))
    assert "must be finite" in problems("tensorflow1", "lstm", weights, forget_bias=float("nan"))[0]


@pytest.mark.parametrize(("states", "said"), [
    ({"h_0": np.zeros((1, 2, 5))}, "c_0 = missing"), ({"h_0": np.zeros((2, 5)), "c_0": np.zeros((2, 5))}, "the axes"),
    ({"h_0": np.zeros((1, 2, 5)), "c_0": np.zeros((1, 2, 4))}, "must have shape (batch, hidden) = (2, 5)"),
    ({"h_0": np.zeros((1, 2, 4)), "c_0": np.zeros((1, 2, 4))}, "must have shape (batch, hidden) = (2, 5)"),
    ({"h": np.zeros((1, 2, 5))}, "is no state of PyTorch's lstm")])
def test_states_that_do_not_fit(states: dict[str, np.ndarray], said: str) -> None:
    with pytest.raises(InputError) as caught:
        import_states("pytorch", "lstm", states, 5)
    assert said in str(caught.value)


def test_native_states_keep_their_layers() -> None:
    with pytest.raises(InputError, match="must be layers l0, l1"):
        import_states("native", "gru", {"l1.h": np.zeros((2, 5))})


def test_no_tensor_and_too_many() -> None:
    (said,) = problems("pytorch", "lstm", {})
    assert "0 tensors" in said
    assert "must be 1 to 4096" in said
    (said,) = problems("pytorch", "lstm", {f"a{n}": 0.0 for n in range(4097)})
    assert "4097 tensors" in said


def test_a_kernel_without_its_second_axis() -> None:
    (said,) = problems("pytorch", "lstm", {**LSTM, "weight_ih_l0": np.zeros(20)})
    assert said.startswith("weight_ih_l0 = shape (20,): must have the axes (4*hidden, inputs).")


def test_a_readout_and_an_embedding_that_do_not_fit() -> None:
    around = {"readout.weight": np.zeros((4, 7)), "readout.bias": np.zeros(3), "embedding.weight": np.zeros((4, 7))}
    said = problems("pytorch", "lstm", {**LSTM, **around})
    beginnings = ("readout.weight = shape (4, 7): must have shape (outputs, hidden) = (4, 5).",
                  "readout.bias = shape (3,): must have shape (outputs) = (4).",
                  "embedding.weight = shape (4, 7): must have shape (symbols, inputs) = (4, ")  # fmt: skip
    assert all(any(one.startswith(beginning) for one in said) for beginning in beginnings)
