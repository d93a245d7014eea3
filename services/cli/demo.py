"""`onrecord demo`."""


def demo() -> None:
    """Demo."""
