"""The documentation site: ``python docs/build.py FOLDER`` from an environment with its tools.

In: a folder. Out: in it, the site that mkdocs.yml describes, which needs no network to be read.
Any warning ends it (a link that leads nowhere, a docstring that does not parse), and so does a
public name that no page shows, a public class or function without a docstring, or a page that loads
something from elsewhere.
"""

import ast
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import surface

PUBLIC_NAMES = surface.ROOT / "tests" / "public_names.py"

FOREIGN = re.compile(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=[\"']?(?:https?:)?//[^>]*>")


def anchors(site: Path) -> set[str]:
    """The names that the pages document, as the inventory for other projects has them."""
    head, _, rest = (site / "objects.inv").read_bytes().rpartition(b"zlib.\n")
    assert head
    return {line.partition(" ")[0] for line in zlib.decompress(rest).decode().splitlines()}


def undocumented(site: Path) -> Iterator[str]:
    """Public names without a page that shows them."""
    shown = anchors(site)
    listed = subprocess.run(
        [sys.executable, PUBLIC_NAMES], stdout=subprocess.PIPE, text=True, check=True
    )
    for line in listed.stdout.splitlines():
        name = line.partition("(")[0]
        module, _, last = name.rpartition(".")
        if is_hidden(name):
            continue
        elif name in surface.modules():
            if not surface.modules()[name].docstring:
                yield name
        elif module in surface.modules():
            home = surface.origin(module, last)
            # What comes from the standard library is documented there.
            if home[0] in surface.modules() and not {name, ".".join(home)} & shown:
                yield name
        elif last != "__init__" and name not in shown:
            yield name


def silent() -> Iterator[str]:
    """Public classes and functions without a docstring."""
    for module in surface.modules().values():
        yield from surface.without_docstring(ast.parse(module.file.read_text()), module.name)


def is_hidden(name: str) -> bool:
    """Whether it belongs to a module that is another's name."""
    return any(name == hidden or name.startswith(f"{hidden}.") for hidden in surface.NOT_SHOWN)


def foreign(site: Path) -> Iterator[str]:
    """What pages load from elsewhere."""
    for page in sorted(site.rglob("*.html")):
        for match in FOREIGN.finditer(page.read_text()):
            if 'rel="canonical"' not in match[0]:
                yield f"{page.relative_to(site)}: {match[0]}"


def main(site: Path) -> int:
    """Build it, and look at the result."""
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", site],
        cwd=surface.ROOT,
        check=False,
    )
    if done.returncode:
        return done.returncode
    problems = [f"not documented: {name}" for name in (*undocumented(site), *silent())]
    problems += [f"loaded from elsewhere: {what}" for what in foreign(site)]
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
