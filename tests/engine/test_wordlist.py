"""A text as words, and words as a text."""

from __future__ import annotations

from engine.tasks.wordlist import LONGEST_WORD, UNKNOWN, join_words, most_frequent, split_words

PROSE = "Before we proceed, any (further) hear me: speak.\n\nAll:\n‘Speak’, it's a 2-day [trip]!"


def test_words_marks_and_line_ends_are_tokens_and_other_space_is_none() -> None:
    assert split_words("It's  a_b 12,5\tÉté.\r\n\nnaïve") == [
        "It's", "a_b", "12", ",", "5", "Été", ".", "\n", "\n", "naïve"]


def test_a_text_survives_being_split_and_joined() -> None:
    text = "Before we proceed any further, hear me speak (at last).\n\nAll:\nIt's so! Speak, speak."
    assert join_words(split_words(text)) == text


def test_joined_words_split_into_the_same_words() -> None:
    words = split_words(PROSE)
    assert split_words(join_words(words)) == words


def test_the_vocabulary_is_the_most_frequent_words_after_unknown() -> None:
    words = ["b", "a", "b", "c", "a", "d"]
    assert most_frequent(words, 3) == (UNKNOWN, "a", "b")
    assert most_frequent(words, 4) == (UNKNOWN, "a", "b", "c"), "equally frequent ones go by their characters"
    assert most_frequent(words, 100) == (UNKNOWN, "a", "b", "c", "d")


def test_the_unknown_word_cannot_come_from_a_text() -> None:
    assert UNKNOWN not in split_words(f"a {UNKNOWN} b")


def test_a_word_without_end_falls_apart() -> None:
    words = split_words("x" * (2 * LONGEST_WORD + 5))
    assert [len(word) for word in words] == [LONGEST_WORD, LONGEST_WORD, 5]
