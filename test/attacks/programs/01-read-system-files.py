def main(x):
    return tryread("/etc/passwd", "/etc/shadow", "/etc/hostname")
