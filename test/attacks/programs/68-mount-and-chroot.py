def main(x):
    r = [sysc(165, b"none", b"/tmp", b"tmpfs", 0, 0), sysc(161, b"/tmp")]
    return {"breach": any(q[0] == 0 for q in r), "got": r}
