def main(x):
    got = []
    for home in ("/home", "/root", "/home/tester", os.path.expanduser("~root")):
        try:
            paths = [os.path.join(home, name) for name in os.listdir(home)]
        except OSError:
            continue
        # The interpreter itself may be installed there.
        got += [path for path in paths if not any((place + "/").startswith(path + "/") for place in VISIBLE)]
    return {"breach": bool(got), "got": got}
