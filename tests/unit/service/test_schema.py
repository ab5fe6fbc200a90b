"""Requests made at random from the service's own schema, right and wrong ones."""

import pytest

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")

from hypothesis import HealthCheck, given, settings  # noqa: E402, schemathesis brings it
from schemathesis import GenerationMode  # noqa: E402

from emotion_keras.service.app import make_app  # noqa: E402

# By itself, schemathesis does not take 413 for a refusal.
REFUSED = {"negative_data_rejection": {"expected-statuses": [400, 413, 415, 422]}}
OPERATIONS = ["POST /predict", "GET /health", "GET /metrics"]


@pytest.fixture(params=["fake_predictor", "fake_listener"])
def predictor(request, tmp_path, monkeypatch):
    """One of texts, and one of recordings."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return request.getfixturevalue(request.param)()


def load(predictor):
    config = schemathesis.Config.from_dict({"checks": REFUSED})
    app = make_app(predictor)
    return schemathesis.openapi.from_asgi("/openapi.json", app, config=config)


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_every_answer_is_one_that_the_schema_has(predictor, mode):
    schema = load(predictor)
    operations = [result.ok() for result in schema.get_all_operations()]
    assert [operation.label for operation in operations] == OPERATIONS

    @given(case=operations[0].as_strategy(generation_mode=mode))
    @settings(
        max_examples=150,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case):
        case.call_and_validate()

    ask()


@pytest.mark.parametrize("name", OPERATIONS[1:])
def test_what_is_only_read(predictor, name):
    schema = load(predictor)
    method, path = name.split()
    schema[path][method].Case().call_and_validate()
