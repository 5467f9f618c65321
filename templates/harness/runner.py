"""Runs one Python program for the host, as its only job.

The process started by the host becomes the supervisor: it reads one configuration line from descriptor 3, makes itself strict, and
forks. The child takes the second filter, loads the program once and answers one request at a time on descriptor 3; the supervisor
never runs the program's code. Standard output and standard error are logs. Only the standard library, Python 3.9 and newer.
"""

import sys

del sys.path[0]  # the folder of this file; nothing beside it may shadow a module

import ctypes
import gc
import json
import os
import resource
import signal
import time

CHANNEL = 3
MAX_DEPTH = 64
MAX_INTEGER = 2**53 - 1
MAX_MESSAGE = 1000
# Only an interpreter that never got as far as this file ends with status 1: the host tells the two apart.
ENDED_BY_ITSELF = 64
# Address space that the interpreter and its libraries map without using it.
SPARE_BYTES = 512 << 20

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
PID_SLOT = (0xDEADBEEF).to_bytes(4, "little")

HINT = " [the sandbox has no network, no other processes, and no files but the program's own, read-only]"

libc = ctypes.CDLL(None, use_errno=True)


def main():
    # The filter for the process that starts the sandbox was on descriptor 4; nothing but the channel is the program's.
    os.closerange(CHANNEL + 1, 64)
    channel = os.fdopen(CHANNEL, "rb")
    line = channel.readline()
    if not line:
        os._exit(0)  # the host is gone, or has changed its mind
    config = json.loads(line)
    harden(config)
    supervisor = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            serve(config, channel, supervisor)
        finally:
            # No exception may unwind into a second supervisor, and no atexit handler may run.
            os._exit(ENDED_BY_ITSELF)
    os.close(CHANNEL)
    _, status = os.waitpid(child, 0)
    os._exit(128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else ENDED_BY_ITSELF)


# What both processes live under


def harden(config):
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    prctl(PR_SET_DUMPABLE, 0)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGPIPE"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    limits = {"CORE": 0, "MEMLOCK": 0, "MSGQUEUE": 0, "NOFILE": 64, "FSIZE": 0}
    limits["AS"] = (config["limits"]["memory_mb"] << 20) + SPARE_BYTES
    for name, value in limits.items():
        limit(name, value)
    if "readable" in config:
        restrict_files(config["readable"])
        drop_capabilities()
    if "stage1" in config:
        install_filter(decode_base64(config["stage1"]))


def limit(name, value):
    try:
        resource.setrlimit(getattr(resource, "RLIMIT_" + name), (value, value))
    except ValueError:
        pass  # the limit that holds already is lower
    except AttributeError:
        pass  # this system has no such limit


def prctl(*arguments):
    padded = arguments + (0,) * (5 - len(arguments))
    if libc.prctl(*[ctypes.c_ulong(argument) for argument in padded]) != 0:
        raise failed("prctl")


def failed(what):
    number = ctypes.get_errno()
    return OSError(number, "%s: %s" % (what, os.strerror(number)))


def decode_base64(text):
    import binascii

    return binascii.a2b_base64(text)


class FilterProgram(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


def install_filter(instructions):
    buffer = ctypes.create_string_buffer(instructions, len(instructions))
    program = FilterProgram(len(instructions) // 8, ctypes.addressof(buffer))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_SECCOMP, 2, ctypes.addressof(program))


LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
READ_FILE, READ_DIRECTORY = 1 << 2, 1 << 3


def restrict_files(readable):
    """Landlock: from here on `readable` can be read, and nothing else on the file system can be opened, listed or changed."""
    syscall = libc.syscall
    syscall.restype = ctypes.c_long
    version = syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), 1)
    if version < 1:
        raise failed("landlock")
    # Every right that this kernel knows is taken; those that newer ones added cannot be named on older ones.
    rights = (1 << 13) - 1
    rights |= (1 << 13) if version >= 2 else 0
    rights |= (1 << 14) if version >= 3 else 0
    rights |= (1 << 15) if version >= 5 else 0
    network = 3 if version >= 4 else 0
    scopes = 3 if version >= 6 else 0
    attributes = b"".join(part.to_bytes(8, "little") for part in (rights, network, scopes))
    size = 8 if version < 4 else 16 if version < 6 else 24
    rules = syscall(LANDLOCK_CREATE_RULESET, attributes, ctypes.c_size_t(size), 0)
    if rules < 0:
        raise failed("landlock_create_ruleset")
    for path in readable:
        descriptor = os.open(path, os.O_PATH)
        allowed = READ_FILE | (READ_DIRECTORY if os.path.isdir(path) else 0)
        rule = allowed.to_bytes(8, "little") + descriptor.to_bytes(4, "little")
        if syscall(LANDLOCK_ADD_RULE, rules, 1, rule, 0) != 0:
            raise failed("landlock_add_rule " + path)
        os.close(descriptor)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    if syscall(LANDLOCK_RESTRICT_SELF, rules, 0) != 0:
        raise failed("landlock_restrict_self")
    os.close(rules)


def drop_capabilities():
    """Without namespaces root stays root: at least it is root without powers."""
    version_3 = (0x20080522).to_bytes(4, "little") + bytes(4)
    if libc.capset(version_3, bytes(24)) != 0:
        raise failed("capset")


# The process that runs the program


def serve(config, channel, supervisor):
    limits = config["limits"]
    nonce = config["n"]
    # A program that prints is heard at once and in order, and what it prints never reaches the channel.
    sys.stdout = sys.stderr
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != supervisor:
            return
        if "threads" in config:
            limit("NPROC", config["threads"])
        if "stage2" in config:
            own = os.getpid().to_bytes(4, "little")
            install_filter(decode_base64(config["stage2"]).replace(PID_SLOT, own))
    except OSError as problem:
        send(failure(nonce, "sandbox-unavailable", str(problem)))
        return
    hint = HINT if "stage2" in config else ""
    answer = answerer(config["program"], hint, limits["output_kb"] << 10)
    seconds = -(-limits["timeout_ms"] // 1000)
    limit_processor_time(-(-limits["load_ms"] // 1000))
    try:
        execute = load(config["program"])
    except BaseException as problem:
        send(describe(nonce, problem, config["program"], hint))
        return
    gc.freeze()  # what the program loaded stays: the collector need not look at it again
    send(b'{"n":"%s","ok":true,"out":null}\n' % nonce.encode())
    for line in channel:
        limit_processor_time(seconds)
        send(answer(execute, line))


def limit_processor_time(seconds):
    """Allows `seconds` more than this process has used so far: it answers thousands of calls in its life, each with its own share."""
    soft = int(time.process_time()) + 1 + seconds
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))
    except ValueError:
        pass  # whoever started the host has set a lower hard limit


def load(path):
    with open(path, "rb") as file:
        source = file.read()
    # A registered module: dataclasses and pickle look their own module up.
    module = type(sys)("program")
    module.__file__ = path
    sys.modules["program"] = module
    exec(compile(source, path, "exec", dont_inherit=True), module.__dict__)
    for name in ("execute", "main"):
        if callable(getattr(module, name, None)):
            return getattr(module, name)
    if callable(getattr(module, "classify", None)):
        return lambda value: module.classify(only_text(value))
    raise NameError("%s defines no execute(input_data)" % os.path.basename(path))


def only_text(value):
    texts = [value] if type(value) is str else []
    if type(value) is dict:
        texts = [item for item in value.values() if type(item) is str]
    if len(texts) != 1:
        raise TypeError("classify(text) needs an input with exactly one string property")
    return texts[0]


def answerer(path, hint, max_bytes):
    # Bound here, so that a program that patches the json module harms nothing but its own answers.
    decode = json.JSONDecoder().decode
    encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")).encode

    def answer(execute, line):
        request = decode(line.decode())
        nonce = request["n"]
        try:
            value = execute(request["in"])
            check(value, 0)
            body = encode(value).encode()
        except UnicodeEncodeError as problem:
            if problem.reason == "surrogates not allowed":
                return failure(nonce, "error", "cannot return a string with a lone surrogate")
            return describe(nonce, problem, path, hint)
        except BaseException as problem:
            return describe(nonce, problem, path, hint)
        if len(body) > max_bytes:
            return failure(nonce, "output-limit", "the output is larger than %d KiB" % (max_bytes >> 10))
        return b'{"n":"%s","ok":true,"out":%s}\n' % (nonce.encode(), body)

    return answer


def check(value, depth):
    """Exact types only: a subclass can answer differently each time it is asked."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return
    if depth > MAX_DEPTH and kind in (dict, list, tuple):
        raise ValueError("cannot return more than %d nested levels" % MAX_DEPTH)
    if kind is int:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise ValueError("cannot return an integer beyond 2**53 - 1")
    elif kind is float:
        if value - value != 0:
            raise ValueError("cannot return NaN or infinity")
    elif kind is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise TypeError("cannot return an object with a key that is a %s" % type(key).__name__)
            check(item, depth + 1)
    elif kind is list or kind is tuple:
        for item in value:
            check(item, depth + 1)
    else:
        raise TypeError("cannot return a %s" % kind.__name__)


def describe(nonce, problem, path, hint):
    kind = "memory" if isinstance(problem, MemoryError) else "error"
    try:
        text = str(problem)[:MAX_MESSAGE]
    except BaseException:
        text = ""
    message = type(problem).__name__ + (": " + text if text else "") + place(problem, path)
    if isinstance(problem, OSError) or "start new thread" in text:
        message += hint
    return failure(nonce, kind, message)


def place(problem, path):
    line, step = None, problem.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == path:
            line = step.tb_lineno
        step = step.tb_next
    return " (%s:%d)" % (os.path.basename(path), line) if line else ""


def failure(nonce, kind, message):
    return json.dumps({"n": nonce, "ok": False, "kind": kind, "message": message}).encode() + b"\n"


def send(frame):
    rest = memoryview(frame)
    while rest:
        rest = rest[os.write(CHANNEL, rest) :]


main()
