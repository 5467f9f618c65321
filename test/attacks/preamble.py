# What every attack begins with. Before it stand OUTSIDE, PORT, ABSTRACT, VISIBLE, OWN_PROCESSES and DAEMON.
import errno
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def tryread(*paths):
    got = {}
    for path in paths:
        try:
            got[path] = open(path, "rb").read(200).decode("latin1")[:60]
        except OSError:
            pass
    return {"breach": bool(got), "got": got}


def sysc(number, *arguments):
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    ctypes.set_errno(0)
    result = libc.syscall(number, *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    code = ctypes.get_errno()
    return result, errno.errorcode.get(code, str(code))


