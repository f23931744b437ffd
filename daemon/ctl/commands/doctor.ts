import type { Command } from 'commander';
import type { Check } from '../../contract/control-api.ts';
import type { Millis } from '../../runtime/clock.ts';
import { Failure } from '../failure.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import type { Style } from '../output/colors.ts';
import { printable } from '../output/printable.ts';
import { tableLines } from '../output/table.ts';

/** Its checks ask Deepgram, DNS and AWS, each of which may take its time to fail. */
const DOCTOR_TIMEOUT_MS: Millis = 60_000;

const STYLES: Readonly<Record<Check['verdict'], Style>> = { ok: 'green', warn: 'yellow', fail: 'red' };

/** integratorctl doctor: what is wrong with the daemon's surroundings, and what to do about it. */
export function addDoctorCommand(program: Command, io: Io): void {
  program
    .command('doctor')
    .description('check settings, Deepgram, AWS and this machine; says what to do about what is not right')
    .action(async (_options: object, command: Command) => {
      const invocation = new Invocation(command, io);
      const question = { timeoutMs: DOCTOR_TIMEOUT_MS };
      const answer = await invocation.daemon.get<{ checks: readonly Check[] }>('/v1/doctor', question);
      invocation.show(answer, () => checkLines(answer.checks, invocation));
      const failed = answer.checks.filter(({ verdict }) => verdict === 'fail').map(({ name }) => name);
      if (failed.length > 0) throw new Failure(`doctor found what must be mended (${failed.join(', ')}); see above`);
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
