"""The recurrent cells by name."""

from engine.cells.base import Cell, LayerTape
from engine.cells.gru import GRU
from engine.cells.gru_reset_before import GRUResetBefore
from engine.cells.lstm import LSTM
from engine.cells.rnn import RNN

CELLS: dict[tuple[str, bool], Cell] = {
    ("rnn", True): RNN(),
    ("lstm", True): LSTM(),
    ("gru", True): GRU(),
    ("gru", False): GRUResetBefore(),
}
"""Cells by (name, reset_after)."""

__all__ = ["CELLS", "Cell", "LayerTape"]
