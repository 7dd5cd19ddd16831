"""The daemon's log: lines for people, or JSON objects for programs."""

import json
import logging
import sys
from datetime import UTC, datetime

FIELDS = ("file", "place", "state", "seconds", "confidence")


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level and message, and of a picture the file, state, place, seconds, confidence."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line for a record."""
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        return json.dumps(told | {name: getattr(record, name) for name in FIELDS if hasattr(record, name)})


def log_to_stderr(as_json: bool) -> None:
    """Send all that is logged to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
