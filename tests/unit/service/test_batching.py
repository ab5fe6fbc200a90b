"""What is predicted together, what waits, and what is refused."""

import asyncio
import threading

import pytest

from emotion_keras.service.batching import Batcher, QueueFull


class Held:
    """A predictor that says a text in capitals, once it is let go.

    A text "fail" makes it fail, and "lose" makes it forget the last text.
    """

    def __init__(self):
        self.calls = []
        self.go = threading.Event()

    def __call__(self, texts, explain):
        self.calls.append((texts, explain))
        assert self.go.wait(10)
        if "fail" in texts:
            raise RuntimeError("failed")
        return [text.upper() for text in texts if text != "lose"]


def run(scenario, max_batch=8, max_queue=16, num_threads=1):
    """Runs a scenario, a coroutine function of a batcher and its predictor."""
    predictor, sizes = Held(), []
    limits = {"max_batch": max_batch, "max_queue": max_queue, "num_threads": num_threads}
    batcher = Batcher(predictor, **limits, on_batch=sizes.append)

    async def within_time():
        async with asyncio.timeout(10):
            return await scenario(batcher, predictor)

    return asyncio.run(within_time()), predictor.calls, sizes


async def ask(batcher, *texts, explain=False):
    """Asks in a task of its own, which has begun."""
    task = asyncio.create_task(batcher.predict(list(texts), explain))
    await asyncio.sleep(0)
    return task


async def until(condition):
    while not condition():
        await asyncio.sleep(0.001)


async def first_held(batcher, predictor):
    """A first request, which the predictor holds."""
    task = await ask(batcher, "first")
    await until(lambda: predictor.calls)
    return task


def test_a_text_that_comes_alone_is_predicted_alone_and_at_once():
    async def scenario(batcher, predictor):
        predictor.go.set()
        return [await batcher.predict(["a"], False), await batcher.predict(["b"], False)]

    answers, calls, sizes = run(scenario)
    assert answers == [["A"], ["B"]]
    assert calls == [(["a"], False), (["b"], False)]
    assert sizes == [1, 1]


def test_what_comes_meanwhile_is_predicted_together_in_order_and_no_more_than_allowed():
    async def scenario(batcher, predictor):
        tasks = [await first_held(batcher, predictor)]
        for texts in (["a", "b"], ["c", "d"], ["e"]):
            tasks.append(await ask(batcher, *texts))
        assert len(batcher) == 5
        predictor.go.set()
        return await asyncio.gather(*tasks)

    answers, calls, sizes = run(scenario, max_batch=3)
    assert answers == [["FIRST"], ["A", "B"], ["C", "D"], ["E"]]
    assert [texts for texts, _ in calls] == [["first"], ["a", "b", "c"], ["d", "e"]]
    assert sizes == [1, 3, 2]


def test_no_batch_waits_for_another_while_a_thread_is_free():
    async def scenario(batcher, predictor):
        tasks = [await first_held(batcher, predictor), await ask(batcher, "second")]
        await until(lambda: len(predictor.calls) == 2)
        tasks += [await ask(batcher, text) for text in ("a", "b")]
        assert len(batcher) == 2
        predictor.go.set()
        return await asyncio.gather(*tasks)

    answers, calls, sizes = run(scenario, num_threads=2)
    assert answers == [["FIRST"], ["SECOND"], ["A"], ["B"]]
    assert [texts for texts, _ in calls[:2]] == [["first"], ["second"]]
    assert sorted(text for texts, _ in calls[2:] for text in texts) == ["a", "b"]


def test_threads_that_are_free_share_the_texts_of_a_request():
    async def scenario(batcher, predictor):
        predictor.go.set()
        return await batcher.predict(["a", "b", "c"], False)

    answers, calls, sizes = run(scenario, num_threads=2)
    assert answers == ["A", "B", "C"]
    assert sorted(texts for texts, _ in calls) == [["a", "b"], ["c"]]
    assert sorted(sizes) == [1, 2]


def test_explained_and_plain_texts_are_predicted_apart():
    async def scenario(batcher, predictor):
        tasks = [await first_held(batcher, predictor)]
        for text, explain in (("a", True), ("b", False), ("c", True)):
            tasks.append(await ask(batcher, text, explain=explain))
        predictor.go.set()
        return await asyncio.gather(*tasks)

    answers, calls, _ = run(scenario)
    assert answers == [["FIRST"], ["A"], ["B"], ["C"]]
    assert calls[1:] == [(["b"], False), (["a", "c"], True)]


def test_beyond_the_queue_is_refused_and_later_accepted():
    async def scenario(batcher, predictor):
        tasks = [await first_held(batcher, predictor), await ask(batcher, "a")]
        with pytest.raises(QueueFull):
            await batcher.predict(["b", "c"], False)
        tasks.append(await ask(batcher, "d"))
        predictor.go.set()
        await asyncio.gather(*tasks)
        return await batcher.predict(["b", "c"], False)

    answers, calls, _ = run(scenario, max_queue=2)
    assert answers == ["B", "C"]
    assert calls[1][0] == ["a", "d"]


@pytest.mark.parametrize("bad, error", [("fail", RuntimeError), ("lose", ValueError)])
def test_a_batch_that_fails_ends_its_requests_and_no_others(bad, error):
    async def scenario(batcher, predictor):
        tasks = [await first_held(batcher, predictor), await ask(batcher, bad, "a")]
        predictor.go.set()
        assert await tasks[0] == ["FIRST"]
        with pytest.raises(error):
            await tasks[1]
        return await batcher.predict(["b"], False)

    assert run(scenario)[0] == ["B"]


def test_a_request_that_is_given_up_harms_no_other():
    async def scenario(batcher, predictor):
        first = await first_held(batcher, predictor)
        given_up, other = await ask(batcher, "a"), await ask(batcher, "b")
        given_up.cancel()
        predictor.go.set()
        return [await first, await other]

    assert run(scenario)[0] == [["FIRST"], ["B"]]
