import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { loopai, prepared, readLines, succeed, traces, writeFiles } from '../helpers/cli.ts'
import { temporaryFolder } from '../helpers/repository.ts'

const copy = prepared(folder => succeed(folder, ['init']))
const appOf = (folder: string, id: string) => path.join(folder, 'loopai-data', 'loop-apps', id)

describe('from labelled rows', () => {
  test('with a column that numbers the rows beside a text, it is said what that does to repetitions', async () => {
    const folder = temporaryFolder()
    const rows = Array.from({ length: 30 }, (_, n) => `${n},some words of ${n % 3},${n % 2 ? 'x' : 'y'}\n`)
    writeFiles(folder, { 'rows.csv': `id,text,label\n${rows.join('')}` })
    const { stderr } = await loopai(folder, ['create', 'rows-001', '--examples', 'rows.csv'])
    expect(stderr).toContain('id is another in every row')
    expect(stderr).not.toContain('text is another')
  })

  test('of a CSV, with a byte order mark, CRLF and quotes, the schemas are inferred and said', async () => {
    const folder = await copy()
    const csv = '\ufefftext,stars,label\r\n"Win, now",5,spam\r\nhello,3.5,ham\r\n"say ""hi""",1,ham'
    writeFiles(folder, { 'rows.csv': csv })
    const { status, stdout, stderr } = await loopai(folder, ['create', 'mail-001', '--examples', 'rows.csv'])
    expect([status, stdout]).toEqual([
      0,
      'created mail-001 in loopai-data/loop-apps/mail-001 (3 examples, 0 golden cases)\n',
    ])
    expect(stderr).toBe(
      [
        'inferred input_schema: {"properties":{"stars":{"type":"number"},"text":{"type":"string"}},"required":["text","stars"],"type":"object"}',
        'inferred output_schema: {"enum":["ham","spam"],"type":"string"}',
        'took the column label as the answer; --label names another one\n',
      ].join('\n'),
    )
    const examples = path.join(appOf(folder, 'mail-001'), 'datasets', 'examples', 'examples.jsonl')
    expect(readLines(examples)).toEqual([
      { input: { text: 'Win, now', stars: 5 }, output: 'spam' },
      { input: { text: 'hello', stars: 3.5 }, output: 'ham' },
      { input: { text: 'say "hi"', stars: 1 }, output: 'ham' },
    ])
  })

  test('numbers with a comma are text, and that is said', async () => {
    const folder = await copy()
    writeFiles(folder, { 'rows.csv': 'list;size;price\na,b;"1,000";150000,25\n2,5;12;1.200,5\n3;7;7\n' })
    const create = ['create', 'homes-001', '--examples', 'rows.csv', '--label', 'price']
    const { stderr } = await loopai(folder, create)
    expect(stderr).toContain(
      'took size, price as text: the values look like numbers with a comma; write 1234.5 for a number\n',
    )
  })

  test('of JSON Lines, with columns of any name', async () => {
    const folder = await copy()
    writeFiles(folder, {
      'rows.jsonl': '\ufeff{"message":"a","kind":1,"junk":0}\r\n\r\n{"message":"b","kind":2,"junk":0}\r\n',
    })
    const columns = ['--label', 'kind', '--map', 'text=message']
    const create = ['create', 'mail-001', '--examples', 'rows.jsonl', '--task', 'Sort']
    const { stderr } = await loopai(folder, [...create, ...columns])
    expect(stderr).toContain('left out junk: --map names the columns of the input\n')
    expect(stderr).not.toContain('as the answer')
    const examples = path.join(appOf(folder, 'mail-001'), 'datasets', 'examples', 'examples.jsonl')
    expect(readLines(examples)).toEqual([
      { input: { text: 'a' }, output: 1 },
      { input: { text: 'b' }, output: 2 },
    ])
    expect(readFileSync(path.join(appOf(folder, 'mail-001'), 'config.yaml'), 'utf8')).toContain('task: Sort')
  })

  test('labels are found in properties and lists of the answers too', async () => {
    const folder = await copy()
    const rows = [
      { input: { text: 'a' }, output: { kind: 'x', tags: ['p'], urgent: true } },
      { input: { text: 'b' }, output: { kind: 'x', tags: ['q', 'p'], urgent: false } },
    ]
    writeFiles(folder, { 'rows.jsonl': rows.map(row => `${JSON.stringify(row)}\n`).join('') })
    const { stderr } = await loopai(folder, ['create', 'mail-001', '--examples', 'rows.jsonl'])
    expect(stderr).toContain(
      '"kind":{"enum":["x"],"type":"string"},"tags":{"items":{"enum":["p","q"],"type":"string"},"type":"array"},"urgent":{"type":"boolean"}',
    )
    expect(stderr).not.toContain('as the answer')
  })

  test('rows of one column too many are told from a column that is missing', async () => {
    const folder = await copy()
    writeFiles(folder, { 'rows.csv': 'text,kind\na,b\n', 'short.csv': 'text,label\na,b\nc\n' })
    const unnamed = await loopai(folder, ['create', 'a-001', '--examples', 'rows.csv'])
    expect(unnamed.stderr).toContain('rows.csv does not say which column holds the answers')
    expect(unnamed.stderr).toContain('name it with --label; its columns: text, kind')
    const misspelt = await loopai(folder, ['create', 'a-001', '--examples', 'rows.csv', '--label', 'kin'])
    expect(misspelt.stderr).toContain('rows.csv has no column "kin"')
    expect(misspelt.stderr).toContain('did you mean kind?')
    const short = await loopai(folder, ['create', 'a-001', '--examples', 'short.csv'])
    expect(short.stderr).toContain('line 3')
    expect([unnamed.status, misspelt.status, short.status]).toEqual([2, 2, 2])
  })
})

const SPEC = 'task: Sort\ninput_schema: {type: object}\noutput_schema: {type: string, enum: [a, b]}\n'
const ROW = '{"input":{"text":"x"},"output":"a"}\n'

describe('nothing is written, and the message names the place, when', () => {
  test.each<[string, string[], Record<string, string>, number, string[]]>([
    ['the id climbs out', ['../x'], {}, 2, ['"../x" is not a Loop App id', 'spam-detector-001']],
    ['the id has capitals', ['Spam'], {}, 2, ['"Spam" is not a Loop App id']],
    ['Windows reserves the id', ['con'], {}, 2, ['"con" is a name that Windows reserves']],
    ['the id is too long', [`a${'b'.repeat(63)}`], {}, 2, ['is not a Loop App id', 'at most 63 characters']],
    [
      'nothing says what it is for',
      ['a-001'],
      {},
      2,
      ['create needs what the app is for', '--from spec.yaml'],
    ],
    ['there is no id', [], {}, 2, ['create needs an id', 'loopai create spam-detector-001']],
    [
      'there is no such template',
      ['a-001', '--template', 'spam'],
      {},
      4,
      ['no template spam', 'spam-detector'],
    ],
    [
      'two origins are given',
      ['a-001', '--template', 'blank', '--from', 'spec.yaml'],
      { 'spec.yaml': SPEC },
      2,
      ['--from and --template both say'],
    ],
    ['the file is not there', ['--from', 'no.yaml'], {}, 2, ['no.yaml does not exist', 'the path begins at']],
    ['the file is a folder', ['--from', '.'], {}, 2, ['. is a folder, not a file']],
    [
      'the file is empty',
      ['--from', 'spec.yaml'],
      { 'spec.yaml': '\n# nothing\n' },
      2,
      ['spec.yaml is empty'],
    ],
    [
      'the YAML is broken',
      ['--from', 'spec.yaml'],
      { 'spec.yaml': 'task: [Sort\ninput_schema: {type: object}\n' },
      2,
      ['spec.yaml:2:1: ', 'hint: '],
    ],
    [
      'a key is unknown',
      ['a-001', '--from', 'spec.yaml'],
      { 'spec.yaml': `${SPEC}targets: {acuracy: 0.9}\nsamplng: {rate: 1}\n` },
      2,
      ['spec.yaml:4:11: /targets/acuracy unknown key, did you mean accuracy?', 'did you mean sampling?'],
    ],
    [
      'a required key is missing',
      ['a-001', '--from', 'spec.yaml'],
      { 'spec.yaml': 'task: Sort\n' },
      2,
      ['must have the property input_schema', 'must have the property output_schema'],
    ],
    [
      'a property has two columns',
      ['a-001', '--examples', 'rows.csv', '--map', 'a=zip', '--map', 'a=text'],
      { 'rows.csv': 'zip,text,label\n1,a,x\n' },
      2,
      ['The property a is named twice'],
    ],
    [
      'a column is two properties',
      ['a-001', '--examples', 'rows.csv', '--map', 'a=zip', '--map', 'b=zip'],
      { 'rows.csv': 'zip,text,label\n1,a,x\n' },
      2,
      ['The column zip is named twice'],
    ],
    [
      'a JSON Schema is nested as no file of YAML may be',
      ['a-001', '--task', 'Sort', '--output-schema', '{}', '--input-schema', 'deep.json'],
      { 'deep.json': `${'{"items":'.repeat(3000)}{}${'}'.repeat(3000)}` },
      2,
      ['--input-schema is not a valid JSON Schema: is nested more than 90 levels deep'],
    ],
    [
      'a JSON Schema is broken',
      ['a-001', '--from', 'spec.yaml'],
      { 'spec.yaml': SPEC.replace('{type: object}', '{type: objct}') },
      2,
      ['spec.yaml:2:16: input_schema is not a valid JSON Schema: /type must be one of "array"'],
    ],
    [
      'a pattern is broken',
      ['a-001', '--from', 'spec.yaml'],
      { 'spec.yaml': SPEC.replace('{type: object}', '{type: string, pattern: "(a"}') },
      2,
      ['spec.yaml:2:', '/pattern is not a pattern that can be matched in linear time'],
    ],
    [
      'the file specifies another app',
      ['c-001', '--from', 'spec.yaml'],
      { 'spec.yaml': `loop_app_id: a-001\n${SPEC}\nloop_app_id: b-001\n${SPEC}` },
      2,
      ['spec.yaml does not specify c-001', 'it specifies: a-001, b-001'],
    ],
    [
      'examples in the file do not fit',
      ['a-001', '--from', 'spec.yaml'],
      { 'spec.yaml': `${SPEC}examples: [{input: {}, output: c}]\n` },
      2,
      ['spec.yaml examples:1: output must be one of "a", "b"'],
    ],
    [
      'a schema flag is not JSON',
      ['a-001', '--task', 'x', '--input-schema', '{type: string}'],
      {},
      2,
      ['--input-schema is not JSON', `'{"type": "object"}'`],
    ],
    [
      'the examples are empty',
      ['a-001', '--examples', 'e.jsonl'],
      { 'e.jsonl': '' },
      2,
      ['e.jsonl has no rows'],
    ],
    [
      'the examples are not JSON',
      ['a-001', '--examples', 'e.jsonl'],
      { 'e.jsonl': `${ROW}oops\n${ROW}` },
      2,
      ['e.jsonl: 1 row does not fit', 'e.jsonl:2: is not JSON'],
    ],
    [
      'a dozen examples do not fit the schema',
      ['spam-detector-001', '--template', 'spam-detector', '--examples', 'e.jsonl'],
      { 'e.jsonl': `{"input":{"text":"x"},"output":"spam"}\n${ROW.repeat(12)}` },
      2,
      [
        'e.jsonl: 12 rows do not fit',
        'e.jsonl:2: output must be one of "spam", "ham"',
        'e.jsonl:11:',
        '… and 2 more',
      ],
    ],
  ])('%s', async (_, args, files, expected, parts) => {
    const folder = await copy()
    writeFiles(folder, files)
    const before = traces(path.join(folder, 'loopai-data'))
    const { status, stdout, stderr } = await loopai(folder, ['create', ...args])
    expect([status, stdout]).toEqual([expected, ''])
    for (const part of parts) expect(stderr).toContain(part)
    expect(stderr).toContain('hint: ')
    expect(stderr).not.toContain('e.jsonl:12:')
    expect(traces(path.join(folder, 'loopai-data'))).toEqual(before)
  })
})

test('an app that exists is not overwritten', async () => {
  const folder = await copy()
  await succeed(folder, ['create', 'a-001', '--template', 'blank'])
  const before = traces(path.join(folder, 'loopai-data'))
  const { status, stderr } = await loopai(folder, ['create', 'a-001', '--template', 'spam-detector'])
  expect(status).toBe(5)
  expect(stderr).toContain('there is a Loop App a-001 already')
  expect(stderr).toContain('loopai show a-001')
  expect(traces(path.join(folder, 'loopai-data'))).toEqual(before)
})

test('without a data directory, one is made where the command runs, and said', async () => {
  const folder = temporaryFolder()
  const { status, stderr } = await loopai(folder, ['create', 'a-001', '--template', 'blank'])
  expect([status, stderr]).toEqual([0, `made the data directory ${folder}/loopai-data\n`])
  const bad = temporaryFolder()
  expect((await loopai(bad, ['create', 'a-001', '--template', 'spam'])).status).toBe(4)
  expect(readdirSync(bad)).toEqual([])
})
