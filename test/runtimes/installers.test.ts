import { expect, test } from 'vitest'
import { complaintOf, installerEnvironment, refusalOf } from '../../src/runtimes/installers.ts'

test.each([
  ['/usr/bin/python3.11: No module named pip', 'no-pip'],
  ["ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device: '/x'", 'disk'],
  ['ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.', 'hash'],
  ['  × Failed to read `loudness==1.0`\n  ╰─▶ Hash mismatch for `loudness==1.0`', 'hash'],
  [
    "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError(': Failed to establish a new connection: [Errno 111] Connection refused')'\nERROR: No matching distribution found for x",
    'network',
  ],
  ['cause: error sending request for url (https://example.com/simple/x/)\ncause: dns error', 'network'],
  ['ERROR: No matching distribution found for x', 'no-wheel'],
  ['ERROR: not a wheel: it would have to be built or fetched by /usr/bin/python3', 'no-wheel'],
  [
    'Because x was not found in the package registry and you require x, we can conclude that your requirements are unsatisfiable.',
    'no-wheel',
  ],
  [
    'numpy<=1.19.5 have no usable wheels, we can conclude that your requirements are unsatisfiable.',
    'no-wheel',
  ],
  [
    'ERROR: Cannot install a and b==2 because these package versions have conflicting dependencies.\nERROR: ResolutionImpossible: for help visit https://example.com',
    'conflict',
  ],
  [
    'Because a depends on b<2 and you require b>=2, we can conclude that your requirements are unsatisfiable.',
    'conflict',
  ],
  ['Segmentation fault', 'other'],
])('%j is understood', (said, refusal) => {
  expect(refusalOf(said)).toBe(refusal)
})

test('a complaint begins where the tool says that it is one', () => {
  expect(
    complaintOf('Looking in links: /wheels\nWARNING: slow\nERROR: No matching distribution found\n'),
  ).toEqual(['ERROR: No matching distribution found'])
})

test('variables that would install elsewhere, or build, are left out', () => {
  const given = {
    PATH: '/usr/bin',
    PIP_INDEX_URL: 'https://example.com/simple',
    PIP_NO_BINARY: ':all:',
    PIP_TARGET: '/elsewhere',
    PYTHONPATH: '/hidden',
    VIRTUAL_ENV: '/venv',
    UV_INDEX_URL: 'https://example.com/simple',
  }
  expect(Object.keys(installerEnvironment(given, '/tmp/x')).sort()).toEqual(
    [
      'LC_ALL',
      'PATH',
      'PIP_INDEX_URL',
      'PIP_REQUIRE_VIRTUALENV',
      'PIP_ROOT_USER_ACTION',
      'PIP_USER',
      'TMPDIR',
      'UV_INDEX_URL',
    ].sort(),
  )
})
