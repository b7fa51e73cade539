"""A text as words: how it is split, which words are kept, and how words make a text again. (leaf)"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

UNKNOWN = "<unk>"
LONGEST_WORD = 64
_WORD = re.compile(rf"\w{{1,{LONGEST_WORD}}}(?:['’]\w{{1,{LONGEST_WORD}}})*|[^\w\s]|\n")
_CLOSES, _OPENS = frozenset(".,;:!?)]}%…’”»\n"), frozenset("([{“‘«\n")


def split_words(text: str) -> list[str]:
    """Returns the words, marks and line ends of a text, in their order; other white space only separates.

    A word is letters, digits and underscores, apostrophes inside it included; a longer one than
    LONGEST_WORD letters falls apart. A mark is one character. The case is kept."""
    return _WORD.findall(text)


def most_frequent(words: Iterable[str], most: int) -> tuple[str, ...]:
    """Returns UNKNOWN and after it the most frequent words, at most `most` in all; equally frequent ones in
    the order of their characters, so that the same text gives the same vocabulary."""
    ranked = sorted(Counter(words).items(), key=lambda pair: (-pair[1], pair[0]))
    return (UNKNOWN, *(word for word, _ in ranked[: most - 1]))


def join_words(words: Sequence[str]) -> str:
    """Returns words as running text: a space between two, but none before a mark that closes, after one that
    opens, or beside a line end."""
    out: list[str] = []
    for before, word in zip(["\n", *words], words, strict=False):
        if out and before not in _OPENS and word not in _CLOSES:
            out.append(" ")
        out.append(word)
    return "".join(out)
