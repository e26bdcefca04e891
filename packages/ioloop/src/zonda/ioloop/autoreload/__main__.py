"""``python -m zonda.ioloop.autoreload [--until-success] app.py|-m module [arguments]``."""

from zonda.ioloop.autoreload.program import main

main()
