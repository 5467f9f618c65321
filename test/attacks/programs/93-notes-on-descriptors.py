import fcntl, socket, struct

APART = 1 << 40


def main(x):
    found = []
    for fd in range(4):
        for name, plant, probe in (
            ("flags", lambda: flag(fd), lambda: fcntl.fcntl(fd, fcntl.F_GETFL) & (os.O_NONBLOCK | os.O_APPEND)),
            ("lock", lambda: lock(fd), lambda: is_locked(fd)),
            ("option", lambda: channel(fd).setsockopt(*MARK, 5), lambda: channel(fd).getsockopt(*MARK) == 5),
        ):
            try:
                if (plant if x == "plant" else probe)():
                    found.append("%s of %d" % (name, fd))
            except (OSError, ValueError):
                pass
    return {"breach": x == "probe" and bool(found), "got": found}


MARK = (socket.SOL_SOCKET, socket.SO_PRIORITY)


def flag(fd):
    if fd != 3:
        fcntl.fcntl(fd, fcntl.F_SETFL, os.O_NONBLOCK | os.O_APPEND)


def lock(fd):
    # F_OFD_SETLK: it belongs to the descriptor, which the supervisor has too.
    fcntl.fcntl(fd, 37, struct.pack("hhqqi4x", fcntl.F_RDLCK, 0, APART, 1, 0))


def is_locked(fd):
    try:
        again = os.open("/dev/null", os.O_RDWR)
        fcntl.fcntl(again, fcntl.F_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, APART, 1, 0))
        return False
    except BlockingIOError:
        return True


def channel(fd):
    return socket.socket(fileno=os.dup(fd))
