import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { AutoScalingControl } from '../simulators/auto-scaling/client.ts';
import { Program } from '../support/process.ts';
import type { Machine } from './machine.ts';
import type { Tap } from './tap.ts';

const SERVICE = 'integratord-absence.service';
const DROP_IN = `/run/systemd/system/${SERVICE}.d/test.conf`;
const OVERRIDES = '/run/systemd/system/integratord.service.d';
/** Five minutes, shortened. */
const ABSENCE_S = 4;
/** How often the timer looks here: it starts the service only twice a minute. */
const LOOK_EVERY_MS = 500;
/** As long as five minutes would be, with time for a slow machine. */
const PATIENCE_MS = 60_000;

/** Ways in which a daemon goes away for good, and what puts the machine into that state. */
const ABSENCES: Readonly<Record<string, (machine: Machine) => Promise<void>>> = {
  'a stop by an operator': ({ unit }) => unit.systemctl('stop'),
  'an exit with 0': async ({ unit }) => {
    await unit.container.run('integratorctl', 'drain');
    await unit.until({ ActiveState: 'inactive' });
  },
  'an exit with 78': async ({ unit }) => {
    await unit.override('[Service]\nEnvironment=AWS_REGION=\nExecStart=\nExecStart=/bin/sh -c "exit 78"\n');
    await unit.container.attempt('systemctl', 'restart', 'integratord.service');
    await unit.until({ ActiveState: 'failed' });
  },
  'a crash loop': async ({ unit }) => {
    await unit.override('[Service]\nExecStart=\nExecStart=/bin/sh -c "exit 1"\n');
    await unit.container.attempt('systemctl', 'restart', '--no-block', 'integratord.service');
  },
};

/** Checks that a dead daemon is reported to Auto Scaling. Starts and ends with a running unit. */
export async function checkAbsence(tap: Tap, machine: Machine): Promise<void> {
  const { container } = machine.unit;
  const aws = new Program('test/simulators/auto-scaling/main.ts', ['--group-name', 'fleet', '--region', 'us-east-1']);
  const imds = new Program('test/simulators/imds/main.ts');
  try {
    const autoScaling = new AutoScalingControl(await aws.listening());
    await shorten(machine, autoScaling.url, await imds.listening());
    const reports = async () => (await autoScaling.requests('SetInstanceHealth')).length;
    const look = () => container.attempt('systemctl', 'start', SERVICE);
    const lookUntil = async (isSo: () => Promise<boolean>) => {
      for (const began = Date.now(); !(await isSo()); await sleep(LOOK_EVERY_MS)) {
        assert.ok(Date.now() - began < PATIENCE_MS, await container.run('journalctl', '--quiet', `--unit=${SERVICE}`));
        await look();
      }
    };

    await tap.check('systemd accepts the units that watch for the daemon, and the timer runs', async () => {
      const units = [SERVICE, 'integratord-absence.timer'];
      assert.equal(await container.run('systemd-analyze', 'verify', '--man=no', ...units), '');
      await container.run('systemd-analyze', 'security', '--threshold=25', SERVICE);
      assert.equal((await container.run('systemctl', 'is-active', 'integratord-absence.timer')).trim(), 'active');
    });

    await tap.check('a daemon that runs, and a restart, are not reported', async () => {
      for (let looks = 0; looks < 3; looks++) await look();
      // Two runs a minute would fill the log.
      assert.equal(await container.run('journalctl', '--quiet', `--unit=${SERVICE}`), '');
      await machine.unit.systemctl('restart');
      for (let looks = 0; looks < 3; looks++) await look();
      assert.equal(await reports(), 0);
    });

    for (const [name, bring] of Object.entries(ABSENCES)) {
      await tap.check(`${name} is reported to Auto Scaling once`, async () => {
        await autoScaling.setInstance({ lifecycleState: 'InService', isHealthy: true });
        const before = await reports();
        await bring(machine);
        await lookUntil(async () => (await reports()) > before);
        for (let looks = 0; looks < 3; looks++) await look();
        assert.equal(await reports(), before + 1);
        await restore(machine);
      });
    }

    await tap.check(
      'an instance in Standby is left alone, and one of a fleet that fails as a whole waits',
      async () => {
        await autoScaling.setInstance({ lifecycleState: 'Standby', isHealthy: true });
        const before = await reports();
        const asked = async () => (await autoScaling.requests('DescribeAutoScalingGroups')).length;
        const askedBefore = await asked();
        await machine.unit.systemctl('stop');
        await lookUntil(async () => (await asked()) > askedBefore);
        await autoScaling.setInstance({ lifecycleState: 'InService' });
        await autoScaling.setNeighbors({ instanceId: 'i-2', lifecycleState: 'Pending:Wait', isHealthy: true });
        const askedSince = await asked();
        await lookUntil(async () => (await asked()) > askedSince + 1);
        assert.equal(await reports(), before);
        await autoScaling.setNeighbors({ instanceId: 'i-2', lifecycleState: 'InService', isHealthy: true });
        await lookUntil(async () => (await reports()) > before);
        await restore(machine);
      },
    );
  } finally {
    await container.run('rm', '-rf', DROP_IN, '/run/integratord-absence');
    await container.run('systemctl', 'daemon-reload');
    await Promise.all([aws.stop('SIGKILL'), imds.stop('SIGKILL')]);
  }
}

/** Shortens the five minutes, and names the services of AWS that are outside the container. */
async function shorten({ unit: { container } }: Machine, autoScaling: string, imds: string): Promise<void> {
  const environment = {
    ABSENCE_SECONDS: String(ABSENCE_S),
    AWS_EC2_METADATA_DISABLED: 'false',
    AWS_EC2_METADATA_SERVICE_ENDPOINT: imds,
    AWS_ENDPOINT_URL_AUTO_SCALING: autoScaling,
  };
  // Last, so that they count more than integratord.env, which is a file.
  const program = `/usr/bin/env ${Object.entries(environment)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')} /opt/integratord/bin/integratord-absence`;
  const lines = `[Service]\nExecStart=\nExecStart=${program}\n`;
  await container.run('mkdir', '-p', `/run/systemd/system/${SERVICE}.d`);
  await container.run('sh', '-c', 'printf "%s" "$1" >"$2"', 'sh', lines, DROP_IN);
  await container.run('systemctl', 'daemon-reload');
}

async function restore(machine: Machine): Promise<void> {
  const { unit } = machine;
  if ((await unit.container.attempt('test', '-d', OVERRIDES)).code === 0) await unit.revert();
  // The port is another one after each start.
  const mark = unit.journal.mark;
  await unit.systemctl('restart');
  await machine.listening(mark);
  await unit.container.run('rm', '-f', '/run/integratord-absence/since');
}
