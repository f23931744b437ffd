import type { Command } from 'commander';
import { API_VERSION, type Versioned } from '../../contract/control-api.ts';
import { DaemonNotRunning, Failure } from '../failure.ts';
import { Invocation } from '../invocation.ts';
import type { Io } from '../io.ts';
import { checkOffline } from '../offline.ts';
import { pairLines } from '../output/table.ts';

type Settings = { readonly settings: Readonly<Record<string, unknown>> };

/** Checks that concern the settings themselves, not what they name. */
const OF_SETTINGS = /^(settings file|secret )/;

/** integratorctl config; the daemon reports of secrets only whether they are set. */
export function addConfigCommand(program: Command, io: Io): void {
  program
    .command('config')
    .description("show the daemon's settings, also while it does not run; of secrets, only whether they are set")
    .action(async (_options: object, command: Command) => {
      const invocation = new Invocation(command, io);
      const response = await settingsOf(invocation);
      invocation.show(response, () => pairLines(Object.entries(response.settings).map(shown), invocation));
    });
}

async function settingsOf(invocation: Invocation): Promise<Versioned<Settings>> {
  try {
    return await invocation.daemon.get<Settings>('/v1/config');
  } catch (error) {
    if (!(error instanceof DaemonNotRunning)) throw error;
    invocation.note(`${error.message}; showing what it would start with`);
    const { checks, settings } = await checkOffline(invocation.io);
    for (const { name, verdict, detail } of checks) {
      if (verdict !== 'ok' && OF_SETTINGS.test(name)) invocation.note(`${name}: ${detail}`);
    }
    const invalid = checks.find(({ name, verdict }) => name === 'settings' && verdict === 'fail');
    if (invalid) throw new Failure(`the settings are invalid: ${invalid.detail}`);
    return { apiVersion: API_VERSION, settings };
  }
}

function shown([name, value]: [string, unknown]): readonly [string, string] {
  return [name, typeof value === 'string' ? value : (JSON.stringify(value) ?? '')];
}
