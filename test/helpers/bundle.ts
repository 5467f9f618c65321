import { rolldown } from 'rolldown'

/** Makes one module of a TypeScript file and what it imports. Packages stay outside of it, unless they are what `alias` names. */
export async function bundle(input: string, file: string, alias: Record<string, string> = {}): Promise<void> {
  const isPackage = (id: string) => /^[^./]/.test(id) && !(id in alias)
  const made = await rolldown({ input, platform: 'node', external: isPackage, resolve: { alias } })
  await made.write({ file, format: 'esm', codeSplitting: false })
  await made.close()
}
