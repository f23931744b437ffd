import { CommanderError } from 'commander';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { Failure, OutputClosed } from './failure.ts';
import type { Io } from './io.ts';
import { remark } from './output/remark.ts';
import { createProgram } from './program.ts';

/** Runs integratorctl and returns its exit code; reports the reason unless that is 0. */
export async function runCtl(args: readonly string[], io: Io): Promise<ExitCode> {
  try {
    await createProgram(io).parseAsync(args, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    // commander has already reported it; its only success is printing help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (error instanceof OutputClosed) return error.exit;
    const isKnown = error instanceof Failure;
    remark(io, isKnown ? error.message : `internal error: ${error}`);
    return isKnown ? error.exit : EXIT.failure;
  }
}
