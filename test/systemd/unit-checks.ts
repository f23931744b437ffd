import assert from 'node:assert/strict';
import { type Machine, SECRETS } from './machine.ts';
import type { Tap } from './tap.ts';

/** On the scale of `systemd-analyze security`, from 0 (best) to 100. */
const MAX_EXPOSURE = 15;
const NO_CAPABILITY = '0000000000000000';

/** Checks the unit without calls. Leaves it running. */
export async function checkUnit(tap: Tap, machine: Machine): Promise<void> {
  const { unit } = machine;
  const { container, journal } = unit;

  await tap.check('systemd accepts the unit and rates its exposure as low', async () => {
    assert.equal(await container.run('systemd-analyze', 'verify', '--man=no', 'integratord.service'), '');
    await container.run('systemd-analyze', 'security', `--threshold=${MAX_EXPOSURE}`, 'integratord.service');
  });

  await tap.check('without settings it reports what is missing, and is not restarted', async () => {
    await journal.entry(({ message }) => message.includes('AWS_REGION is missing'));
    await journal.entry(({ message }) => message.includes('DEEPGRAM_API_KEY is missing'));
    const properties = await unit.until({ ActiveState: 'failed' });
    assert.equal(properties['ExecMainStatus'], '78');
    assert.equal(properties['NRestarts'], '0');
  });

  await tap.check('a serving daemon is not active before READY', async () => {
    await machine.configure();
    // Without systemd-notify it cannot report READY.
    await unit.override('[Service]\nEnvironment=PATH=/nowhere\n');
    const mark = journal.mark;
    await unit.systemctl('start', '--no-block');
    await machine.listening(mark);
    await journal.event('notify.failing', {}, mark);
    assert.equal(await machine.health(), 200);
    assert.equal((await unit.properties())['ActiveState'], 'activating');
    await unit.revert();
  });

  await tap.check('it is active after READY, and accepts calls', async () => {
    const mark = journal.mark;
    await unit.systemctl('restart');
    const { ActiveState, StatusText } = await unit.properties();
    assert.equal(ActiveState, 'active');
    assert.notEqual(StatusText, '');
    await machine.listening(mark);
    assert.equal(await machine.health(), 200);
  });

  await tap.check('it runs as integrator, without privileges, in its own directories', async () => {
    const pid = String(await unit.mainPid());
    const status = await container.run('cat', `/proc/${pid}/status`);
    const uid = (await container.run('id', '-u', 'integrator')).trim();
    assert.match(status, new RegExp(`^Uid:\\s+${uid}\\s+${uid}\\s+${uid}\\s+${uid}$`, 'm'));
    assert.match(status, new RegExp(`^CapBnd:\\s+${NO_CAPABILITY}$`, 'm'));
    assert.match(status, /^NoNewPrivs:\s+1$/m);
    assert.match(status, /^Seccomp:\s+2$/m);
    const owned = ['/run/integratord/control.sock', '/run/integratord', '/var/lib/integratord'];
    assert.deepEqual((await container.run('stat', '--format=%a %U:%G', ...owned)).trim().split('\n'), [
      '660 integrator:integrator',
      '750 integrator:integrator',
      '700 integrator:integrator',
    ]);
  });

  await tap.check('its secrets are credentials, and appear in nothing that others can read', async () => {
    assert.equal(await machine.start(await machine.simulators.call(1), { signed: false }), 401);
    const pid = String(await unit.mainPid());
    for (const shown of [
      await container.run('cat', `/proc/${pid}/environ`, `/proc/${pid}/cmdline`),
      await container.run('systemctl', 'show', 'integratord.service'),
      await container.run('integratorctl', 'config', '--json'),
    ]) {
      assert.ok(!SECRETS.some((secret) => shown.includes(secret)));
    }
  });
}
