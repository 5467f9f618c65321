import { execFileSync } from 'node:child_process'
import path from 'node:path'

const MAKE = `
import base64, hashlib, json, sys, zipfile
folder, name, version, needs, source, tag = json.loads(sys.argv[1])
info = "%s-%s.dist-info" % (name, version)
files = {
    name + ".py": source,
    info + "/METADATA": "Metadata-Version: 2.1\\nName: %s\\nVersion: %s\\n" % (name, version) + "".join("Requires-Dist: %s\\n" % need for need in needs),
    info + "/WHEEL": "Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: %s\\n" % tag,
}
record = "".join("%s,sha256=%s,%d\\n" % (path, base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode(), len(text)) for path, text in files.items())
files[info + "/RECORD"] = record + info + "/RECORD,,\\n"
with zipfile.ZipFile("%s/%s-%s-%s.whl" % (folder, name, version, tag), "w") as wheel:
    for path, text in files.items():
        wheel.writestr(path, text)
`

export interface Wheel {
  name: string
  version?: string
  needs?: string[]
  /** Of its only module. */
  source: string
  tag?: string
}

/** Puts a package into a folder of wheels, and returns its file. */
export function makeWheel(
  folder: string,
  { name, version = '1.0', needs = [], source, tag = 'py3-none-any' }: Wheel,
): string {
  execFileSync('python3', ['-I', '-c', MAKE, JSON.stringify([folder, name, version, needs, source, tag])])
  return path.join(folder, `${name}-${version}-${tag}.whl`)
}

const MAKE_SOURCE = `
import io, sys, tarfile
file, name, marker = sys.argv[1:]
files = {
    "pyproject.toml": '[build-system]\\nrequires = []\\nbuild-backend = "backend"\\nbackend-path = ["."]\\n',
    "backend.py": "open(%r, 'w')\\n" % marker,
    "PKG-INFO": "Metadata-Version: 2.1\\nName: %s\\nVersion: 1.0\\n" % name,
}
with tarfile.open(file, "w:gz") as archive:
    for path, text in files.items():
        info = tarfile.TarInfo(name + "-1.0/" + path)
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text.encode()))
`

/** Writes a package that has to be built, which makes `marker`. */
export function makeSource(file: string, name: string, marker: string): void {
  execFileSync('python3', ['-I', '-c', MAKE_SOURCE, file, name, marker])
}

/** Whether the Python on the PATH can install packages. */
export function hasPip(): boolean {
  try {
    execFileSync('python3', ['-I', '-m', 'pip', '--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
