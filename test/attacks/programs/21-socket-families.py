def main(x):
    import socket

    ok = []
    for n in (
        "AF_INET",
        "AF_INET6",
        "AF_UNIX",
        "AF_NETLINK",
        "AF_PACKET",
        "AF_VSOCK",
        "AF_ALG",
        "AF_BLUETOOTH",
        "AF_CAN",
        "AF_TIPC",
    ):
        f = getattr(socket, n, None)
        if f is None:
            continue
        for t in (1, 2, 3):
            try:
                socket.socket(f, t).close()
                ok.append(n)
                break
            except OSError:
                pass
    return {"breach": bool(ok), "got": ok}
