"""The code beside the picture: complete programs for the current config, one framework each."""

from server.code.checked import Checked, Package
from server.code.checked import read as read_checked
from server.code.programs import FRAMEWORKS, MARK, Framework, Program, program

__all__ = ["FRAMEWORKS", "MARK", "Checked", "Framework", "Package", "Program", "program", "read_checked"]
