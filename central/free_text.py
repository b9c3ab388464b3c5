"""What a person or a program may write freely into the centre."""

from typing import Annotated

from msgspec import Meta

Text = Annotated[str, Meta(pattern=r"^[^\x00]*$")]
"""PostgreSQL keeps no NUL; a line end is a character like others."""
