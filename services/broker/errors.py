"""What can go wrong with the local broker, in words for the person who started it."""


class BrokerError(Exception):
    """The broker cannot be had, started or stopped.

    `message` is one line. `details` is empty, or what was said by whatever refused: the end of Kafka's log, or an
    error of the network.
    """

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(f"{message}\n{details}" if details else message)
        self.message = message
        self.details = details
