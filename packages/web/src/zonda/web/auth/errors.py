"""What goes wrong while somebody signs in.

Exception
└── AuthError       the other side said no, or said what cannot be trusted

The HTTP client's own errors (no connection, a status other than 2xx where that is not part of the
protocol) come through as they are.
"""


class AuthError(Exception):
    """Signing in has failed.

    Args:
        message: Why.
        error: The code that the provider gave, such as ``access_denied``.
        description: What the provider said about it.

    Attributes:
        error: As given.
        description: As given.

    >>> print(AuthError("the provider refused", "access_denied", "No, thanks"))
    the provider refused: access_denied (No, thanks)
    """

    def __init__(
        self, message: str = "", error: str | None = None, description: str | None = None
    ) -> None:
        super().__init__(message)
        self.error = error
        self.description = description

    def __str__(self) -> str:
        text = super().__str__()
        if self.error:
            text += f": {self.error}"
        return f"{text} ({self.description})" if self.description else text
