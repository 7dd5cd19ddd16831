"""What is said of one watched folder: lines for people, with fields for programs, and complaints not too often."""

import logging
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bgwatch.errors import printable
from bgwatch.job import Outcome

SILENCE = 3600.0  # seconds until the same complaint is worth a second line
COMPLAINTS = 1000  # that are remembered

log = logging.getLogger("bgwatch")


class Voice:
    """Writes the log of a watched folder.

    Attributes
    ----------
    last_error : str
        The last complaint or failure; empty as long as there was none.
    last_error_at : datetime or None
        When that was.
    """

    def __init__(self) -> None:
        self._complained: dict[str, float] = {}
        self.last_error = ""
        self.last_error_at: datetime | None = None

    def complain(self, reason: str) -> None:
        """Say what the user has to mend, and say it again only after a while."""
        now = time.monotonic()
        self.note_error(reason)
        if now - self._complained.get(reason, -SILENCE) >= SILENCE:
            if len(self._complained) >= COMPLAINTS:
                self._complained.clear()
            self._complained[reason] = now
            log.error("%s", printable(reason))

    def note_error(self, reason: str) -> None:
        """Remember what went wrong last."""
        self.last_error, self.last_error_at = reason, datetime.now(UTC)

    def say(
        self, level: int, text: str, original: Path, outcome: Outcome | None = None, place: Path | None = None
    ) -> None:
        """Log a line about an original, what came of it and where that is."""
        fields: dict[str, Any] = {"file": str(original)}
        if outcome:
            fields |= {"state": outcome.state, "seconds": round(outcome.seconds, 3), "confidence": outcome.confidence}
        if place:
            fields["place"] = str(place)
        log.log(level, "%s", printable(text), extra=fields)
