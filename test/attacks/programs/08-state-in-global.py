SEEN = []


def main(x):
    SEEN.append(x)
    return {"breach": len(SEEN) > 1, "got": len(SEEN)}
