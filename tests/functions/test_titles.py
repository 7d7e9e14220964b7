"""Titles: the first words of a question, and what is left of a model's suggestion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanoka import titles


@given(st.text().filter(lambda text: text.strip()))
def test_first_words_are_a_title_for_any_question(question: str) -> None:
    title = titles.from_words(question)
    assert 1 <= len(title) <= titles.LONGEST
    assert title == title.strip()
    assert "\n" not in title
    words = " ".join(question.split())
    assert words == title or words.startswith(title.removesuffix("…"))


def test_it_is_cut_between_words() -> None:
    title = titles.from_words("What is the longest river " * 4)
    assert title == "What is the longest river What is the longest river What is…"


def test_a_text_without_spaces_is_cut_anywhere() -> None:
    assert titles.from_words("日" * 100) == "日" * (titles.LONGEST - 1) + "…"


@pytest.mark.parametrize(
    ("answer", "title"),
    [
        ("Seven quiet days", "Seven quiet days"),
        ('"Seven quiet days."', "Seven quiet days"),
        ("「七日の旅」", "七日の旅"),
        ("**Title: Seven quiet days**\n\nI chose it because", "Seven quiet days"),
        ("\n\nTitle: Seven\n", "Seven"),
        ("タイトル：七日", "七日"),
        ("1. Don't skip breakfast\n2. Sleep well", "Don't skip breakfast"),
        ("1) **Seven  quiet days**", "Seven quiet days"),
        ("**1. Seven quiet days**", "Seven quiet days"),
        ("- Seven quiet days", "Seven quiet days"),
        ("・ 七日の旅", "七日の旅"),
        ("## Seven quiet days", "Seven quiet days"),
        ("- Title: Seven quiet days", "Seven quiet days"),
        ("3.5 or 4 days", "3.5 or 4 days"),
        ("2001: A Space Odyssey", "2001: A Space Odyssey"),
        ("-40 degrees", "-40 degrees"),
        ("x" * titles.LONGEST, "x" * titles.LONGEST),
        ("Of course, here are some things that you should think about before you go", ""),
        ("日" * (titles.LONGEST + 1), ""),
        (" \n ", ""),
        ("", ""),
        ('""', ""),
    ],
)
def test_a_suggestion_is_cleaned(answer: str, title: str) -> None:
    assert titles.cleaned(answer) == title
