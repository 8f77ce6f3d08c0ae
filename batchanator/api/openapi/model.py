"""What answers are described by: msgspec structs whose JSON Schema stands in the document."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=0)]
Instant = datetime
Json = Any
"""Any JSON value, byte by byte as it was received or returned."""


class Answer(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Every member is there, and no other: a test holds all answers against it."""


class Listed(Answer):
    """One page of a list; `next` is the cursor of the next page, null on the last."""

    has_more: bool
    next: int | str | None
