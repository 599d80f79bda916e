"""What may be set of the sink that writes JSON lines."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic reads the annotations

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["JsonLinesSettings"]


class JsonLinesSettings(BaseModel):
    """Settings of the sink."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: Path = Field(description="of the file, from the folder of the run file; it is appended to")
