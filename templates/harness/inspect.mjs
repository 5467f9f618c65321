// Prints, as JSON, what the Node.js that runs it is and which files it needs to run elsewhere.
import { execFileSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'

let hasLdd = true
const executable = realpathSync(process.execPath)
const places = [executable, ...libraries(), '/etc/ld.so.cache', '/usr/share/zoneinfo'].filter(existsSync)
const mounts = [...new Set(places)].map(target => ({ source: realpathSync(target), target }))
const platform = `${process.platform}-${process.arch}`
console.log(JSON.stringify({ executable, version: process.versions.node, platform, ldd: hasLdd, mounts }))

/** The places of the libraries, as the loader asks for them. */
function libraries() {
  try {
    const listing = execFileSync('ldd', [executable], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return [...listing.matchAll(/(?:=> |^\s+)(\/.*) \(0x/gm)].map(([, place]) => place)
  } catch (error) {
    hasLdd = process.platform !== 'linux' || error.code !== 'ENOENT'
    return [] // linked statically, or a system without ldd
  }
}
