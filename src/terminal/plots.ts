import type { Report } from '../domain/quality.ts'
import { precision, recall } from '../domain/quality.ts'
import { escapeMarkup } from './markup.ts'
import { nameOf, share } from './quality.ts'

/** Plots as inline SVG: no script, nothing from elsewhere. Colours come from the page's classes. */

const WIDTH = 640
const LEFT = 190
const ROW = 22
const PLOT = WIDTH - LEFT - 70
const SQUARE = 260
const MARGIN = 44
/** Room above and right of a square, for half of the largest dot. */
const TOP = 20
const MOST_CELLS = 20

export interface Bar {
  name: string
  value: number | null
  interval?: [number, number] | undefined
  kind: 'own' | 'other' | 'floor'
  /** Belongs to the bar above it. */
  isSecond?: boolean
}

/** One bar a row from 0 to 100 %, with its interval. */
export function bars(title: string, rows: Bar[]): string {
  const height = rows.length * ROW + 24
  const lines = [0, 0.25, 0.5, 0.75, 1].map(
    at =>
      `<line class="grid" x1="${x(at)}" x2="${x(at)}" y1="0" y2="${height - 18}"/><text class="axis" x="${x(at)}" y="${height - 4}" text-anchor="middle">${100 * at} %</text>`,
  )
  const drawn = rows.map(({ name, value, interval, kind, isSecond = false }, i) => {
    const y = i * ROW + (isSecond ? 0 : 4)
    const whisker = interval
      ? `<line class="whisker" x1="${x(interval[0])}" x2="${x(interval[1])}" y1="${y + 7}" y2="${y + 7}"/>`
      : ''
    const bar =
      value === null
        ? ''
        : `<rect class="${kind}" x="${LEFT}" y="${y}" width="${number(PLOT * value)}" height="14"/>`
    return `<text${isSecond ? ' class="axis"' : ''} x="${LEFT - 8}" y="${y + 11}" text-anchor="end">${escapeMarkup(short(name))}</text>${bar}${whisker}<text x="${WIDTH - 62}" y="${y + 11}">${share(value)}</text>`
  })
  return svg(title, { width: WIDTH, height, body: [...lines, ...drawn] })
}

/** Two bars a label: how often it is right when it is answered, and how much of it is found. */
export function labelBars({ labels }: Report): string {
  return bars(
    'Precision and recall by label',
    labels.flatMap((label): Bar[] => [
      { name: nameOf(label.label), value: precision(label), kind: 'own' },
      { name: `${label.rows} rows`, value: recall(label), kind: 'other', isSecond: true },
    ]),
  )
}

/** Rows are what was right, columns what was answered. Of many labels only those that are confused most. */
export function confusionMatrix({ labels, confusion }: Report): string {
  const keyOf = (label: unknown) => JSON.stringify(label)
  const involved = confusion.flatMap(({ expected, got }) => [expected, got])
  const ranked = labels.length > MOST_CELLS ? involved : labels.map(({ label }) => label)
  const shown = [...new Map(ranked.map(label => [keyOf(label), label])).values()].slice(0, MOST_CELLS)
  const cell = Math.max(26, Math.min(60, Math.floor(PLOT / Math.max(1, shown.length))))
  const top = 134
  const counts = new Map(
    confusion.map(({ expected, got, rows }) => [`${keyOf(expected)} ${keyOf(got)}`, rows]),
  )
  for (const { label, right } of labels) counts.set(`${keyOf(label)} ${keyOf(label)}`, right)
  const totals = new Map(labels.map(({ label, rows }) => [keyOf(label), rows]))
  const cells = shown.flatMap((expected, i) =>
    shown.map((got, j) => {
      const rows = counts.get(`${keyOf(expected)} ${keyOf(got)}`) ?? 0
      const strength = rows / Math.max(1, totals.get(keyOf(expected)) ?? 0)
      const [left, y] = [LEFT + j * cell, top + i * cell]
      const kind = i === j ? 'right' : 'wrong'
      const text =
        rows === 0
          ? ''
          : `<text x="${left + cell / 2}" y="${y + cell / 2 + 4}" text-anchor="middle">${rows}</text>`
      return `<rect class="${kind}" fill-opacity="${number(Math.min(1, strength))}" x="${left}" y="${y}" width="${cell - 1}" height="${cell - 1}"/>${text}`
    }),
  )
  const names = shown.flatMap((label, i) => {
    const name = escapeMarkup(short(nameOf(label)))
    const [middle, edge] = [LEFT + i * cell + cell / 2, top - 6]
    return [
      `<text x="${LEFT - 8}" y="${top + i * cell + cell / 2 + 4}" text-anchor="end">${name}</text>`,
      `<text transform="translate(${middle + 4} ${edge}) rotate(-45)">${name}</text>`,
    ]
  })
  const size = {
    width: Math.max(WIDTH, LEFT + shown.length * cell + 124),
    height: top + shown.length * cell + 8,
  }
  return svg('What was right (rows) and what was answered (columns)', { ...size, body: [...cells, ...names] })
}

/** Accuracy by confidence: on the diagonal they are the same. The larger a dot, the more rows. */
export function calibrationPlot({ calibration, rows }: Report): string {
  const dots = calibration.map(bin => {
    const radius = 3 + 14 * Math.sqrt(bin.rows / Math.max(1, rows))
    return `<circle class="own" cx="${px(bin.confidence)}" cy="${py(bin.accuracy)}" r="${number(radius)}" fill-opacity="0.7"><title>${bin.rows} rows: says ${share(bin.confidence)}, is right in ${share(bin.accuracy)}</title></circle>`
  })
  const diagonal = `<line class="floor" x1="${px(0)}" y1="${py(0)}" x2="${px(1)}" y2="${py(1)}"/>`
  return square('Confidence and accuracy', { body: [diagonal, ...dots], x: 'confidence', y: 'accuracy' })
}

/** Accuracy by the number of examples, on a logarithmic scale; dashed what more would bring. */
export function learningCurve({
  learning_curve: curve = [],
  expected,
}: NonNullable<Report['learned']>): string {
  const points = [...curve, ...(expected ? [expected] : [])]
  const logs = points.map(({ rows }) => Math.log(Math.max(1, rows)))
  const [first, last] = [Math.min(...logs), Math.max(...logs)]
  const lowest = Math.max(0, Math.floor(20 * Math.min(...points.map(({ accuracy }) => accuracy)) - 1) / 20)
  const place = ({ rows, accuracy }: { rows: number; accuracy: number }) => {
    const along = last === first ? 0.5 : (Math.log(Math.max(1, rows)) - first) / (last - first)
    return { left: px(along), top: py((accuracy - lowest) / (1 - lowest)) }
  }
  const line = (from: typeof points, kind: string) =>
    `<polyline class="${kind}" points="${from
      .map(place)
      .map(({ left, top }) => `${left},${top}`)
      .join(' ')}"/>`
  const dots = points.map(point => {
    const { left, top } = place(point)
    return `<circle class="own" cx="${left}" cy="${top}" r="4"><title>${point.rows} examples: ${share(point.accuracy)}</title></circle><text class="axis" x="${left}" y="${top - 8}" text-anchor="middle">${share(point.accuracy)}</text><text class="axis" x="${left}" y="${SQUARE - MARGIN + 14}" text-anchor="middle">${point.rows}</text>`
  })
  const body = [
    line(curve, 'curve'),
    ...(expected && curve.length > 0 ? [line([curve.at(-1)!, expected], 'curve expected')] : []),
    ...dots,
  ]
  const ends = [0, 1].map(
    at =>
      `<text class="axis" x="${MARGIN - 4}" y="${py(at) + 4}" text-anchor="end">${Math.round(100 * (lowest + at * (1 - lowest)))} %</text>`,
  )
  return square('Accuracy by number of examples', {
    body: [...ends, ...body],
    x: 'examples',
    y: 'accuracy',
    hasScale: false,
  })
}

function square(
  title: string,
  { body, x: xName, y: yName, hasScale = true }: { body: string[]; x: string; y: string; hasScale?: boolean },
): string {
  const frame = `<rect class="frame" x="${MARGIN}" y="${TOP}" width="${SQUARE - MARGIN - TOP}" height="${SQUARE - MARGIN - TOP}"/>`
  const scale = hasScale
    ? [0, 0.5, 1].map(
        at =>
          `<text class="axis" x="${px(at)}" y="${SQUARE - MARGIN + 14}" text-anchor="middle">${100 * at} %</text><text class="axis" x="${MARGIN - 4}" y="${py(at) + 4}" text-anchor="end">${100 * at} %</text>`,
      )
    : []
  const names = [
    `<text class="axis" x="${(SQUARE + MARGIN) / 2}" y="${SQUARE - 8}" text-anchor="middle">${xName}</text>`,
    `<text class="axis" transform="translate(10 ${SQUARE / 2 - 10}) rotate(-90)" text-anchor="middle">${yName}</text>`,
  ]
  return svg(title, { width: SQUARE + 20, height: SQUARE, body: [frame, ...scale, ...names, ...body] })
}

function svg(
  title: string,
  { width, height, body }: { width: number; height: number; body: string[] },
): string {
  return `<svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img"><title>${escapeMarkup(title)}</title>${body.join('')}</svg>`
}

function x(share: number): number {
  return number(LEFT + PLOT * share)
}

function px(share: number): number {
  return number(MARGIN + (SQUARE - MARGIN - TOP) * share)
}

function py(share: number): number {
  return number(SQUARE - MARGIN - (SQUARE - MARGIN - TOP) * share)
}

function number(value: number): number {
  return Math.round(value * 100) / 100
}

function short(name: string): string {
  return name.length > 26 ? `${name.slice(0, 25)}…` : name
}
