"""For tests of code that uses streams: a connection in memory, and the conformance check."""

from zonda.iostream.conformance import Recorder, check_stream
from zonda.iostream.memory import MemoryStream, stream_pair

__all__ = ["MemoryStream", "Recorder", "check_stream", "stream_pair"]
