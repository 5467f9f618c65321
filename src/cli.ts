/** The command line. Returns the exit status. */
export async function main(_argv: string[]): Promise<number> {
  process.stderr.write('loopai: the commands are being built\n')
  return 1
}
