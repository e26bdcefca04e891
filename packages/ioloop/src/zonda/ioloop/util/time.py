"""Durations as numbers."""

import datetime


def timedelta_to_seconds(td: datetime.timedelta) -> float:
    """``td`` in seconds.

    Example:
        >>> timedelta_to_seconds(datetime.timedelta(minutes=1, milliseconds=500))
        60.5
    """
    return td.total_seconds()
