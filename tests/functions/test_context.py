"""What the model is told: the path in the tree, and as much of it as fits."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from nanoka import context
from nanoka.context import Message


@st.composite
def trees(draw: st.DrawFn) -> dict[str, Message]:
    """Messages whose parent is any earlier one, none, or one that is not there."""
    tree: dict[str, Message] = {}
    for number in range(draw(st.integers(1, 30))):
        parent = draw(st.sampled_from([None, "gone", *tree]))
        role = draw(st.sampled_from(["user", "assistant"]))
        tree[str(number)] = Message(str(number), parent, role, draw(st.integers(0, 5000)))
    return tree


@given(trees())
def test_a_path_leads_from_a_root_to_its_leaf(tree: dict[str, Message]) -> None:
    for leaf in tree:
        path = context.path(tree, leaf)
        assert path[-1].id == leaf
        assert path[0].parent_id not in tree
        assert all(after.parent_id == before.id for before, after in pairwise(path))


def test_a_circle_ends() -> None:
    circle = {"a": Message("a", "b", "user", 1), "b": Message("b", "a", "user", 1)}
    assert [message.id for message in context.path(circle, "a")] == ["b", "a"]


@given(trees(), st.integers(-100, 5000))
def test_what_fits_is_the_newest_without_a_gap(tree: dict[str, Message], budget: int) -> None:
    for leaf in tree:
        path = context.path(tree, leaf)
        kept = context.fitting(path, budget)
        spoken = [message for message in path if message.size]
        assert sum(context.tokens(message.size) for message in kept) <= max(0, budget)
        assert kept == spoken[len(spoken) - len(kept) :]
        assert not kept or kept[0].role == "user"
        # As many as fit: with one more it would be too much, or would begin with an answer.
        more = spoken[: len(spoken) - len(kept)]
        while more and more[-1].role != "user":
            kept.insert(0, more.pop())
        if more:
            assert sum(context.tokens(message.size) for message in [more[-1], *kept]) > budget


def test_tokens_are_estimated_from_bytes() -> None:
    assert context.tokens(len("七日の川".encode())) == 4 + context.MESSAGE_TOKENS
    assert context.tokens(0) == context.MESSAGE_TOKENS
    assert context.budget(100, ["123456"]) == 100 - 2 - context.MESSAGE_TOKENS
