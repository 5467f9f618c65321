import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { type ReadOptions, readExampleFile } from '../../src/store/examples.ts'
import { temporaryFolder } from '../helpers/repository.ts'

async function read(name: string, content: string | Uint8Array, options?: ReadOptions) {
  const file = path.join(temporaryFolder(), name)
  writeFileSync(file, content)
  const { rows } = await readExampleFile(file, options)
  return rows.map(({ input, output }) => [input, output])
}

const ROWS = [
  [{ text: 'a, b' }, 'x'],
  [{ text: 'ü' }, 'y'],
]

describe('the same rows are read', () => {
  test.each([
    ['JSON Lines', 'a.jsonl', '{"input":{"text":"a, b"},"output":"x"}\r\n\n{"text":"ü","label":"y"}'],
    ['a JSON array', 'a.json', '[{"text":"a, b","output":"x"}, {"text":"ü","category":"y"}]'],
    ['CSV', 'a.csv', 'text,label\n"a, b",x\nü,y\n'],
    ['CSV with a byte order mark and CRLF', 'a.csv', '\ufefftext,label\r\n"a, b",x\r\nü,y\r\n'],
    ['CSV as Excel marks it', 'a.csv', '\ufeffsep=;\r\ntext;label\r\na, b;x\r\nü;y\r\n'],
    ['CSV with semicolons', 'a.csv', 'text;label\na, b;x\nü;y\n'],
    ['TSV', 'a.tsv', 'text\tlabel\na, b\tx\nü\ty\n'],
    ['UTF-16', 'a.csv', Buffer.from('\ufefftext;label\na, b;x\nü;y\n', 'utf16le')],
    ['a table without an ending', 'rows', 'text\tlabel\na, b\tx\nü\ty\n'],
    ['lines without an ending', 'rows', '{"input":{"text":"a, b"},"output":"x"}\n{"text":"ü","label":"y"}'],
    ['an array without an ending', 'rows', ' [{"text":"a, b","output":"x"}, {"text":"ü","label":"y"}]'],
  ])('from %s', async (_, name, content) => {
    expect(await read(name, content)).toEqual(ROWS)
  })
})

test('columns are renamed, and those that are not named are left out', async () => {
  const content = 'constructor,message,kind\n1,hello,a\n2,goodbye,b\n'
  expect(await read('a.csv', content, { label: 'kind', map: { message: 'text' } })).toEqual([
    [{ text: 'hello' }, 'a'],
    [{ text: 'goodbye' }, 'b'],
  ])
})

test('a column of numbers is text where the schemas want text, and has gaps where it is not', async () => {
  const content = 'postcode,weight,label\n12345,1.5,0\n10115,,1\n'
  const properties = { postcode: { type: 'string' }, weight: { type: ['number', 'null'] } }
  const schemas = { input: { type: 'object', properties }, output: { enum: ['0', '1'] } }
  expect(await read('a.csv', content, { schemas })).toEqual([
    [{ postcode: '12345', weight: 1.5 }, '0'],
    [{ postcode: '10115', weight: null }, '1'],
  ])
})

test('integers that no number of ours is stay text in a table; those in strings are left alone', async () => {
  const content = 'id,order,label\n12345678901234567890,9007199254740992,x\n7,8,y\n'
  expect(await read('a.csv', content)).toEqual([
    [{ id: '12345678901234567890', order: 9007199254740992 }, 'x'],
    [{ id: '7', order: 8 }, 'y'],
  ])
  const row = { input: { 'a \\" 12345678901234567890': '12345678901234567890' }, output: 1.2345678901234567 }
  expect(await read('a.jsonl', JSON.stringify(row))).toEqual([[row.input, row.output]])
})

test.each([
  [
    'a.csv',
    'text,label\na,x\n',
    { label: 'labels' },
    /has no column "labels"/,
    'did you mean label? its columns: text, label',
  ],
  [
    'a.csv',
    'text,label\na,x\n',
    { map: { message: 'text' } },
    /has no column "message"/,
    'its columns: text, label',
  ],
  [
    'a.csv',
    'text,label\na,x\n',
    { label: 'label', map: { label: 'a' } },
    /the column label is the answer, and --map makes it an input too/,
    'leave it out of --map; its columns: text, label',
  ],
  ['a.csv', 'text,label\na,x\n', { map: { label: 'a' } }, /the column label is the answer/, /with --label/],
  ['a.csv', 'text,answer_given\na,x\n', {}, /does not say which column holds the answers/, /--label/],
  ['a.csv', 'text,text,label\na,b,x\n', {}, /the column "text" is there twice/, /names the columns/],
  ['a.csv', ',,text,label\n0,1,a,x\n', {}, /several columns have no name/, /names the columns/],
  ['a.csv', ',text,label\n0,a,x\n', {}, /has a column without a name/, /--map/],
  ['a.csv', 'text,label\na,\nb,x\n', {}, /a\.csv:2: has no answer/, /--label/],
  ['a.csv', 'text,label\na,x,1\n', {}, /Invalid Record Length/, /every line has as many/],
  [
    'a.csv',
    Buffer.from('text,label\n\xfc,x\n', 'latin1'),
    {},
    /is not valid UTF-8/,
    'convert it with: iconv -f WINDOWS-1252 -t UTF-8',
  ],
  [
    'a.jsonl',
    Buffer.from('\ufeff{}', 'utf16le'),
    {},
    /is UTF-16/,
    'convert it with: iconv -f UTF-16 -t UTF-8',
  ],
  ['a.jsonl.gz', gzipSync('{"input":1,"output":2}'), {}, /is compressed/, 'unpack it first with: gunzip'],
  [
    'a.csv',
    Buffer.from('text,label\na,x\n', 'utf16le'),
    {},
    /a\.csv looks like UTF-16/,
    'convert it with: iconv -f UTF-16LE -t UTF-8',
  ],
  [
    'a.jsonl',
    Buffer.from('{"input":1}\n', 'utf16le').swap16(),
    {},
    /a\.jsonl looks like UTF-16/,
    'convert it with: iconv -f UTF-16BE -t UTF-8',
  ],
  ['a.jsonl', '{"input":1,"output":2}\n{"input":\n', {}, /a\.jsonl:2: is not JSON/, /one JSON object a line/],
  ['a.json', '{"text":"a"}', {}, /is not a JSON array/, /\.jsonl/],
  [
    'a.jsonl',
    '{"input":1,"output":2}\n{"input":{"id":12345678901234567890},"output":2}\n',
    {},
    /a\.jsonl:2: 12345678901234567890 is larger than 2\^53 and would be changed; write it as a string/,
    /one JSON object a line/,
  ],
  [
    'a.json',
    '[\n{"id":1,"label":-9007199254740993}]',
    {},
    /a\.json:2: -9007199254740993 is larger/,
    /one JSON/,
  ],
  ['a.csv', 'text,__proto__,label\na,b,x\n', {}, /a\.csv: there is a column __proto__.*rename it/, /names/],
  [
    'a.jsonl',
    '{"text":"\\"__proto__\\": 1","label":"x"}\n{"text":{"\\u005f_proto__" :1},"label":"x"}\n',
    {},
    /1 row does not fit\n.*a\.jsonl:2: has a property __proto__.*rename it/,
    /one JSON object a line/,
  ],
  ['a.json', '[\n{"__proto__":1,"label":"x"}]', {}, /a\.json:2: has a property __proto__/, /one JSON/],
  ['a.jsonl', '\n\n', {}, /has no rows/, /one JSON object a line/],
])('%s with %j is refused with a reason', async (name, content, options, message, hint) => {
  await expect(read(name, content, options)).rejects.toMatchObject({
    message: expect.stringMatching(message),
    hint: typeof hint === 'string' ? hint : expect.stringMatching(hint),
  })
})
