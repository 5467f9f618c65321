import fcntl, struct


def main(x):
    file = os.open(sys.executable, os.O_RDONLY)
    found = []
    for command in (fcntl.F_GETLK, 36, 1024, 1025):
        try:
            fcntl.fcntl(
                file,
                command,
                struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0) if command in (fcntl.F_GETLK, 36) else 0,
            )
            found.append(command)
        except OSError:
            pass
    return {"breach": bool(found), "got": found}
