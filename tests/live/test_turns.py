"""Turns: nobody waits for more than one commit of somebody else's heap."""

from collections import defaultdict
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from cells.live.turns import (
    ALONE_BATCHES,
    LIGHT_WEIGHT,
    MAX_BATCH,
    MAX_BATCH_WEIGHT,
    MAX_SHARE,
    MAX_SHARE_ALONE,
    Turns,
)


@dataclass(frozen=True, slots=True)
class Edit:
    author: str
    number: int
    weight: int


def turns_of(*edits: Edit) -> Turns[str, Edit]:
    turns: Turns[str, Edit] = Turns()
    for edit in edits:
        turns.add(edit.author, edit)
    return turns


def heap(author: str, count: int, weight: int) -> list[Edit]:
    return [Edit(author, number, weight) for number in range(count)]


weights = st.sampled_from([1, 60, LIGHT_WEIGHT, LIGHT_WEIGHT + 1, 600_000, 4_000_000])


@given(st.lists(st.tuples(st.sampled_from("abc"), weights), max_size=60))
def test_everything_is_taken_once_and_each_author_in_order(handed: list[tuple[str, int]]) -> None:
    edits = [Edit(author, number, weight) for number, (author, weight) in enumerate(handed)]
    turns = turns_of(*edits)
    taken: list[Edit] = []
    while turns:
        batch = turns.take()
        assert batch
        assert len(batch) == 1 or sum(edit.weight for edit in batch) <= MAX_BATCH_WEIGHT
        taken += batch
    by_author: dict[str, list[Edit]] = defaultdict(list)
    for edit in taken:
        by_author[edit.author].append(edit)
    assert by_author == {
        author: [edit for edit in edits if edit.author == author] for author in by_author
    }
    assert len(taken) == len(edits)


def test_a_lone_authors_light_edits_go_together() -> None:
    turns = turns_of(*heap("a", MAX_SHARE, 60))
    assert len(turns.take()) == MAX_SHARE
    assert not turns


def test_an_edit_waits_for_no_second_heavy_one() -> None:
    turns = turns_of(*heap("a", 10, 600_000))
    turns.take()
    turns.add("b", Edit("b", 0, 60))
    assert turns.take() == [Edit("b", 0, 60)]
    assert turns.take() == [Edit("a", 1, 600_000)]


def test_light_edits_that_keep_coming_do_not_keep_a_heavy_one_waiting() -> None:
    turns = turns_of(*heap("a", 1, 600_000))
    order = []
    for number in range(3):
        turns.add("b", Edit("b", number, 60))
        order += [edit.author for edit in turns.take()]
    assert order == ["b", "a", "b", "b"]


def test_a_heap_of_light_edits_takes_no_more_than_its_share_of_a_batch() -> None:
    turns = turns_of(*heap("a", 500, 1_000), Edit("b", 0, 60))
    batch = turns.take()
    assert sum(edit.weight for edit in batch if edit.author == "a") == LIGHT_WEIGHT
    assert Edit("b", 0, 60) in batch


def test_a_heap_of_small_edits_makes_no_long_batch() -> None:
    turns = turns_of(*heap("a", 2 * MAX_SHARE, 1), Edit("b", 0, 1))
    assert len(turns.take()) == MAX_SHARE + 1


def test_who_is_long_alone_may_take_more_until_somebody_comes() -> None:
    turns = turns_of(*heap("a", MAX_SHARE * ALONE_BATCHES + 3 * MAX_SHARE_ALONE, 1))
    sizes = [len(turns.take()) for _ in range(ALONE_BATCHES + 1)]
    assert sizes == [MAX_SHARE] * (ALONE_BATCHES - 1) + [MAX_SHARE_ALONE] * 2
    turns.add("b", Edit("b", 0, 1))
    assert [len(turns.take()) for _ in range(2)] == [MAX_SHARE + 1, MAX_SHARE]


def test_authors_that_take_turns_are_not_alone() -> None:
    turns: Turns[str, Edit] = Turns()
    for number in range(2 * ALONE_BATCHES):
        turns.add("ab"[number % 2], Edit("ab"[number % 2], number, 1))
        turns.take()
    for edit in heap("a", 2 * MAX_SHARE, 1):
        turns.add("a", edit)
    assert len(turns.take()) == MAX_SHARE


def test_a_heavy_edit_is_next_when_it_is_its_turn_or_nothing_else_waits() -> None:
    turns = turns_of(Edit("a", 0, LIGHT_WEIGHT + 1))
    found = [turns.is_heavy_next]
    turns.add("b", Edit("b", 0, 1))
    found.append(turns.is_heavy_next)
    turns.take()
    turns.add("b", Edit("b", 1, 1))
    found.append(turns.is_heavy_next)
    assert found == [True, False, True]


def test_who_found_no_room_in_a_batch_comes_first_in_the_next() -> None:
    authors = [f"author {number}" for number in range(MAX_BATCH // MAX_SHARE + 2)]
    turns = turns_of(*(edit for author in authors for edit in heap(author, 500, 60)))
    first, second = turns.take(), turns.take()
    missed = set(authors) - {edit.author for edit in first}
    assert missed
    assert second[0].author in missed
