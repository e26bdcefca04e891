"""The API pages: ``python docs/build.py FOLDER`` with the packages and pdoc installed.

In: a folder. Out: in it, a page for each public module of each package, by its docstrings. A
module that cannot be imported, or a public name that is not there, ends it with that error.
"""

import sys
import warnings
from pathlib import Path

import pdoc
import pdoc.render

ROOT = Path(__file__).resolve().parents[1]

# What `import tornado` gives under the drop-in: attributes that are modules on first use.
NOT_SHOWN = {"zonda.tornado.platform", "zonda.tornado.root"}


def modules() -> list[str]:
    """The dotted names of all public modules, packages before what they hold."""
    names = []
    for source in sorted(ROOT.glob("packages/*/src")):
        for file in sorted((source / "zonda").rglob("*.py")):
            parts = file.relative_to(source).with_suffix("").parts
            name = ".".join(parts).removesuffix(".__init__")
            if name not in NOT_SHOWN and "._" not in name:
                names.append(name)
    return names


if __name__ == "__main__":
    warnings.filterwarnings("error", "Found .* does not resolve")  # a name of some __all__
    warnings.filterwarnings("ignore", "The module specification")  # named here and found by pdoc
    pdoc.render.configure(docformat="google", footer_text="Zonda", search=True)
    pdoc.pdoc(*modules(), output_directory=Path(sys.argv[1]))
