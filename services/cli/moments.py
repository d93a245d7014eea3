"""Times as they are written on a command line."""

import re
from datetime import UTC, datetime, timedelta

from services.cli.console import UserError

_AGE = re.compile(r"(?P<number>\d{1,6})(?P<unit>[smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str, now: datetime) -> datetime:
    """Return the time that an age before `now` ("12h"), or a time in ISO 8601 (UTC without a zone), stands for.

    Raises UserError for any other text.
    """
    if age := _AGE.fullmatch(text):
        return now - timedelta(**{_UNITS[age["unit"]]: int(age["number"])})
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UserError(f"{text} is neither an age such as 30m, 12h, 7d nor a time in ISO 8601") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
