def main(x):
    return tryread(OUTSIDE + "/secret.json")
