def main(x):
    r = [sysc(272, 0x10000000), sysc(272, 0x20000), sysc(56, 0x10000000 | 17, 0, 0, 0, 0)]
    if r[2][0] == 0:
        os._exit(0)
    return {"breach": any(q[0] >= 0 for q in r), "got": r}
