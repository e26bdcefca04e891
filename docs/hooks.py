"""What mkdocs does beyond the pages that are written by hand: one reference page a module.

`on_files` adds ``reference/<package>.md``, the list of a package's modules, and a page for each
module that documents at least one name. `on_config` adds a section for each package to the
navigation: its guide, that list, and the modules that applications import from. `on_page_markdown`
fills in READMEs: ``<!-- packages/web/README.md -->`` stands for that file, without its title.
`on_page_content` says where titles and the cells of tables may be broken.
"""

import re
import sys
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

sys.path.insert(0, str(Path(__file__).parent))

import surface


def module_page(module: surface.Module) -> str:
    """The Markdown of a module's page: mkdocstrings does the rest."""
    # What one comes for first, constants last.
    names = sorted(surface.documented_by(module), key=str.isupper)
    apart = {name: path for name in names if (path := surface.same_name(module, name))}
    lines = [f"# {module.name}", "", f"::: {module.name}", "    options:"]
    lines += ["      members:"] + [f"        - {name}" for name in names if name not in apart]
    if len(apart) == len(names):
        lines[-1] += " []"
    for path in apart.values():
        lines += ["", f"::: {path}", "    options:", "      show_root_heading: true"]
    others = surface.elsewhere(module)
    if others:
        links = ", ".join(f"[`{name}`][{at}]" for name, (_, at) in sorted(others.items()))
        lines += ["", "## Documented elsewhere", "", links]
    return "\n".join(lines) + "\n"


def package_page(package: str) -> str:
    """The list of a package's modules, those for applications first."""
    first = surface.surface(package)
    mine = [m for m in surface.modules().values() if m.package == package]
    rows = {m.name: row(m) for m in mine}
    rest = sorted(set(rows) - set(first))
    table = "| module | |\n|---|---|\n"
    text = f"# zonda-{package}: reference\n\n{table}" + "".join(rows[name] for name in first)
    if rest:
        text += (
            "\n## What these are made of\n\n"
            "Modules to read when you extend Zonda. Their names may move in a minor version; "
            "import a name from the list above where it is there, too.\n\n"
        )
        text += table + "".join(rows[name] for name in rest)
    return text


def row(module: surface.Module) -> str:
    """A line of the list: a link to where the module is documented, and its first sentence."""
    if surface.documented_by(module):
        link = f"[`{module.name}`]({module.name}.md)"
    else:
        targets = {target for target, _ in surface.elsewhere(module).values()}
        link = f"`{module.name}`"
        if targets:
            link += ": see " + ", ".join(f"[`{name}`]({name}.md)" for name in sorted(targets))
    return f"| {link} | {module.summary.replace('|', '&#124;')} |\n"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add the packages to the navigation."""
    sections = [
        {
            f"zonda-{package}": [
                f"packages/{package}.md",
                {"All modules": f"reference/{package}.md"},
                *({name: f"reference/{name}.md"} for name in surface.surface(package)),
            ]
        }
        for package in surface.PACKAGES
    ]
    assert config.nav is not None
    if Path(config.docs_dir, "programs.md").exists():  # written by a run of other people's programs
        config.nav[0]["Start"].append("programs.md")
    config.nav.append({"Packages": ["packages/index.md", *sections]})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages."""
    pages = {f"reference/{name}.md": package_page(name) for name in surface.PACKAGES}
    for module in surface.modules().values():
        if surface.documented_by(module):
            pages[module.page] = module_page(module)
    for path, text in pages.items():
        files.append(File.generated(config, path, content=text))
    return files


LOCAL_LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|#)[^)]+\)")
README = re.compile(r"^<!-- (\S+/README\.md) -->$", re.MULTILINE)


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Fill in the READMEs."""
    return README.sub(lambda match: body(surface.ROOT / match[1]), markdown)


def body(readme: Path) -> str:
    """The text of a README below its title; links into the repository lead nowhere here."""
    return LOCAL_LINK.sub(r"\1", readme.read_text().partition("\n")[2].strip())


DOTTED = re.compile(r"(<td>(?:<a [^>]*>)?<code>|<h1 [^>]*>)([\w.]+)")
MEASURE_IN_CELL = re.compile(r"<td>([\d.]+) (\w+)</td>")


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let dotted names break at their dots, and numbers not from their units."""
    return MEASURE_IN_CELL.sub(r"<td>\1&nbsp;\2</td>", DOTTED.sub(break_at_dots, html))


def break_at_dots(match: re.Match[str]) -> str:
    """A dotted name, with the tags ahead of it, that has places to break."""
    return match[1] + match[2].replace(".", ".<wbr>")
