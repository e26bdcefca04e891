"""``python -m zonda.ioloop.testing module[.Class[.method]]``."""

from zonda.ioloop.testing.program import main

main()
