import { readFileSync } from 'node:fs';
import test from 'ava';
import { UNIT, unitEnvironment } from '../../daemon/ctl/unit.ts';

const ROOT = new URL('../../', import.meta.url);
const unit = readFileSync(new URL('systemd/integratord.service', ROOT), 'utf8');
const valuesOf = (directive: string) =>
  [...unit.matchAll(new RegExp(`^${directive}=(.*)$`, 'gm'))].map(([, value]) => value ?? '');

/** As systemd expands it: %S, %t and %d are the directories of state, runtime and credentials. */
function environmentInUnit(): Record<string, string> {
  const [credentials] = valuesOf('LoadCredential');
  const [, id, directory] = /^(.*):(.*)$/.exec(credentials ?? '') ?? [];
  const expanded = valuesOf('Environment').map((line) =>
    line.replace('%S', '/var/lib').replace('%t', '/run').replace(`%d/${id}_`, `${directory}/`),
  );
  return Object.fromEntries(expanded.map((line) => /^([^=]*)=(.*)$/.exec(line)?.slice(1) ?? []));
}

test('integratorctl gives a check all that the unit gives the daemon', (t) => {
  const { BOOT_ID, ...environment } = environmentInUnit();
  t.is(BOOT_ID, '%b');
  const { PATH, USER, LOGNAME, HOME, STATE_DIRECTORY, RUNTIME_DIRECTORY, ...settings } =
    unitEnvironment('/etc/integratord');
  t.deepEqual(settings, environment);
  t.deepEqual([USER, LOGNAME], [valuesOf('User')[0], valuesOf('User')[0]]);
  t.is(STATE_DIRECTORY, `/var/lib/${valuesOf('StateDirectory')[0]}`);
  t.is(RUNTIME_DIRECTORY, `/run/${valuesOf('RuntimeDirectory')[0]}`);
  t.deepEqual(valuesOf('EnvironmentFile'), ['-/etc/integratord/integratord.env']);
  const sysusers = readFileSync(new URL('systemd/integratord.sysusers.conf', ROOT), 'utf8');
  t.regex(sysusers, new RegExp(`^u ${UNIT.user} - "integratord" ${HOME}$`, 'm'));
});
