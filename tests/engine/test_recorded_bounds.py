"""Each bound of what a trace says of itself: what is just inside is taken as it is, what is just outside is refused."""

from __future__ import annotations

import numpy as np
import pytest

from engine import InputError
from engine.recorded import archive, limits, meta
from engine.weights.npz import Member, write_plain


def test_windows_from_one_to_as_many_as_there_may_be() -> None:
    most = limits.MOST_WINDOWS
    assert np.array_equal(meta._windows(list(range(most)), most), np.arange(most))
    assert meta._windows([0], 1).tolist() == [0]
    for false in ([], [1], [0, 0], [0, 2, 1], [0, 5], [-1], list(range(most + 1)), None, {"0": 0}):
        with pytest.raises(InputError, match="windows"):
            meta._windows(false, 5 if isinstance(false, list) and len(false) < 9 else most + 2)


def test_notes_up_to_as_many_as_there_may_be() -> None:
    assert meta._notes(["a sentence"] * limits.MOST_NOTES) == ("a sentence",) * limits.MOST_NOTES
    for false in (["a sentence"] * (limits.MOST_NOTES + 1), "a sentence", None):
        with pytest.raises(InputError, match="notes"):
            meta._notes(false)


def test_what_was_verified_up_to_as_many_numbers_as_there_may_be() -> None:
    many = {f"name {n}": n / 2 for n in range(limits.MOST_VERIFIED)}
    assert meta._verified(many) == many
    assert meta._verified(None) == {}
    for false in (many | {"one more": 1.0}, [], {"a": True}, {"a": "1"}, {"a": None}):
        with pytest.raises(InputError, match="verified"):
            meta._verified(false)


@pytest.mark.parametrize("number", [0, -3, 1.5, 9.9e299, -9.9e299])
def test_a_number_is_itself(number: float) -> None:
    assert meta._verified({"a": number}) == {"a": number}


@pytest.mark.parametrize("number", [1e300, -1e300, float("inf"), float("nan"), 10**400])
def test_a_number_of_another_world_is_refused(number: float) -> None:
    with pytest.raises(InputError, match="finite numbers"):
        meta._verified({"a": number})


def test_a_whole_number_is_said_only_where_it_is_short() -> None:
    assert (meta._whole("steps", 1, 1, 9), meta._whole("steps", 9, 1, 9)) == (1, 9)
    for false, said in ((0, "0"), (10, "10"), (10**12 - 1, "999999999999"), (10**12, "int"), (-(10**12), "int"),
                        (True, "True"), (1.0, "float"), ("1", "str")):  # fmt: skip
        with pytest.raises(InputError) as caught:
            meta._whole("steps", false, 1, 9)
        assert caught.value.problems[0].value.strip("'") == said


def member(size: int, packed: int, name: str = "a") -> Member:
    return Member(name, 8, packed, size, 0, 0)


def taken(members: list[Member], size: int) -> bool:
    """Returns whether a directory of these members is taken for a file of so many bytes."""
    try:
        return archive._checked(members, size) == members
    except InputError:
        return False


def test_what_members_may_unpack_to() -> None:
    most, total = limits.MEMBER_BYTES, limits.TOTAL_BYTES
    assert [taken([member(size, size)], 2 * total) for size in (most, most + 1)] == [True, False]
    sizes = [most] * (total // most) + [total % most]
    whole = [member(size, size, f"m{n}") for n, size in enumerate(sizes)]
    assert taken(whole, 2 * total)
    assert not taken([*whole, member(1, 1)], 2 * total)


def test_how_far_a_member_may_be_packed() -> None:
    packed = limits.FREE_BYTES // limits.MOST_RATIO + 1  # more than what is free of the rule
    assert taken([member(packed * limits.MOST_RATIO, packed)], packed)
    assert not taken([member(packed * limits.MOST_RATIO + 1, packed)], packed)
    assert taken([member(limits.FREE_BYTES, 1)], 1)
    assert not taken([member(limits.FREE_BYTES + 1, 1)], 1)


def test_members_have_no_more_bytes_than_their_file() -> None:
    assert [taken([member(9, 9), member(9, 9, "b")], size) for size in (18, 17)] == [True, False]


def test_as_many_members_as_there_may_be() -> None:
    def members(count: int) -> int:
        return len(archive.members_of(archive.source_of(write_plain({f"a{n}": np.zeros(1) for n in range(count)}))))

    assert members(limits.MOST_MEMBERS) == limits.MOST_MEMBERS
    with pytest.raises(InputError, match=f"1 to {limits.MOST_MEMBERS} members"):
        members(limits.MOST_MEMBERS + 1)


def test_the_name_that_is_given_twice_is_said() -> None:
    with pytest.raises(InputError, match="again = 'given twice'"):
        archive._checked([member(1, 1, name) for name in ("once", "again", "again")], 9)
