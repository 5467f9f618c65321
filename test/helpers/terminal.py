"""Runs a command in a pseudo terminal. Argument 1 is a list of pairs: a text to wait for, and what is typed then. Prints what was shown."""

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time

steps = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 200, 0, 0))
shown, seen, deadline = b"", 0, time.time() + 45
while time.time() < deadline:
    if select.select([terminal], [], [], 0.1)[0]:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        shown += part
    if steps:
        awaited, typed = steps[0]
        place = shown.find(awaited.encode(), seen)
        if place >= 0:
            seen = place + len(awaited)
            steps.pop(0)
            os.write(terminal, typed.encode())
else:
    os.kill(pid, 9)
sys.stdout.buffer.write(shown)
status = os.waitpid(pid, 0)[1]
sys.exit(99 if steps else os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
