def main(x):
    import socket

    r = []
    for f in (
        lambda: socket.create_connection(("10.255.255.1", 80), 0.3),
        lambda: socket.socket(2, 2).sendto(b"x", ("10.255.255.1", 53)),
        lambda: socket.getaddrinfo("example.com", 80),
    ):
        try:
            f()
            r.append("ok")
        except BaseException as e:
            r.append(type(e).__name__ + str(getattr(e, "errno", "")))
    return {"breach": "ok" in r, "got": r}
