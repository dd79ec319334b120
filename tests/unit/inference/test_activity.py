"""What is counted of the engine while it works."""

from codette_desktop.inference.activity import Activity


def test_a_request_waits_runs_and_ends() -> None:
    activity = Activity()
    heard: list[bool] = []
    activity.listeners.append(heard.append)
    activity.asked()
    activity.asked()
    activity.begun()
    activity.wrote(3)
    now = activity.sample(5, 7, 2, 1000)
    assert (now.running, now.waiting, now.tokens, now.requests) == (1, 1, 3, 0)
    assert (now.cache_hits, now.cache_lookups, now.models, now.model_bytes) == (5, 7, 2, 1000)
    activity.ended(begun=True, failed=False)
    assert activity.busy
    activity.ended(begun=False, failed=True)
    assert not activity.busy
    assert heard == [True, False]
    later = activity.sample(5, 9, 2, 1000)
    assert (later.running, later.waiting, later.tokens) == (0, 0, 0)
    assert (later.requests, later.failed, later.cache_hits, later.cache_lookups) == (2, 1, 0, 2)
