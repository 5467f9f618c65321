import { expect, test } from 'vitest'
import type { ShownVersionInFull } from '../../src/actions/show.ts'
import { DEFAULT_LIMITS } from '../../src/domain/launch.ts'
import { qualityOf, type Report } from '../../src/domain/quality.ts'
import { scoreOf } from '../../src/domain/scorecard.ts'
import { reportPage } from '../../src/terminal/page.ts'
import { describeQuality } from '../../src/terminal/quality.ts'

const HOSTILE = '<script>alert(1)</script>"&\u202e'

function answers(labels: string[], rightOf10: number) {
  return labels.flatMap((expected, l) =>
    Array.from({ length: 10 }, (_, i) => ({
      expected,
      got: i < rightOf10 ? expected : labels[(l + 1) % labels.length]!,
      confidence: 0.05 + i / 10,
    })),
  )
}

function reportOf(labels: string[], rightOf10: number, learned?: Report['learned']): Report {
  return {
    ...qualityOf(answers(labels, rightOf10)),
    duplicates: 3,
    contradictions: 2,
    latency_ms: { p50: 0.03, p95: 0.08 },
    bytes: 5000,
    ...(learned && { learned }),
  }
}

function versionWith(report: Report | null, rest: Partial<ShownVersionInFull> = {}): ShownVersionInFull {
  return {
    loop_app_id: 'test-001',
    version: 2,
    digest: `sha256:${'0'.repeat(64)}`,
    status: 'testing',
    created_at: '2026-01-31T00:00:00.000Z',
    created_by: 'Ada <ada@example.com>',
    origin: { kind: 'generate', loopai: '0.1.0', generator: 'learn', notes: [HOSTILE] },
    score: scoreOf(16, 20),
    path: '/data/loop-apps/test-001/artifacts/v2',
    parent: 1,
    runtime: 'python',
    entry: 'program.py',
    files: [{ path: 'program.py', size: 5000, sha256: '', executable: false }],
    limits: DEFAULT_LIMITS,
    isolation: 'shared',
    dependencies: [],
    packages: null,
    input_schema: {},
    output_schema: {},
    cases: null,
    report,
    compared: { version: 1, rows: 20, gained: 3, lost: 1, change: 0.1, error: 0.1 },
    ...rest,
  }
}

/** Places of a plot's parts that are outside of it. */
function outside(page: string): string[] {
  return [...page.matchAll(/<svg viewBox="0 0 ([\d.]+) ([\d.]+)".*?<\/svg>/g)].flatMap(
    ([svg, width, height]) =>
      [
        ...[...svg!.matchAll(/ (x|x1|x2|cx)="([^"]+)"/g)].filter(
          ([, , at]) => !(Number(at) >= 0 && Number(at) <= Number(width)),
        ),
        ...[...svg!.matchAll(/ (y|y1|y2|cy)="([^"]+)"/g)].filter(
          ([, , at]) => !(Number(at) >= 0 && Number(at) <= Number(height)),
        ),
        ...[...svg!.matchAll(/cx="([^"]+)" cy="([^"]+)" r="([^"]+)"/g)].filter(
          ([, x, y, r]) => Number(y) - Number(r) < 0 || Number(x) + Number(r) > Number(width),
        ),
      ].map(([part]) => part!),
  )
}

/** Every element is closed, in the order in which they were opened. */
function unbalanced(markup: string): string[] {
  const open: string[] = []
  for (const [, end, name, self] of markup.matchAll(/<(\/?)([a-z]+)(?:\s[^<>]*?)?(\/?)>/g)) {
    if (self === '/' || name === 'meta') continue
    if (end !== '/') open.push(name!)
    else if (open.pop() !== name) return [`unexpected </${name}>`]
  }
  return open
}

test('the page has a plot for everything that is known, loads nothing and runs nothing', () => {
  const learned = {
    learning_curve: [
      { rows: 50, accuracy: 0.7 },
      { rows: 100, accuracy: 0.8 },
    ],
    expected: { rows: 200, accuracy: 0.86 },
    strongest: [{ label: HOSTILE, features: [HOSTILE, 'free'] }],
    suspects: [{ row: 6, label: 'ham', preferred: HOSTILE }],
  }
  const page = reportPage(versionWith(reportOf([HOSTILE, 'ham'], 8, learned)))
  const headings = [...page.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, text]) => text)
  expect(headings).toEqual([
    'Accuracy',
    'Labels',
    'Confusion',
    'Calibration',
    'Learning curve',
    'What speaks most for a label',
    'The examples',
    'Labels that may be wrong',
    'Notes of the generator',
  ])
  expect(page.match(/<svg /g)).toHaveLength(5)
  expect(page).toContain('200 examples should bring about 86.0 %.')
  expect(page).toContain('compared with v1: +10.0 points on 20 shared rows (3 gained, 1 lost)')
  expect(page).toContain('row 7')
  expect(page).not.toMatch(/<script|<link|<img|src=|href=|url\(|\u202e|NaN|undefined/)
  expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`)
  expect(unbalanced(page.replace(/<style>[\s\S]*?<\/style>/, ''))).toEqual([])
  expect(outside(page)).toEqual([])
})

test('of numbers the page tells how far they are off, not how often they are exactly right', () => {
  const numbers = Array.from({ length: 40 }, (_, i) => ({
    expected: i / 7,
    got: i / 7 + 0.1,
    confidence: 0.9,
  }))
  const page = reportPage(versionWith({ ...reportOf(['a'], 9), ...qualityOf(numbers) }))
  expect(page).toContain('mean absolute error')
  expect(page).toContain('exactly right on rows that it had not seen')
  expect(page).not.toMatch(/<h2>(Accuracy|Calibration)/)
})

test('of many labels the matrix shows those that are confused, and there is no plot without points', () => {
  const labels = Array.from({ length: 60 }, (_, i) => `label ${i}`)
  const page = reportPage(versionWith(reportOf(labels, 9)))
  expect(page.match(/class="(right|wrong)"/g)!.length).toBeLessThanOrEqual(400)
  expect(page).not.toMatch(/NaN|Infinity|undefined|Learning curve/)
  expect(outside(page)).toEqual([])
})

test('a version of which nothing was measured has a page too', () => {
  const page = reportPage(versionWith(null, { score: null, compared: null }))
  expect(page).toContain('Nothing was measured when this version was made.')
  expect(unbalanced(page.replace(/<style>[\s\S]*?<\/style>/, ''))).toEqual([])
})

test('the terminal says the same in a few lines', () => {
  expect(describeQuality(reportOf(['spam', 'ham'], 8)).join('\n')).toMatchInlineSnapshot(`
    "always answering ham would be right in 50.0 %
      LABEL  ROWS  PRECISION  RECALL
      ham    10    80.0 %     80.0 %
      spam   10    80.0 %     80.0 %
    macro-F1 80.0 %
    most often mistaken: ham as spam (2), spam as ham (2)
    confidence is off by 66.0 points on average"
  `)
  const labels = Array.from({ length: 30 }, (_, i) => `label ${i}`)
  const long = describeQuality(reportOf(labels, 9)).join('\n')
  expect(long).toContain('… and 18 better ones')
})
