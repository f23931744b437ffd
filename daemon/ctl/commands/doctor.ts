import type { Command } from 'commander';
import type { Check } from '../../contract/control-api.ts';
import type { Millis } from '../../runtime/clock.ts';
import { Failure } from '../failure.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import type { Style } from '../output/colors.ts';
import { printable } from '../output/printable.ts';
import { tableLines } from '../output/table.ts';

/** Its checks query DNS, Deepgram and AWS, each of which may be slow to fail. */
const DOCTOR_TIMEOUT_MS: Millis = 60_000;

const STYLES: Readonly<Record<Check['verdict'], Style>> = { ok: 'green', warn: 'yellow', fail: 'red' };

/** integratorctl doctor. */
export function addDoctorCommand(program: Command, io: Io): void {
  program
    .command('doctor')
    .description('check settings, Deepgram, AWS and this machine, and suggest remedies')
    .action(async (_options: object, command: Command) => {
      const invocation = new Invocation(command, io);
      const options = { timeoutMs: DOCTOR_TIMEOUT_MS };
      const response = await invocation.daemon.post<{ checks: readonly Check[] }>('/v1/doctor', options);
      invocation.show(response, () => checkLines(response.checks, invocation));
      const failed = response.checks.filter(({ verdict }) => verdict === 'fail').map(({ name }) => name);
      if (failed.length > 0) throw new Failure(`checks failed: ${failed.join(', ')}; see the remedies above`);
    });
}

function checkLines(checks: readonly Check[], { paint }: Invocation): string[] {
  const rows = tableLines(
    checks,
    [
      { title: '', text: ({ verdict }) => verdict.toUpperCase(), style: ({ verdict }) => STYLES[verdict] },
      { title: '', text: ({ name }) => name },
      { title: '', text: ({ detail }) => detail },
    ],
    { header: false, paint },
  );
  return checks.flatMap(({ remedy }, at) => {
    const row = rows[at] ?? '';
    return remedy ? [row, `      -> ${printable(remedy)}`] : [row];
  });
}
