def main(x):
    import socket, array

    k = 0
    for fd in range(3, 64):
        try:
            s = socket.socket(fileno=os.dup(fd))
            socket.send_fds(s, [b""], [0])
            k += 1
        except OSError:
            pass
    return {"breach": False, "got": k}
