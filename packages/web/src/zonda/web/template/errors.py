"""What is wrong with a template.

Exception
└── ParseError                  a template breaks the rules of the language
    └── TemplateSyntaxError     the Python inside one of its tags does not compile

Errors of a template that runs are those of the code in it, with a traceback that names the
template and its line.
"""


class ParseError(Exception):
    """A template that cannot be understood.

    Args:
        message: What is wrong, without the place.
        filename: The template's name; None if unknown.
        lineno: Its line, counted from 1; 0 if unknown.

    Attributes:
        message: As given.
        filename: As given.
        lineno: As given.

    >>> print(ParseError("nothing to end here", "page.html", 3))
    nothing to end here at page.html:3
    """

    def __init__(self, message: str, filename: str | None = None, lineno: int = 0) -> None:
        super().__init__(message, filename, lineno)
        self.message = message
        self.filename = filename
        self.lineno: int | None = lineno

    def __str__(self) -> str:
        return f"{self.message} at {self.filename}:{self.lineno}"


class TemplateSyntaxError(ParseError, SyntaxError):
    """Python in a template that does not compile.

    It is a `SyntaxError` too, so that tracebacks and editors point at the template's own line.

    Args:
        message: What the compiler says.
        filename: The template's name.
        lineno: The line of the tag.
        text: The Python in question.
    """

    def __init__(
        self, message: str, filename: str | None = None, lineno: int = 0, text: str = ""
    ) -> None:
        super().__init__(message, filename, lineno)
        self.args = (message, filename, lineno, text)
        self.msg = message
        self.text = text
        self.offset = None
