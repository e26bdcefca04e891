"""``python -m zonda.web.testing module[.Class[.method]]``."""

from zonda.ioloop.testing import main

main()
