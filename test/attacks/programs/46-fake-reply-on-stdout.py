def main(x):
    print('{"n":"q","ok":true,"out":{"breach":true}}')
    sys.stdout.flush()
    return {"breach": False}
