import type { Command } from 'commander';
import { API_VERSION, type Check, type Versioned } from '../../contract/control-api.ts';
import type { Millis } from '../../runtime/clock.ts';
import { DaemonNotRunning, Failure } from '../failure.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { checkOffline } from '../offline.ts';
import type { Style } from '../output/colors.ts';
import { printable } from '../output/printable.ts';
import { tableLines } from '../output/table.ts';
import { wrapped } from '../output/wrap.ts';

/** Its checks query DNS, Deepgram and AWS, each of which may be slow to fail. */
const DOCTOR_TIMEOUT_MS: Millis = 60_000;

const STYLES: Readonly<Record<Check['verdict'], Style>> = { ok: 'green', warn: 'yellow', fail: 'red' };

/** Of a remedy's text, below its check. */
const REMEDY_START = '      -> '.length;

type Examined = { readonly checks: readonly Check[] };

/** integratorctl doctor. */
export function addDoctorCommand(program: Command, io: Io): void {
  program
    .command('doctor')
    .description(
      'check settings, Deepgram, AWS and this machine, and suggest remedies; also while the daemon does not run',
    )
    .action(async (_options: object, command: Command) => {
      const invocation = new Invocation(command, io);
      const response = await examined(invocation);
      invocation.show(response, () => checkLines(response.checks, invocation));
      const failed = response.checks.filter(({ verdict }) => verdict === 'fail').map(({ name }) => name);
      if (failed.length > 0) throw new Failure(`checks failed: ${failed.join(', ')}; see the remedies above`);
    });
}

async function examined(invocation: Invocation): Promise<Versioned<Examined>> {
  try {
    return await invocation.daemon.post<Examined>('/v1/doctor', { timeoutMs: DOCTOR_TIMEOUT_MS });
  } catch (error) {
    if (!(error instanceof DaemonNotRunning)) throw error;
    invocation.note(`${error.message}; checking what it would need`);
    return { apiVersion: API_VERSION, ...(await checkOffline(invocation.io)) };
  }
}

function checkLines(checks: readonly Check[], { paint, width }: Invocation): string[] {
  const rows = tableLines(
    checks,
    [
      { title: '', text: ({ verdict }) => verdict.toUpperCase(), style: ({ verdict }) => STYLES[verdict] },
      { title: '', text: ({ name }) => name },
      { title: '', text: ({ detail }) => detail },
    ],
    { header: false, paint, width },
  );
  return checks.flatMap(({ remedy }, at) => {
    const row = rows[at] ?? '';
    return remedy ? [row, `      -> ${wrapped(printable(remedy), REMEDY_START, width).join('\n')}`] : [row];
  });
}
