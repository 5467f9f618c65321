def main(x):
    r = [sysc(250, 0, -3, 0), sysc(248, b"user", b"k", b"v", 1, -3)]
    return {"breach": any(q[0] >= 0 for q in r), "got": r}
