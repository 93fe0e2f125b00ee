from hypothesis import given, strategies as st

from actors.call_session.agreement import Agreement


def heard(*hypotheses: str, sound_s: float = 1.0) -> Agreement:
    agreement = Agreement()
    for text in hypotheses:
        agreement.add(text, sound_s)
    return agreement


def test_one_hypothesis_commits_nothing() -> None:
    agreement = heard("i would like")
    assert (agreement.committed, agreement.tentative) == ("", "i would like")


def test_what_two_hypotheses_begin_with_is_committed() -> None:
    agreement = heard("i would like", "i would like to book")
    assert (agreement.committed, agreement.tentative) == ("i would like", "to book")
    assert agreement.text == "i would like to book"


def test_the_last_word_is_held_back_even_when_both_have_it() -> None:
    assert heard("book an app", "book an app").committed == "book an"


def test_words_are_compared_without_case_and_punctuation_and_keep_the_newest_spelling() -> None:
    agreement = heard("hello i would", "Hello, I would like", "Hello. I would like to")
    assert (agreement.committed, agreement.tentative) == ("Hello. I would like", "to")


def test_too_little_sound_commits_nothing() -> None:
    agreement = heard("thank you very", "thank you very much", sound_s=0.59)
    assert agreement.committed == ""
    agreement.add("thank you very much", 0.6)
    assert agreement.committed == "thank you very"


def test_committed_words_stay_when_a_hypothesis_takes_them_back() -> None:
    agreement = heard("my name is maria", "my name is maria garcia", "mine")
    assert (agreement.committed, agreement.tentative) == ("my name is maria", "")


def test_words_after_a_differently_heard_beginning_are_found_again() -> None:
    agreement = heard("i would like to", "i would like to book", "i'd like to book it")
    assert agreement.text == "i would like to book it"


def test_add_says_whether_anything_changed() -> None:
    agreement = Agreement()
    assert not agreement.add("", 0.2)
    assert agreement.add("yes", 0.3)
    assert not agreement.add("yes", 0.7)
    assert agreement.add("yes please", 0.9)


def test_a_lone_dash_is_no_word() -> None:
    agreement = heard("well - i think", "well i think so")
    assert (agreement.committed, agreement.tentative) == ("well i think", "so")


WORDS = st.lists(st.sampled_from(["a", "b", "c", "B", "c.", "-"]), max_size=6).map(" ".join)


@given(st.lists(st.tuples(WORDS, st.floats(0, 3)), max_size=12))
def test_committed_words_never_shrink_or_change(hypotheses: list[tuple[str, float]]) -> None:
    agreement, before = Agreement(), list[str]()
    for text, sound_s in hypotheses:
        agreement.add(text, sound_s)
        now = [word.strip(".-").lower() for word in agreement.committed.split() if word != "-"]
        assert now[: len(before)] == before
        before = now


@given(WORDS, st.floats(0.6, 5))
def test_a_hypothesis_said_twice_is_all_there_and_committed_but_for_its_last_word(text: str, sound_s: float) -> None:
    agreement = heard(text, text, sound_s=sound_s)
    assert agreement.text.split() == text.split()
    words = [word for word in text.split() if word != "-"]
    assert len([word for word in agreement.committed.split() if word != "-"]) in {max(len(words) - 1, 0), len(words)}
