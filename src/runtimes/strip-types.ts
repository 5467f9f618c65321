/** An import of a file beside this one, by the name that it had with types. */
const RELATIVE_IMPORT = /(\b(?:from|import)\s*\(?\s*(['"])\.{1,2}\/[^'"\n]*)\.ts\2/g

/** TypeScript without its types: what runs, and what a version keeps. The library is large, and loaded when it is needed. */
export async function stripTypes(source: string, file: string): Promise<string> {
  const { transform } = await import('sucrase')
  const { code } = transform(source, {
    transforms: ['typescript'],
    disableESTransforms: true,
    filePath: file,
  })
  return code.replace(RELATIVE_IMPORT, '$1.js$2')
}
