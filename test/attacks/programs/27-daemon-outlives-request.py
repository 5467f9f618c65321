def main(x):
    if x == "plant":
        rd, wr = os.pipe()
        try:
            p = os.fork()
        except OSError as e:
            return {"breach": False, "got": repr(e)}
        if p == 0:
            os.setsid()
            if os.fork():
                os._exit(0)
            os.write(wr, b"%d" % os.getpid())
            time.sleep(3)
            os._exit(0)
        return {"breach": os.read(rd, 20) != b""}
    return {"breach": False}
