"""Handlers: called where they are wanted, those that are `async def` all on one loop."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator

import pytest
from pydantic import BaseModel

from stamp import StepContext, Workflow
from stamp.runtime.handlers import Handlers


class Question(BaseModel):
    text: str


class Answer(BaseModel):
    text: str


def desk(answer: Callable[..., object]) -> Workflow:
    desk = Workflow("desk", contracts="/nowhere")
    desk.starts("question", Question, emits="Asked")
    desk.step(on="Asked", emits="Answered", name="answer")(answer)
    return desk


@pytest.fixture
def handling() -> Iterator[Callable[..., Handlers]]:
    made = []

    def handling(answer):
        made.append(Handlers(desk(answer)))
        return made[-1]

    yield handling
    for each in made:
        each.close()
    gc.collect()  # a loop that was left open would complain


def no_answer(question: Question) -> Answer:
    raise AssertionError


QUESTION = desk(no_answer).start(Question(text="why?"), workflow_id="1").body


def answered(handlers, **options):
    [outgoing] = handlers.process("answer", QUESTION, attempt=1, transaction=None, **options)
    return outgoing.event


def test_a_handler_is_called_in_the_thread_that_asks(handling):
    threads = []

    def answer(question: Question) -> Answer:
        threads.append(threading.current_thread())
        return Answer(text="42")

    assert answered(handling(answer)) == "Answered"
    assert threads == [threading.current_thread()]


def test_async_handlers_share_one_loop_whoever_asks(handling):
    loops = []

    async def answer(question: Question) -> Answer:
        loops.append((asyncio.get_running_loop(), threading.current_thread()))
        return Answer(text="42")

    handlers = handling(answer)
    askers = [threading.Thread(target=answered, args=(handlers,)) for _ in range(3)]
    for each in askers:
        each.start()
    for each in askers:
        each.join()

    assert len(loops) == 3
    assert len(set(loops)) == 1
    assert loops[0][1] not in askers


def test_async_handlers_wait_at_the_same_time(handling):
    together = threading.Barrier(2, timeout=10)

    async def answer(question: Question) -> Answer:
        await asyncio.to_thread(together.wait)
        return Answer(text="42")

    handlers = handling(answer)
    other = threading.Thread(target=answered, args=(handlers,))
    other.start()

    assert answered(handlers) == "Answered"
    other.join()


def test_the_context_of_an_async_handler_has_the_transaction_and_the_attempt(handling):
    seen = []

    async def answer(question: Question, context: StepContext) -> Answer:
        seen.append((context.attempt, context.transaction))
        return Answer(text="42")

    handling(answer).process("answer", QUESTION, attempt=3, transaction=lambda: "the transaction")

    assert seen == [(3, "the transaction")]


@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt, asyncio.CancelledError, GeneratorExit])
def test_whatever_an_async_handler_raises_reaches_who_asked_and_the_loop_goes_on(handling, kind):
    async def answer(question: Question, context: StepContext) -> Answer:
        if context.attempt == 1:
            raise kind("no")
        return Answer(text="42")

    handlers = handling(answer)

    with pytest.raises(kind):
        answered(handlers)
    assert handlers.process("answer", QUESTION, attempt=2, transaction=None)[0].event == "Answered"


def test_what_an_async_handler_left_running_ends_with_the_loop(handling):
    ended = threading.Event()
    tasks = []

    async def linger():
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    async def answer(question: Question) -> Answer:
        tasks.append(asyncio.create_task(linger()))
        await asyncio.sleep(0)
        return Answer(text="42")

    handlers = handling(answer)
    answered(handlers)
    handlers.close()

    assert ended.wait(10)


def test_closing_twice_is_as_good_as_once(handling):
    async def answer(question: Question) -> Answer:
        return Answer(text="42")

    handlers = handling(answer)
    handlers.close()
    answered(handlers)
    handlers.close()
    handlers.close()
