/** What a stream shows; the text itself where it shows no colours. */
export interface Style {
  bold: (text: string) => string
  dim: (text: string) => string
  red: (text: string) => string
  green: (text: string) => string
  yellow: (text: string) => string
}

const same = (text: string) => text
const PLAIN: Style = { bold: same, dim: same, red: same, green: same, yellow: same }

export function hasColours(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv, wanted: boolean): boolean {
  if (!wanted || env.NO_COLOR || env.TERM === 'dumb') return false
  return stream.isTTY === true || Boolean(env.FORCE_COLOR && env.FORCE_COLOR !== '0')
}

/** chalk, loaded only where there is something to colour. */
export async function createStyle(isColoured: boolean): Promise<Style> {
  if (!isColoured) return PLAIN
  const { Chalk } = await import('chalk')
  const { bold, dim, red, green, yellow } = new Chalk({ level: 1 })
  return { bold, dim, red, green, yellow }
}
