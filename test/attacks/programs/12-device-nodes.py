def main(x):
    ok = []
    for p in (
        "/dev/mem",
        "/dev/kmsg",
        "/dev/tty",
        "/dev/vda",
        "/dev/ptmx",
        "/dev/fuse",
        "/dev/net/tun",
        "/dev/kvm",
    ):
        try:
            os.open(p, os.O_RDWR)
            ok.append(p)
        except OSError:
            pass
    try:
        os.mknod("/tmp/n", 0o600 | 0o060000, os.makedev(254, 0))
        ok.append("mknod")
    except OSError:
        pass
    ok = [p for p in ok if p != "/dev/ptmx"]
    return {"breach": bool(ok), "got": ok}
