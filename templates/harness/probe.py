"""Tries, as an ordinary program, what no program may be able to do. Answers with what it could do: an empty list is a pass.

The input: {"canary": file outside, "home": folder, "port": of a listener of the host, "environment": names, "mounts": paths that may be
seen, "ownProcesses": whether the sandbox has process ids of its own}. Whatever an attempt raises means that it was refused.
"""

import ctypes
import os
import platform
import signal
import socket

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long

X64 = platform.machine() in ("x86_64", "AMD64")
PTRACE, UNSHARE, KEYCTL, MEMFD_CREATE, SETSID = (101, 272, 250, 319, 112) if X64 else (117, 97, 219, 279, 157)
IO_URING_SETUP = 425
CLONE_NEWUSER = 0x10000000
PTRACE_TRACEME, KEYCTL_GET_KEYRING_ID = 0, 0
PR_SET_PDEATHSIG = 1


def execute(given):
    attempts = {
        "read a file outside": lambda: open(given["canary"]).read(),
        "read /etc/passwd": lambda: open("/etc/passwd").read(),
        "see the home directory": lambda: stranger_in(given["home"], given["mounts"]),
        "see the root directory": lambda: stranger_in("/", given["mounts"]),
        "write beside itself": lambda: open(__file__ + ".written", "w"),
        "change itself": lambda: open(__file__, "r+"),
        "change the mode of a file outside": lambda: os.chmod(given["canary"], 0o600),
        "change the owner of a file outside": lambda: os.chown(given["canary"], os.getuid(), os.getgid()),
        "change the times of a file outside": lambda: os.utime(given["canary"]),
        "change the attributes of a file outside": lambda: os.setxattr(given["canary"], "user.loopai", b"1"),
        "empty a file outside": lambda: os.truncate(given["canary"], 0),
        "empty a file outside by opening it": lambda: os.open(given["canary"], os.O_RDONLY | os.O_TRUNC),
        "rename a file outside": lambda: os.rename(given["canary"], given["canary"] + ".renamed"),
        "change its own mode": lambda: os.chmod(__file__, os.stat(__file__).st_mode),
        "write to /tmp": lambda: open("/tmp/loopai-probe", "w"),
        "write to the root directory": lambda: open("/loopai-probe", "w"),
        "write to /dev": lambda: open("/dev/loopai-probe", "w"),
        "see the environment": lambda: expect(set(os.environ) - set(given["environment"]) - {"PWD", "LC_CTYPE"}),
        "connect to this machine": lambda: socket.create_connection(("127.0.0.1", given["port"]), 1),
        "start a process": fork,
        "start a program": lambda: os.posix_spawn("/bin/true", ["true"], {}),
        "signal its supervisor": lambda: os.kill(os.getppid(), 0),
        "signal other processes": lambda: os.kill(-1, 0),
        "signal its group": lambda: os.kill(0, 0),
        "limit other processes": lambda: limit(os.getppid()),
        "trace": lambda: call(PTRACE, PTRACE_TRACEME, 0, 0, 0),
        "make a namespace": lambda: call(UNSHARE, CLONE_NEWUSER),
        "use io_uring": lambda: call(IO_URING_SETUP, 1, ctypes.create_string_buffer(256)),
        "use the keyring": lambda: call(KEYCTL, KEYCTL_GET_KEYRING_ID, -3, 0),
        "make memory files": lambda: call(MEMFD_CREATE, b"probe", 0),
        "leave its process group": lambda: call(SETSID),
        "outlive its supervisor": lambda: expect(libc.prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) == 0),
        "read /proc": lambda: os.listdir("/proc"),
        "change its groups": lambda: expect(libc.setgroups(0, None) == 0),
    }
    for family in ("AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK", "AF_PACKET", "AF_VSOCK", "AF_ALG"):
        if hasattr(socket, family):
            attempts["open an %s socket" % family] = lambda number=getattr(socket, family): open_socket(number)
    if given["ownProcesses"]:
        attempts["see more than two processes"] = lambda: expect(os.getppid() != 1 or os.getpid() != 2)
    return [name for name, attempt in attempts.items() if succeeds(attempt)]


def succeeds(attempt):
    try:
        attempt()
        return True
    except BaseException:
        return False


def expect(breached):
    if not breached:
        raise PermissionError


def call(number, *arguments):
    expect(libc.syscall(ctypes.c_long(number), *[as_argument(argument) for argument in arguments]) >= 0)


def as_argument(argument):
    return ctypes.c_long(argument) if isinstance(argument, int) else argument


def open_socket(family):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        try:
            return socket.socket(family, kind)
        except OSError:
            pass
    raise PermissionError


def fork():
    if os.fork() == 0:
        os._exit(0)


def limit(process):
    import resource

    resource.prlimit(process, resource.RLIMIT_NOFILE)


def stranger_in(folder, mounts):
    """Sees something in a folder that is not on the way to what was mounted."""
    paths = [os.path.join(folder, name) for name in os.listdir(folder)]
    expect([path for path in paths if not any((mount + "/").startswith(path + "/") for mount in mounts)])
