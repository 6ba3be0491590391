"""Dead letters in the queues of a broker are found, worked on again or given up, and nothing is lost by looking."""

from __future__ import annotations

import pytest

from stamp.errors import DeliveryError
from stamp.runtime.graveyard import HasGraveyard, Wanted

from .stage import bodies, take

NOT_YET = ("kafka", "sqs")
"""They have dead letters that nobody can look into with stamp."""

pytestmark = [pytest.mark.promised("buries"), pytest.mark.but(*NOT_YET)]

EVERYTHING = Wanted()


@pytest.fixture
def graves(stage):
    """Three letters in the dead letter queue of alpha, one in that of beta, and what opens both."""
    for step, letters in {"alpha": (b"1", b"2", b"3"), "beta": (b"1",)}.items():
        stage.publish(*letters) if step == "alpha" else None
        receiver = stage.receiver(step)
        for arrival in take(receiver, 3):
            if arrival.body in letters:
                receiver.bury(arrival, f"no-envelope: WireError: {arrival.body.decode()} is none")
            else:
                receiver.acknowledge([arrival])
        receiver.close()
    queues = [stage.queue("alpha"), stage.queue("beta"), stage.queue("nobody")]
    return lambda: stage.transport.graveyard(queues)


def found(graveyard, wanted=EVERYTHING):
    return [(each.queue.rpartition(".")[2], each.message.body) for each in graveyard.find(wanted)]


ALL = [("alpha", b"1"), ("alpha", b"2"), ("alpha", b"3"), ("beta", b"1")]


def test_every_transport_with_dead_letter_queues_lets_one_look_into_them(stage):
    assert isinstance(stage.transport, HasGraveyard)


def test_letters_are_found_as_often_as_somebody_looks_with_their_reasons(graves):
    for _ in range(2):
        with graves() as graveyard:
            letters = list(graveyard.find(EVERYTHING))
        assert sorted((each.queue.rpartition(".")[2], each.message.body) for each in letters) == ALL
        assert {(each.letter.reason, each.letter.error_type) for each in letters} == {("no-envelope", "WireError")}
        assert all("is none" in each.letter.error_message for each in letters)
        assert not any("stamp-reason" in each.message.headers for each in letters)


def test_what_is_not_wanted_is_not_found(graves, stage):
    with graves() as graveyard:
        assert found(graveyard, Wanted(queues=("beta",))) == [("beta", b"1")]
    with graves() as graveyard:
        assert found(graveyard, Wanted(reason="other")) == []


def test_a_queue_without_letters_is_told_from_one_that_is_missing(graves, stage):
    stage.receiver("gamma").close()
    with graves() as graveyard:
        assert list(graveyard.missing) == [stage.queue("nobody")]
    with stage.transport.graveyard([stage.queue("gamma")]) as graveyard:
        assert list(graveyard.missing) == []
        assert found(graveyard) == []


def test_a_replayed_letter_is_alive_as_it_was_and_the_others_stay_dead(graves, stage):
    with graves() as graveyard:
        chosen = [each for each in graveyard.find(EVERYTHING) if each.message.body == b"2"]
        assert graveyard.replay(chosen) == 1
    receiver = stage.receiver("alpha")
    (arrival,) = take(receiver, 1)
    assert (arrival.body, arrival.deliveries) == (b"2", 1)
    assert "stamp-reason" not in arrival.headers
    receiver.acknowledge([arrival])
    assert stage.leftovers(receiver) == []
    with graves() as graveyard:
        assert sorted(found(graveyard)) == [each for each in ALL if each[1] != b"2"]


def test_what_is_replayed_and_dies_again_is_not_found_by_who_replayed_it(graves, stage):
    with graves() as graveyard:
        letters = graveyard.find(Wanted(queues=("alpha",)))
        assert graveyard.replay([next(letters)]) == 1
        receiver = stage.receiver("alpha")
        receiver.bury(take(receiver, 1)[0], "again")
        receiver.close()
        assert len(list(letters)) == 2
    with graves() as graveyard:
        assert len(found(graveyard)) == 4


def test_a_discarded_letter_is_gone_for_good(graves, stage):
    with graves() as graveyard:
        assert graveyard.discard([each for each in graveyard.find(EVERYTHING) if each.message.body != b"3"]) == 3
    with graves() as graveyard:
        assert found(graveyard) == [("alpha", b"3")]
    assert stage.leftovers(stage.receiver("alpha", "beta")) == []


def test_many_letters_are_found_one_after_the_other(stage):
    numbered = [b"%03d" % number for number in range(250)]
    stage.publish(*numbered)
    receiver = stage.receiver("alpha")
    buried = 0
    while buried < len(numbered):
        for arrival in receiver.receive(1):
            receiver.bury(arrival, "many")
            buried += 1
    receiver.close()
    with stage.transport.graveyard([stage.queue("alpha")]) as graveyard:
        assert sorted(body for _, body in found(graveyard)) == numbered


@pytest.mark.served
def test_a_graveyard_whose_broker_is_gone_raises(proxy, far):
    far.publish(b"1")
    receiver = far.receiver("alpha")
    receiver.bury(take(receiver, 1)[0], "gone")
    receiver.close()
    with far.transport.graveyard([far.queue("alpha")]) as graveyard:
        letters = list(graveyard.find(EVERYTHING))
        proxy.cut()
        with pytest.raises(DeliveryError):
            graveyard.replay(letters)
        with pytest.raises(DeliveryError):
            list(graveyard.find(EVERYTHING))
    assert bodies([each.message for each in letters]) == [b"1"]
