def main(x):
    while True:
        pass
