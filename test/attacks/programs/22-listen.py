def main(x):
    import socket

    try:
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        s.listen()
        return {"breach": True}
    except BaseException as e:
        return {"breach": False, "got": repr(e)[:60]}
