def main(x):
    victim = 1 if OWN_PROCESSES else os.getppid()
    r = [sysc(101, 16, victim, 0, 0), sysc(101, 16, os.getppid(), 0, 0), sysc(310, os.getppid(), 0, 0, 0, 0, 0)]
    return {"breach": r[0][0] == 0 or r[1][0] == 0 or r[2][0] >= 0, "got": r}
