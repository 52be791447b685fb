"""What the database holds, one module a concept."""

from purchase_intent.models.model_version import Horizon, ModelVersion, ModelVersionQuerySet, Status

__all__ = ["Horizon", "ModelVersion", "ModelVersionQuerySet", "Status"]
