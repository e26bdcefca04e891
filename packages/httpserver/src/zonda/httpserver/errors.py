"""What can go wrong in this package's own business, as facts.

    Exception
    ├── RuntimeError
    │   ├── ApplicationProtocolError   an ASGI or WSGI application breaks its interface
    │   └── LifespanError              an application cannot start, or cannot stop, in good order
    └── ValueError
        └── ProxyProtocolError         a peer's PROXY header is malformed

Errors of a peer's HTTP are ``zonda.httputil.HTTPInputError``; of what is sent, ``HTTPOutputError``.
"""


class ApplicationProtocolError(RuntimeError):
    """An application does what its interface (ASGI, PEP 3333) does not allow.

    Args:
        interface: ``"ASGI"`` or ``"WSGI"``.
        fault: What it did.

    Attributes:
        interface: ``"ASGI"`` or ``"WSGI"``.
        fault: What the application did.
    """

    def __init__(self, interface: str, fault: str) -> None:
        super().__init__(interface, fault)
        self.interface = interface
        self.fault = fault

    def __str__(self) -> str:
        return f"{self.interface} application: {self.fault}"


class LifespanError(RuntimeError):
    """An application failed to start or to stop.

    Args:
        phase: ``"startup"`` or ``"shutdown"``.
        message: What the application says about it; may be empty.

    Attributes:
        phase: ``"startup"`` or ``"shutdown"``.
        message: What the application says about it; may be empty.
    """

    def __init__(self, phase: str, message: str = "") -> None:
        super().__init__(phase, message)
        self.phase = phase
        self.message = message

    def __str__(self) -> str:
        text = f"application {self.phase} failed"
        return f"{text}: {self.message}" if self.message else text


class ProxyProtocolError(ValueError):
    """What a peer sent in front of its first request is no valid PROXY header.

    Args:
        fault: What is wrong with it.

    Attributes:
        fault: What is wrong with the header.
    """

    def __init__(self, fault: str) -> None:
        super().__init__(fault)
        self.fault = fault

    def __str__(self) -> str:
        return f"PROXY protocol: {self.fault}"
