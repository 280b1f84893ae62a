"""A worker whose script finds a way around the language and opens a socket."""

import os
import socket
import sys

from milobot.scripting.kernel import Kernel
from milobot.scripting.os_lock import lock
from milobot.scripting.protocol import encode

if __name__ == "__main__":
    sys.stdin = sys.stdout = sys.stderr = None
    os.write(1, encode(lock(Kernel()).to_header()))
    os.read(0, 1 << 16)
    socket.socket()
