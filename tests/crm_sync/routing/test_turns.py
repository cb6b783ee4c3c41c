"""Whose turn it is, by weight."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from crm_sync.routing.round_robin import RotationPlace, count_turn, next_in_rotation
from tests.crm_sync.makers import an_unsaved_rep


def a_turn(**weights):
    reps = [an_unsaved_rep(name, weight=weight) for name, weight in weights.items()]
    return [RotationPlace(rep, rep.weight, rep) for rep in reps]


def given_out(turn, leads):
    for _ in range(leads):
        taker = next_in_rotation(turn).owner
        count_turn(turn, taker)
        yield taker.owner_id


def test_three_to_one_is_smooth():
    assert "".join(given_out(a_turn(a=3, b=1), 8)) == "aabaaaba"


def test_five_one_one_is_smooth():
    assert "".join(given_out(a_turn(a=5, b=1, c=1), 7)) == "aabacaa"


def test_equals_take_turns():
    assert "".join(given_out(a_turn(b=2, a=2, c=2), 7)) == "abcabca"


def test_of_equals_whoever_has_waited_longest_is_next():
    turn = a_turn(a=1, b=1)
    turn[0].owner.last_lead_at = turn[0].owner.seen_at

    assert next_in_rotation(turn).owner.owner_id == "b"


weights = st.lists(st.integers(1, 100), min_size=1, max_size=8)


@given(weights)
def test_after_a_whole_round_everybody_had_their_weight(many):
    turn = a_turn(**{f"rep{number}": weight for number, weight in enumerate(many)})

    counts = Counter(given_out(turn, sum(many)))

    assert counts == {place.owner.owner_id: place.weight for place in turn}
    assert all(place.holder.credit == 0 for place in turn)


@given(weights, st.integers(1, 300))
def test_nobody_is_ever_further_from_their_share_than_there_are_reps(many, leads):
    turn = a_turn(**{f"rep{number}": weight for number, weight in enumerate(many)})

    counts = Counter(given_out(turn, leads))

    for place in turn:
        share = leads * place.weight / sum(many)
        assert abs(counts[place.owner.owner_id] - share) < len(many)


@given(weights, st.lists(st.integers(0, 7), max_size=200))
def test_whoever_was_away_comes_back_without_a_flood(many, away):
    """The one who comes back gets no more than a round's worth at once."""
    turn = a_turn(**{f"rep{number}": weight for number, weight in enumerate([*many, 1])})
    for absent in away:
        present = [place for number, place in enumerate(turn) if number != absent]
        list(given_out(present, 1))

    assert all(abs(place.holder.credit) <= 2 * sum(p.weight for p in turn) for place in turn)
