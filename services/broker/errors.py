"""What can go wrong with the local broker, in words for the person who started it."""


class BrokerError(Exception):
    """The broker cannot be had, started or stopped; the message is one line, or one line and the end of a log."""
