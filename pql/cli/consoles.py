"""Where tables and progress go. With NO_COLOR set nothing is styled: rich leaves only the colours out then, bold and italic stay.
Knows nothing of what is shown.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.console import Console


def console(stderr: bool = False, width: int | None = None) -> Console:
    """Standard output, or standard error, as a console."""
    from rich.console import Console

    system: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
    return Console(emoji=False, stderr=stderr, width=width, color_system=system)
