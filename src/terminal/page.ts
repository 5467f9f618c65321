import type { ShownVersionInFull } from '../actions/show.ts'
import { calibrationError, macroF1, type Report } from '../domain/quality.ts'
import { describeScore, percent, scoreOf } from '../domain/scorecard.ts'
import { escapeMarkup } from './markup.ts'
import { type Bar, bars, calibrationPlot, confusionMatrix, labelBars, learningCurve } from './plots.ts'
import { nameOf, share } from './quality.ts'
import { describeComparison, describeParts } from './report.ts'

const STYLE = `
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1f24; background: #fff }
  h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin-top: 2rem } svg { max-width: 100%; height: auto; overflow: visible }
  svg text { font-size: 12px; fill: currentColor } svg .axis { font-size: 10px; fill: #6a737d }
  .own { fill: #2f6fb2 } .other { fill: #8ab4dd } rect.floor { fill: #b8bec5 } line.floor { stroke: #b8bec5 } .right { fill: #4c9a5f } .wrong { fill: #c9503c }
  .grid { stroke: #e3e6e9 } .frame { fill: none; stroke: #d0d4d9 } .whisker { stroke: #1b1f24; stroke-width: 2 }
  .curve { fill: none; stroke: #2f6fb2; stroke-width: 2 } .expected { stroke-dasharray: 5 4 }
  table { border-collapse: collapse } td, th { text-align: left; padding: .15rem 1rem .15rem 0; vertical-align: top } .muted { color: #6a737d }
  @media (prefers-color-scheme: dark) { body { background: #14171a; color: #e4e7ea } .whisker { stroke: #e4e7ea } .grid, .frame { stroke: #3a4047 } }`

/** A version's report as one page that needs nothing from elsewhere and runs nothing. */
export function reportPage(version: ShownVersionInFull): string {
  const { loop_app_id: id, report } = version
  const title = `${id} v${version.version}`
  const parts = [
    `<h1>${escapeMarkup(title)}</h1>`,
    facts(version),
    ...(report ? sections(version, report) : ['<p>Nothing was measured when this version was made.</p>']),
    ...notes(version),
  ]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>${escapeMarkup(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${parts.join('\n')}
</body>
</html>
`
}

function facts({
  status,
  digest,
  created_at,
  created_by,
  origin,
  report,
  files,
  score,
}: ShownVersionInFull): string {
  const bytes = files.reduce((sum, file) => sum + file.size, 0)
  const cost =
    origin.cost_usd === undefined ? [] : [['cost', `${origin.cost_usd.toFixed(4)} USD (${origin.model})`]]
  return rows([
    [
      `${report?.numbers ? 'exactly right' : 'accuracy'} on rows that it had not seen`,
      score ? describeScore(score) : 'nothing to judge by',
    ],
    ['status', status],
    ['made', `${created_at} by ${created_by}`],
    ['how', [origin.kind, origin.generator, origin.strategy].filter(Boolean).join(', ')],
    ...(origin.made_of ? [['made of', describeParts(origin.made_of)]] : []),
    ...(origin.seconds === undefined ? [] : [['written in', `${origin.seconds} s`]]),
    ...cost,
    ['size', `${Math.ceil(bytes / 1024)} KB`],
    ...(report ? [['a call', `${report.latency_ms.p50} ms (p95 ${report.latency_ms.p95} ms)`]] : []),
    ['digest', digest],
  ])
}

function sections(version: ShownVersionInFull, report: Report): string[] {
  const { labels, confusion, calibration, numbers, learned } = report
  return [
    ...section(
      'Accuracy',
      report.rows > 0 && !numbers && [accuracyBars(version, report), comparison(version)],
    ),
    ...section(
      'Numbers',
      numbers && [
        rows([
          ['mean absolute error', numbers.mae.toPrecision(4)],
          ['when the mean is always answered', numbers.baseline_mae.toPrecision(4)],
          ['r2', numbers.r2.toFixed(3)],
        ]),
      ],
    ),
    ...section(
      'Labels',
      labels.length > 1 && [
        '<p class="muted">Dark: of the answers with this label, how many are right (precision). Light: of its rows, how many are found (recall).</p>',
        labelBars(report),
        `<p>macro-F1 ${share(macroF1(labels))}</p>`,
      ],
    ),
    ...section('Confusion', confusion.length > 0 && labels.length > 1 && [confusionMatrix(report)]),
    ...section(
      'Calibration',
      calibration.length > 0 &&
        !numbers && [
          calibrationPlot(report),
          `<p>Confidence is off by ${percent(calibrationError(calibration)!)} points on average.</p>`,
        ],
    ),
    ...section(
      'Learning curve',
      learned?.learning_curve &&
        learned.learning_curve.length > 1 && [
          learningCurve(learned),
          ...(learned.expected
            ? [
                `<p>${learned.expected.rows} examples should bring about ${share(learned.expected.accuracy)}.</p>`,
              ]
            : []),
        ],
    ),
    ...section(
      'What speaks most for a label',
      learned?.strongest && [
        rows(learned.strongest.map(({ label, features }) => [nameOf(label), features.join(' · ')])),
      ],
    ),
    ...section('The examples', [
      rows([
        ['repeat an earlier one exactly', `${report.duplicates}`],
        ['contradict each other', `${report.contradictions}`],
        ['labels that may be wrong', `${learned?.suspects?.length ?? 0}`],
      ]),
    ]),
    ...section(
      'Labels that may be wrong',
      learned?.suspects &&
        learned.suspects.length > 0 && [
          rows(
            learned.suspects
              .slice(0, 100)
              .map(({ row, label, preferred }) => [
                `row ${row + 1}`,
                `${nameOf(label)}, rather ${nameOf(preferred)}`,
              ]),
          ),
        ],
    ),
  ]
}

function accuracyBars(
  { score, version, compared }: ShownVersionInFull,
  { majority, labels }: Report,
): string {
  const shown = score ?? scoreOf(0, 0)
  const before: Bar[] =
    compared && shown.accuracy !== null && compared.rows > 0
      ? [
          {
            name: `v${compared.version} on shared rows`,
            value: Math.max(0, Math.min(1, shown.accuracy - compared.change)),
            kind: 'other',
          },
        ]
      : []
  const floor: Bar[] =
    majority && labels.length > 1
      ? [{ name: `always ${nameOf(majority.output)}`, value: majority.accuracy, kind: 'floor' }]
      : []
  const own: Bar = {
    name: `v${version}`,
    value: shown.accuracy,
    interval: shown.interval ?? undefined,
    kind: 'own',
  }
  return bars('Accuracy with its 95 % interval', [own, ...before, ...floor])
}

function comparison({ compared }: ShownVersionInFull): string {
  return compared ? `<p>${escapeMarkup(describeComparison(compared))}</p>` : ''
}

function notes({ origin }: ShownVersionInFull): string[] {
  const items = (origin.notes ?? []).map(note => `<li>${escapeMarkup(note)}</li>`)
  return section('Notes of the generator', items.length > 0 && [`<ul>${items.join('')}</ul>`])
}

function section(title: string, body: string[] | false | null | undefined | ''): string[] {
  return body ? [`<h2>${title}</h2>`, ...body] : []
}

function rows(pairs: string[][]): string {
  const lines = pairs.map(
    ([name, value]) =>
      `<tr><td class="muted">${escapeMarkup(name!)}</td><td>${escapeMarkup(value!)}</td></tr>`,
  )
  return `<table>${lines.join('')}</table>`
}
