/** TypeScript without its types: what runs, and what a version keeps. Loaded when it is needed, since it is large. */
export async function stripTypes(source: string, file: string): Promise<string> {
  const { transform } = await import('sucrase')
  return transform(source, { transforms: ['typescript'], disableESTransforms: true, filePath: file }).code
}
