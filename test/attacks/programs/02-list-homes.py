def main(x):
    got = []
    for p in ("/home", "/root", "/home/tester", os.path.expanduser("~tester")):
        try:
            got.append((p, len(os.listdir(p))))
        except BaseException:
            pass
    return {"breach": bool(got), "got": got}
