import pytest

from actors.call_session.clauses import FIRST_LONGEST_WORDS, LONGEST_WORDS, ClauseCutter, speakable


def cut(*pieces: str) -> list[str]:
    cutter = ClauseCutter()
    return [clause for piece in pieces for clause in cutter.feed(piece)] + cutter.flush()


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("Hello there. How are you?", ["Hello there.", "How are you?"]),
        ("Well then my friend, let us see what we can do", ["Well then my friend,", "let us see what we can do"]),
        ("Sure, done.", ["Sure, done."]),
        (
            "We are open Monday to Friday from nine in the morning to five",
            ["We are open Monday to Friday", "from nine in the morning to five"],
        ),
        ("It costs 3.50 dollars. Fine?", ["It costs 3.50 dollars.", "Fine?"]),
        ("Dr. Smith is in. Come by.", ["Dr. Smith is in.", "Come by."]),
        ("**Bold** move 🎉! Yes.", ["Bold move !", "Yes."]),
        ("... --- ...", []),
        ("", []),
    ],
)
def test_a_reply_is_cut_where_it_can_be_spoken(text: str, clauses: list[str]) -> None:
    assert cut(text) == clauses


@pytest.mark.parametrize(
    "text", ["Hello there. How are you, my dear friend of old? Fine.", "one two three four, five."]
)
def test_the_cut_does_not_depend_on_how_the_stream_was_split(text: str) -> None:
    assert cut(*text) == cut(text)


def test_the_first_sentence_is_ready_with_its_last_letter_and_others_when_the_next_can_begin() -> None:
    cutter = ClauseCutter()
    assert cutter.feed("Hello there.") == ["Hello there."]
    assert cutter.feed(" Fine thanks.") == []
    assert cutter.feed(" ") == ["Fine thanks."]


@pytest.mark.parametrize("piece", ["It costs 3.", "Dr.", "I live in the U.S.", "My name is J."])
def test_a_dot_that_may_go_on_ends_nothing(piece: str) -> None:
    assert ClauseCutter().feed(piece) == []


def test_a_reply_without_punctuation_is_cut_by_length() -> None:
    clauses = cut("word " * 60)
    first, most = FIRST_LONGEST_WORDS, LONGEST_WORDS
    assert [len(clause.split()) for clause in clauses] == [first, most, most, 60 - first - 2 * most]


def test_links_are_spoken_as_their_text() -> None:
    assert speakable("see [our page](https://example.com/x) now") == "see our page now"
