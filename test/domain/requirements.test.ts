import { describe, expect, test } from 'vitest'
import {
  environmentKey,
  isLockFor,
  parseLock,
  renderLock,
  requirementsOf,
} from '../../src/domain/requirements.ts'

const HASH = 'a'.repeat(64)

describe('a line of requirements.txt', () => {
  test.each([
    'numpy',
    'scikit-learn>=1.4,<2',
    'pkg[extra,other]==1.0.*',
    'pkg ~= 2.2 ; python_version < "3.12"',
    `pkg==1.0 --hash=sha256:${HASH}`,
    'pkg==1!2.0+local',
    'zip.tar-utils>=1',
    'pkg; platform_version == "a-b"',
  ])('%j is a package', line => {
    expect(requirementsOf(line)).toEqual([line])
  })

  test.each([
    '-r other.txt',
    '--extra-index-url https://example.com',
    '-e .',
    '.',
    './pkg',
    '/tmp/pkg-1.0-py3-none-any.whl',
    'pkg @ https://example.com/pkg.whl',
    'git+https://example.com/pkg',
    'pkg==1.0 --config-settings x=y',
    'pkg; os_name == "posix" @ x',
    '$HOME/pkg',
    'pkg; python_version > "3" --global-option=x',
    'pkg.tar.gz',
    'pkg.zip[extra]',
    'pkg==1.0.whl',
    'pkg>=1.0.TGZ ; python_version > "3"',
    `pkg.tar.xz --hash=sha256:${HASH}`,
  ])('%j is refused', line => {
    expect(() => requirementsOf(line)).toThrow(/is not a package/)
  })

  test('may have comments, be empty, and go on in the next one', () => {
    expect(requirementsOf('\uFEFF# all\r\n\r\nnumpy  # fast\r\nscipy \\\r\n  >=1\r\n')).toEqual([
      'numpy',
      'scipy >=1',
    ])
  })
})

test('a comment ends with its line, whatever is in it, and is left out at once', () => {
  const begin = performance.now()
  expect(requirementsOf(`numpy${' #'.repeat(50_000)}\u2028scipy\nwheel`)).toEqual(['numpy', 'wheel'])
  expect(performance.now() - begin).toBeLessThan(1000)
})

describe('a lock', () => {
  const lock = {
    requirements: HASH,
    platform: 'any',
    pins: [{ name: 'b', version: '1.0', hashes: [HASH, 'b'.repeat(64)] }],
  }

  test('is read as it was written', () => {
    expect(parseLock(renderLock(lock), 'index')).toEqual(lock)
  })

  test.each([
    ['without a head', renderLock(lock).split('\n').slice(1).join('\n')],
    ['with an option', `${renderLock(lock)}--index-url https://example.com\n`],
    ['with an address', `${renderLock(lock)}c @ https://example.com/c.whl --hash=sha256:${HASH}\n`],
    ['with a range', `${renderLock(lock)}c>=1 --hash=sha256:${HASH}\n`],
    ['with the name of a file', `${renderLock(lock)}c==1.0.tar.gz --hash=sha256:${HASH}\n`],
    ['without a hash', `${renderLock(lock)}c==1\n`],
  ])('%s is refused', (_, text) => {
    expect(() => parseLock(text, 'index')).toThrow(/not a lock/)
  })

  test('of what the system has needs no hashes', () => {
    const own = { ...lock, pins: [{ name: 'numpy', version: '1.24.2', hashes: [] }] }
    expect(parseLock(renderLock(own), 'system')).toEqual(own)
  })

  test('holds for the requirements that it was made of, and for its platform', () => {
    const made = {
      ...lock,
      requirements: '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      platform: 'here',
    }
    expect(isLockFor(made, '\0', 'here')).toBe(true)
    expect(isLockFor(made, '\0', 'there')).toBe(false)
    expect(isLockFor(made, 'numpy', 'here')).toBe(false)
    expect(environmentKey(HASH, 'here')).not.toBe(environmentKey(HASH, 'there'))
  })
})
