def main(x):
    time.sleep(60)
