"""Runs one Python program for the host, as its only job.

The process started by the host becomes the supervisor: it reads one configuration line from descriptor 3, makes itself strict, and never
runs the program's code. With `shared` isolation it forks a child, which takes the second filter, loads the program and answers request
after request on descriptor 3; when the child ends, the supervisor says so on descriptor 5, which no child has, and may be told to fork the
next one. With `request` isolation it forks for each request: the child loads the program, answers through a pipe, and ends.

With arguments it is the way into a sandbox for other harnesses: it makes itself strict, as the first one says, and becomes what the others name.

A request is `{"n": nonce, "in": input}` or, to a shared child only, `{"n": nonce, "ins": [input, ...]}`. Standard output and standard
error are logs. Only the standard library, Python 3.9 and newer.
"""

import sys

del sys.path[0]  # the folder of this file; nothing beside it may shadow a module

import binascii
import ctypes
import fcntl
import gc
import json
import mmap
import os
import resource
import select
import signal
import time

# The last one is a pipe of each child that answers many requests: it closes when that has ended.
CHANNEL, CONTROL, SIGN_OF_LIFE = 3, 5, 4
MAX_DEPTH = 64
MAX_INTEGER = 2**53 - 1
MAX_MESSAGE = 1000
# Only an interpreter that never got as far as this file ends with status 1: the host tells the two apart.
ENDED_BY_ITSELF = 64
# Address space that the interpreter and its libraries map without using it.
SPARE_BYTES = 512 << 20
# Around an input or output: a nonce and a few words, or the message of a failure.
ENVELOPE_BYTES = 16 << 10
# A request starts with `{"n":"`, a nonce, `"`.
NONCE = slice(6, 42)
# After so much time a chunk is answered as far as it got, so that its time limit can be that of one input.
SLICE_SECONDS = 0.05

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
PID_SLOT = (0xDEADBEEF).to_bytes(4, "little")

HINT = " [the sandbox has no network, no other processes, and no files but the program's own, read-only]"

libc = ctypes.CDLL(None, use_errno=True)
allowed_seconds = None


def main():
    if len(sys.argv) > 1:
        become(json.loads(sys.argv[1]), sys.argv[2:])
    # The filter for the process that starts the sandbox was on descriptor 4.
    os.closerange(CHANNEL + 1, CONTROL)
    os.closerange(CONTROL + 1, 4096)
    config = read_config()
    if "folder" in config and identity(os.path.dirname(config["program"])) != config["folder"]:
        send(failure(config["n"], "error", "its folder is not the one that was verified"))
        os._exit(ENDED_BY_ITSELF)
    # After the standard library, so that no package takes the place of one of its modules.
    sys.path += config.get("packages", [])
    harden(config)
    if "stage2" in config:
        config["stage2"] = binascii.a2b_base64(config["stage2"])
    # A program that prints is heard at once and in order, and what it prints never reaches the channel.
    sys.stdout = sys.stderr
    if config.get("alone"):
        return serve(config, lambda: compile_program(config["program"]), os.getppid())
    try:
        code = compile_program(config["program"])
    except BaseException as problem:
        return send(describe(config["n"], problem, config))
    gc.freeze()
    if config["isolation"] == "request":
        answer_in_forks(config, code)
    else:
        answer_in_one(config, code)


def identity(folder):
    status = os.stat(folder)
    return "%d:%d" % (status.st_dev, status.st_ino)


def read_config():
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(CHANNEL, 65536)
        if not part:
            os._exit(0)  # the host is gone, or has changed its mind
        line += part
    return json.loads(line)


def become(config, command):
    """The filter is the last thing: it allows no signal and no limit but for this process, which stays the same one."""
    os.closerange(CHANNEL + 1, 4096)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    for name in ("CORE", "MEMLOCK", "MSGQUEUE"):
        limit(name, 0)
    restrict_files(config["readable"], config["executable"])
    drop_capabilities()
    install_filter(binascii.a2b_base64(config["filter"]).replace(PID_SLOT, os.getpid().to_bytes(4, "little")))
    os.execv(command[0], command)


# A process for all requests, until it ends


def answer_in_one(config, code):
    supervisor = os.getpid()
    while True:
        progress = new_progress()
        reading, writing = os.pipe()

        def answer_all():
            os.dup2(writing, SIGN_OF_LIFE)
            os.closerange(SIGN_OF_LIFE + 1, 64)
            serve(config, lambda: code, supervisor, progress)

        child = in_child(answer_all)
        os.close(writing)
        status = wait_for_end(child, reading)
        code_of_end = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else ENDED_BY_ITSELF
        config["n"] = ask_for_mark(code_of_end, seen(progress))
        skip_to_mark(config["n"].encode())


def new_progress():
    """The place in a chunk where a child is, or -1, and since when. Each child has its own, so that none finds what another has written."""
    progress = memoryview(new_buffer(16, "MAP_SHARED")).cast("d")
    progress[0] = -1
    return progress


def seen(progress):
    """What the child claims, and no more: it is written by the program's process."""
    place, since = progress
    milliseconds = (time.monotonic() - since) * 1000
    if not (0 <= place <= 1 << 20 and 0 <= milliseconds <= 1 << 31):
        return {"at": -1, "ms": 0}
    return {"at": int(place), "ms": int(milliseconds)}


def wait_for_end(child, sign_of_life):
    """A line from the host, or anything but silence from the child, means: kill it. One that has ended stays what it has ended as."""
    ready, _, _ = select.select([CONTROL, sign_of_life], [], [])
    if CONTROL in ready:
        read_control()
    os.kill(child, signal.SIGKILL)
    os.close(sign_of_life)
    return os.waitpid(child, 0)[1]


def ask_for_mark(code_of_end, seen):
    """The host answers with the mark that separates what the last child was sent from what the next one is. Without an answer, all ends."""
    try:
        os.write(CONTROL, json.dumps({"status": code_of_end, **seen}).encode() + b"\n")
        mark = ""
        while not mark:
            # An empty line was meant for the child that has ended.
            mark = read_control(code_of_end).strip()
        return mark
    except OSError:
        os._exit(code_of_end)


def read_control(code_of_end=0):
    line = b""
    while not line.endswith(b"\n"):
        part = os.read(CONTROL, 1)
        if not part:
            os._exit(code_of_end)
        line += part
    return line.decode()


def skip_to_mark(mark):
    """Reads up to the mark, with which the host has stopped, and repeats it behind whatever the last child has written."""
    line = b"\n" + mark + b"\n"
    buffer = bytearray(1 << 12)
    size = 0
    while buffer[max(0, size - len(line)) : size] != line:
        # Of what was read, as much as the mark may begin in.
        kept = min(size, len(line) - 1)
        buffer[:kept] = buffer[size - kept : size]
        count = os.readv(CHANNEL, [memoryview(buffer)[kept:]])
        if count == 0:
            os._exit(0)
        size = kept + count
    # Inputs are nothing that the next child should find.
    wipe(buffer, len(buffer))
    send(line)


def in_child(job):
    # These flags belong to all processes that have the descriptor: an earlier child may have set them.
    for descriptor in range(CHANNEL + 1):
        fcntl.fcntl(descriptor, fcntl.F_SETFL, 0)
    child = os.fork()
    if child == 0:
        try:
            job()
        finally:
            # No exception may unwind into a second supervisor, and no atexit handler may run.
            os._exit(ENDED_BY_ITSELF)
    return child


# A process for each request


def answer_in_forks(config, code):
    """Inputs and outputs pass through two buffers that are wiped, so that no later child finds an earlier request in this memory."""
    limits = config["limits"]
    supervisor = os.getpid()
    request = new_buffer((limits["input_kb"] << 10) + ENVELOPE_BYTES)
    reply = new_buffer((limits["output_kb"] << 10) + ENVELOPE_BYTES)
    # Whether it loads is told once, and with the time to load that is its due.
    answer(config["n"].encode(), lambda: try_loading(config, code, supervisor), reply)
    while True:
        size = read_line(request)
        if size == 0:
            return
        answer(request[NONCE], lambda: answer_once(config, code, supervisor, request, size), reply)
        wipe(request, size)


def new_buffer(size, sharing="MAP_PRIVATE"):
    """Takes memory when it is used, and none of a child's unless it is shared."""
    return mmap.mmap(-1, size, flags=getattr(mmap, sharing) | mmap.MAP_ANONYMOUS)


def answer(nonce, job, reply):
    """Runs `job` in a child whose channel is a pipe, and passes on the one frame that comes out of it."""
    reading, writing = os.pipe()

    def with_pipe():
        os.dup2(writing, CHANNEL, inheritable=False)
        os.closerange(CHANNEL + 1, 64)
        job()

    child = in_child(with_pipe)
    os.close(writing)
    view = memoryview(reply)
    size = 0
    while size < len(reply):
        count = os.readv(reading, [view[size:]])
        if count == 0:
            break
        size += count
    os.close(reading)
    if size == len(reply):
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if size == len(reply):
        send(refusal(nonce, "output-limit", "the output is larger than %d KiB" % ((size - ENVELOPE_BYTES) >> 10)))
    elif size == 0:
        send(refusal(nonce, *cause_of_end(status)))
    elif reply.find(b"\n", 0, size) != size - 1:
        send(refusal(nonce, "protocol", "the program broke the frame protocol: extra-bytes"))
    else:
        send(view[:size])
    wipe(reply, size)


def read_line(buffer):
    view = memoryview(buffer)
    size = 0
    while size == 0 or buffer[size - 1] != 10:
        count = os.readv(CHANNEL, [view[size:]])
        if count == 0:
            return 0
        size += count
    return size


def wipe(buffer, size):
    buffer[:size] = bytes(size)


def cause_of_end(status):
    if not os.WIFSIGNALED(status):
        return "noreply", "the program ended without an answer"
    number = os.WTERMSIG(status)
    if number == signal.SIGXCPU:
        return "cpu", "the program used up its processor time"
    return "killed", "the program was ended by %s" % signal.Signals(number).name


def try_loading(config, code, supervisor):
    nonce = config["n"]
    if begin(config, nonce, lambda: code, supervisor, config["limits"]["load_ms"]) is not None:
        send(accept(nonce))


def answer_once(config, code, supervisor, request, size):
    given = json.loads(request[:size])
    execute = begin(config, given["n"], lambda: code, supervisor, config["limits"]["timeout_ms"])
    if execute is not None:
        send(answerer(config)(execute, given))


# What both processes live under


def harden(config):
    if sys.platform == "linux":
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
        install_filter(binascii.a2b_base64(config["stage1"]))


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


class FilterProgram(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p)]


def install_filter(instructions):
    buffer = ctypes.create_string_buffer(instructions, len(instructions))
    program = FilterProgram(len(instructions) // 8, ctypes.addressof(buffer))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_SECCOMP, 2, ctypes.addressof(program))


LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446
EXECUTE, READ_FILE, READ_DIRECTORY = 1, 1 << 2, 1 << 3


def restrict_files(readable, executable=()):
    """Landlock: from here on `readable` can be read, and nothing else on the file system can be opened, listed, changed or executed."""
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
        allowed = READ_FILE | (READ_DIRECTORY if os.path.isdir(path) else 0) | (EXECUTE if path in executable else 0)
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


def serve(config, compiled, supervisor, progress=None):
    """Answers one request after the other."""
    limits = config["limits"]
    # Bound here, so that a program that patches the json module harms nothing but its own answers.
    decode = json.JSONDecoder().decode
    answer = answerer(config)
    answer_many = chunk_answerer(config, progress)
    execute = begin(config, config["n"], compiled, supervisor, limits["load_ms"])
    if execute is None:
        return
    gc.freeze()  # what the program loaded stays: the collector need not look at it again
    send(accept(config["n"]))
    for line in os.fdopen(CHANNEL, "rb", 1 << 16):
        limit_processor_time(limits["timeout_ms"])
        request = decode(line.decode())
        send(answer_many(execute, request) if "ins" in request else answer(execute, request))


def begin(config, nonce, compiled, supervisor, milliseconds):
    """Loads the program, in so much processor time. Returns its entry, or nothing when it has said why there is none."""
    if not take_filter(config, nonce, supervisor):
        return None
    limit_processor_time(milliseconds)
    try:
        return load(compiled(), config["program"])
    except BaseException as problem:
        send(describe(nonce, problem, config))


def take_filter(config, nonce, supervisor):
    try:
        if sys.platform == "linux":
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != supervisor:
            return False
        if "threads" in config:
            limit("NPROC", config["threads"])
        if "stage2" in config:
            own = os.getpid().to_bytes(4, "little")
            install_filter(config["stage2"].replace(PID_SLOT, own))
        return True
    except OSError as problem:
        send(failure(nonce, "sandbox-unavailable", str(problem)))
        return False


def limit_processor_time(milliseconds):
    """Allows so much more than this process has used so far: it answers thousands of calls in its life, each with its own share."""
    soft = int(time.process_time()) + 1 - (-milliseconds // 1000)
    global allowed_seconds
    if soft == allowed_seconds:
        return  # whole seconds: it is rarely another one
    allowed_seconds = soft
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.RLIM_INFINITY))
    except ValueError:
        pass  # whoever started the host has set a lower hard limit


def compile_program(path):
    with open(path, "rb") as file:
        return compile(file.read(), path, "exec", dont_inherit=True)


def load(code, path):
    # Modules beside the program come last: they shadow nothing of the standard library.
    sys.path.append(os.path.dirname(path))
    # A registered module: dataclasses and pickle look their own module up.
    module = type(sys)("program")
    module.__file__ = path
    sys.modules["program"] = module
    exec(code, module.__dict__)
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


def answerer(config):
    encode = encoder()
    max_bytes = config["limits"]["output_kb"] << 10

    def answer(execute, request):
        nonce = request["n"]
        try:
            value = execute(request["in"])
            check(value, 0)
            body = encode(value)
        except BaseException as problem:
            return describe(nonce, problem, config)
        if len(body) > max_bytes:
            return failure(nonce, *too_large(max_bytes))
        return b'{"n":"%s","ok":true,"out":%s}\n' % (nonce.encode(), body)

    return answer


def chunk_answerer(config, progress):
    """Answers many inputs with one frame, or as many of them as fit into a slice of time and the limit on outputs."""
    progress = progress or [0.0] * 2
    encode, quote, clock = encoder(), json.encoder.encode_basestring, time.monotonic
    max_bytes = config["limits"]["output_kb"] << 10

    def answer_many(execute, request):
        progress[1] = now = clock()
        deadline = now + SLICE_SECONDS
        bodies, bad, size = [], [], 0
        for value in request["ins"]:
            progress[0] = len(bodies)
            refused = None
            try:
                value = execute(value)
                if type(value) is str and value.isascii():
                    body = quote(value).encode()
                else:
                    check(value, 0)
                    body = encode(value)
                if len(body) > max_bytes:
                    refused = too_large(max_bytes)
            except BaseException as problem:
                refused = explain(problem, config)
            if refused:
                body = b"null"
                bad.append(encode([len(bodies), *refused]))
                size += len(bad[-1])
            bodies.append(body)
            size += len(body) + 1
            # The host takes as much as one output at its largest may have.
            if size > max_bytes and len(bodies) > 1:
                bodies.pop()
                if refused:
                    bad.pop()
                break
            progress[1] = now = clock()
            if now > deadline or (refused and refused[0] == "memory"):
                break
        progress[0] = -1
        return b'{"n":"%s","ok":true,"outs":[%s],"bad":[%s]}\n' % (
            request["n"].encode(),
            b",".join(bodies),
            b",".join(bad),
        )

    return answer_many


def encoder():
    slow = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":"))
    make = json.encoder.c_make_encoder
    if make is None:
        return lambda value: slow.encode(value).encode()
    # What `slow.encode` makes anew for each value.
    parts = make(None, slow.default, json.encoder.encode_basestring, None, ":", ",", False, False, False)
    join = "".join
    return lambda value: join(parts(value, 0)).encode()


def too_large(max_bytes):
    return "output-limit", "the output is larger than %d KiB" % (max_bytes >> 10)


class NotAnOutput(Exception):
    """What the program returned is nothing that JSON can hold, or more than may be returned."""


def check(value, depth):
    """Exact types only: a subclass can answer differently each time it is asked."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return
    if depth > MAX_DEPTH and kind in (dict, list, tuple):
        raise NotAnOutput("cannot return more than %d nested levels" % MAX_DEPTH)
    if kind is int:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise NotAnOutput("cannot return an integer beyond 2**53 - 1")
    elif kind is float:
        if value - value != 0:
            raise NotAnOutput("cannot return NaN or infinity")
    elif kind is dict:
        for key, item in value.items():
            if type(key) is not str:
                raise NotAnOutput("cannot return an object with a key that is a %s" % type(key).__name__)
            check(item, depth + 1)
    elif kind is list or kind is tuple:
        for item in value:
            check(item, depth + 1)
    else:
        raise NotAnOutput("cannot return a %s" % kind.__name__)


def describe(nonce, problem, config):
    return failure(nonce, *explain(problem, config))


def explain(problem, config):
    if isinstance(problem, NotAnOutput):
        return "bad-output", str(problem)
    if isinstance(problem, UnicodeEncodeError) and problem.reason == "surrogates not allowed":
        return "bad-output", "cannot return a string with a lone surrogate"
    kind = "memory" if isinstance(problem, MemoryError) else "error"
    try:
        text = str(problem)[:MAX_MESSAGE]
    except BaseException:
        text = ""
    message = type(problem).__name__[:MAX_MESSAGE] + (": " + text if text else "") + place(problem, config["program"])
    if "stage2" in config and (isinstance(problem, OSError) or "start new thread" in text):
        message += HINT
    # A lone surrogate in it would keep it from being sent.
    return kind, message.encode("utf-8", "backslashreplace").decode()


def place(problem, path):
    line, step = None, problem.__traceback__
    while step is not None:
        if step.tb_frame.f_code.co_filename == path:
            line = step.tb_lineno
        step = step.tb_next
    return " (%s:%d)" % (os.path.basename(path), line) if line else ""


def accept(nonce):
    return b'{"n":"%s","ok":true,"out":null}\n' % nonce.encode()


def failure(nonce, kind, message):
    return refusal(nonce.encode(), kind, message)


def refusal(nonce, kind, message):
    return b'{"n":"%s","ok":false,"kind":"%s","message":%s}\n' % (nonce, kind.encode(), json.dumps(message).encode())


def send(frame):
    rest = memoryview(frame)
    while rest:
        rest = rest[os.write(CHANNEL, rest) :]


main()
