def main(x):
    return tryread(HERE + "/link", HERE + "/etc/passwd", HERE + "/up/secret.json", HERE + "/../program/link")
