def main(x):
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    ok = []
    for p in (OUTSIDE + "/secret.json", OUTSIDE, HERE + "/program.py", HERE, sys.executable, "/dev/null"):
        b = p.encode()
        for name, f in {
            "mode": lambda: os.chmod(p, os.stat(p).st_mode),
            "mode by descriptor": lambda: os.fchmod(os.open(p, os.O_RDONLY), 0o777),
            "owner": lambda: os.chown(p, os.getuid(), os.getgid()),
            "owner of a link": lambda: os.lchown(p, os.getuid(), os.getgid()),
            "times": lambda: os.utime(p, (1, 1)),
            "times by descriptor": lambda: os.utime(os.open(p, os.O_RDONLY)),
            "attributes": lambda: os.setxattr(p, "user.x", b"1"),
            "no attributes": lambda: os.removexattr(p, "user.x"),
            "size": lambda: os.truncate(p, 0),
            "size by opening": lambda: os.open(p, os.O_RDONLY | os.O_TRUNC) if p != "/dev/null" else 1 / 0,
            "name": lambda: os.rename(p, p + "2"),
            "another name": lambda: os.link(p, p + "3"),
            "flags": lambda: __import__("fcntl").ioctl(os.open(p, os.O_RDONLY), 0x40086602, ctypes.c_long(0x40)),
            "old call for times": lambda: 1 / (sysc(132, b, 0)[0] == 0),
            "old call for owners": lambda: 1 / (sysc(92, b, os.getuid(), os.getgid())[0] == 0),
            "new call for modes": lambda: 1 / (sysc(452, -100, b, 0o777, 0)[0] == 0),
        }.items():
            try:
                f()
                ok.append(name + " of " + p)
            except BaseException:
                pass
    return {"breach": bool(ok), "got": ok}
