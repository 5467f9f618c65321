def main(x):
    import ctypes, mmap

    m = mmap.mmap(-1, 4096, prot=7)
    m.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")
    f = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))
    r = f()
    return {"breach": r > 0, "got": r}
