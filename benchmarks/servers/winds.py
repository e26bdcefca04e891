"""What the template page shows, the same for every server; see ``templates/`` and ``jinja/``."""

from pathlib import Path
from typing import TypedDict

TEMPLATES = Path(__file__).parent / "templates"
JINJA_TEMPLATES = Path(__file__).parent / "jinja"

TITLE = "Winds & storms"
USER = "Ann <ann@example.com>"
NAMES = (
    "Zonda",
    "Pampero",
    "Sudestada",
    "Mistral & Tramontane",
    "Föhn",
    "Bora",
    "Chinook",
    "Santa Ana",
    "Harmattan <dry>",
    "Khamsin",
    "Sirocco",
    "Levanter",
)


class Wind(TypedDict):
    """A row of the table."""

    id: int
    name: str
    speed: int


WINDS: list[Wind] = [
    {"id": n, "name": name, "speed": 40 + 7 * n % 50} for n, name in enumerate(NAMES, 1)
]
