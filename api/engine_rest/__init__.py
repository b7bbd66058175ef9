"""``/engine-rest``: the part of Camunda 7's REST interface that its clients and tools use."""

from api.engine_rest.application import EngineRestGate, engine_rest

__all__ = ["EngineRestGate", "engine_rest"]
