"""How long a request takes to reach the venue: one file a model."""

from cambist.simulation.latency.choice import latency_model
from cambist.simulation.latency.constant import ConstantLatency
from cambist.simulation.latency.lognormal import LognormalLatency
from cambist.simulation.latency.normal import NormalLatency
from cambist.simulation.latency.protocol import LatencyModel, Request
from cambist.simulation.latency.recorded import RecordedLatency
from cambist.simulation.latency.uniform import UniformLatency

__all__ = [
    "ConstantLatency",
    "LatencyModel",
    "LognormalLatency",
    "NormalLatency",
    "RecordedLatency",
    "Request",
    "UniformLatency",
    "latency_model",
]
