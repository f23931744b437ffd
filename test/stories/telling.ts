import { ctl } from '../ctl/ctl-process.ts';
import { ScriptProcess } from '../support/script-process.ts';

/** A story did not go as written; the message says what went wrong. */
export class StoryFailed extends Error {
  override readonly name = 'StoryFailed';
}

/** Writes what happens. */
export function say(text: string): void {
  process.stdout.write(`\n${text}\n`);
}

/** Runs `integratorctl` as an operator would, and shows what it prints. */
export async function operate(controlSocket: string, ...args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await ctl(args, { env: { CONTROL_SOCKET: controlSocket } });
  return shown(`integratorctl ${args.join(' ')}`, stdout + stderr);
}

/** Runs one of our scripts, and shows what it prints. Throws StoryFailed unless it exits with `code`. */
export async function run(command: string, script: string, args: readonly string[], code = 0): Promise<string> {
  const program = new ScriptProcess(script, args, { env: { PATH: process.env['PATH'] ?? '' } });
  const exitCode = await program.exited;
  const output = shown(command, program.stdout + program.stderr);
  if (exitCode !== code) throw new StoryFailed(`${command} exited with ${exitCode} instead of ${code}`);
  return output;
}

/** Throws StoryFailed unless `output` has what it should. */
export function expect(output: string, what: RegExp): void {
  if (!what.test(output)) throw new StoryFailed(`the output has no ${what}:\n${output}`);
}

function shown(command: string, output: string): string {
  process.stdout.write(`\n$ ${command}\n${output.trimEnd()}\n`);
  return output;
}
