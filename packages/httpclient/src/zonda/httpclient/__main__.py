"""``python -m zonda.httpclient``, see `zonda.httpclient.command`."""

import sys

from zonda.httpclient.command import main

if __name__ == "__main__":
    sys.exit(main())
