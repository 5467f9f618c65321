/** Rows as aligned columns, without anything at the end of a line. */
export function table(rows: string[][]): string {
  const widths = rows.reduce<number[]>(
    (found, row) => row.map((cell, i) => Math.max(found[i] ?? 0, widthOf(cell))),
    [],
  )
  return rows
    .map(row =>
      row
        .map((cell, i) => cell + ' '.repeat(widths[i]! - widthOf(cell) + 2))
        .join('')
        .trimEnd(),
    )
    .join('\n')
}

const ASCII = /^[\x20-\x7e]*$/
const WIDE =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/u

/** Good enough for ids, numbers and names: wide characters count twice. */
function widthOf(text: string): number {
  if (ASCII.test(text)) return text.length
  return [...text].reduce((width, character) => width + (WIDE.test(character) ? 2 : 1), 0)
}
