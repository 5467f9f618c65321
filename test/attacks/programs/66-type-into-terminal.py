def main(x):
    import fcntl

    r = []
    for fd in (0, 1, 2):
        try:
            fcntl.ioctl(fd, 0x5412, b"x")
            r.append("ok")
        except OSError as e:
            r.append(errno.errorcode[e.errno])
    return {"breach": "ok" in r, "got": r}
