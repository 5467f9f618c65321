def main(x):
    # The first queues, segments and semaphores of this machine, whoever made them: IPC_STAT, then what is in them.
    found = []
    buffer = bytes(256)
    for queue in range(64):
        if sysc(71, queue, 2, buffer)[1] not in ("EPERM", "ENOSYS"):
            found.append("ask for queue %d" % queue)
        if sysc(70, queue, buffer, 8, 0, 0o4000)[1] not in ("EPERM", "ENOSYS"):
            found.append("read queue %d" % queue)
        if sysc(66, queue, 0, 2, buffer)[1] not in ("EPERM", "ENOSYS"):
            found.append("ask for semaphores %d" % queue)
    if sysc(241, b"loopai-attack")[1] not in ("EPERM", "ENOSYS"):
        found.append("remove a queue")
    return {"breach": bool(found), "got": found[:4]}
