def main(x):
    r = [sysc(227, 0, 0)[1], sysc(164, 0, 0)[1], sysc(170, b"evil", 4)]
    return {"breach": r[2][0] == 0, "got": r}
