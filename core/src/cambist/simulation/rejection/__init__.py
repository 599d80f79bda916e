"""Requests that a venue refuses for no good reason: one file a model."""

from cambist.simulation.rejection.choice import rejection_model
from cambist.simulation.rejection.protocol import RejectionModel
from cambist.simulation.rejection.random_rejection import RandomRejection

__all__ = ["RandomRejection", "RejectionModel", "rejection_model"]
