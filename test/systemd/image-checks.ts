import assert from 'node:assert/strict';
import { chmod, cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { attempt, run } from './command.ts';
import type { Machine } from './machine.ts';
import type { Tap } from './tap.ts';

const SCRIPTS = fileURLToPath(new URL('../../packer/image', import.meta.url));
/** Path of the scripts in the container, whose /tmp is not that of its root file system. */
const SCRIPTS_INSIDE = '/opt/integratord-image';
const LOG = '/var/log/integratord/integratord.log';
const LOG_SERVICE = 'integratord-log.service';
const AGENT = 'opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl';
/** Poll interval; the file is written every 5 s. */
const LOOK_EVERY_MS = 200;

/** Configures the root file system like the image build, as far as possible on Debian. */
export async function checkImageBuild(tap: Tap, root: string): Promise<void> {
  await tap.check('the image can be configured in a root file system repeatedly', async () => {
    await cp(SCRIPTS, join(root, SCRIPTS_INSIDE), { recursive: true });
    for (let times = 0; times < 2; times++) await run(join(SCRIPTS, 'configure.sh'), ['--root', root]);
    const { stdout } = await attempt('systemctl', [`--root=${root}`, 'is-enabled', 'dnf-automatic-install.timer']);
    assert.equal(stdout.trim(), 'masked');
    await writeAgent(root);
  });
}

/** Checks what the image adds to the daemon. Starts and ends with a stopped unit. */
export async function checkImage(tap: Tap, { unit, root }: Machine): Promise<void> {
  const { container } = unit;
  const selfTest = ['sh', join(SCRIPTS_INSIDE, 'self-test.sh'), '--unit'];

  await tap.check("the image's self-test passes under systemd, and leaves no setting behind", async () => {
    assert.match(await container.run(...selfTest), /was healthy at http:\/\/127\.0\.0\.1:\d+ and stopped cleanly/);
    assert.doesNotMatch(await container.run('systemctl', 'cat', 'integratord.service'), /self-test/);
  });

  await tap.check("the image's self-test fails for a unit that cannot start", async () => {
    await unit.override('[Service]\nExecStart=\nExecStart=/usr/bin/false\n');
    const { code, stderr } = await container.attempt(...selfTest);
    assert.equal(code, 1);
    assert.match(stderr, /systemd could not start integratord\.service/);
    await unit.revert();
  });

  await tap.check("systemd accepts the image's units", async () => {
    const units = ['integratord.service', LOG_SERVICE, 'integratord-log.timer'];
    assert.equal(await container.run('systemd-analyze', 'verify', '--man=no', ...units), '');
    await container.run('systemd-analyze', 'security', '--threshold=15', LOG_SERVICE);
  });

  await tap.check('the log group command configures the agent', async () => {
    await container.run('/usr/local/sbin/integratord-log-group', '/integratord/stack-1');
    const [action, settings] = (await readFile(join(root, 'agent-was-told'), 'utf8')).split('\n');
    assert.equal(action, '-a fetch-config -m ec2 -s -c file:/etc/integratord/cloudwatch-agent.json');
    const { agent, logs } = JSON.parse(settings ?? '');
    assert.equal(agent.run_as_user, 'cwagent');
    assert.deepEqual(logs.logs_collected.files.collect_list, [
      { file_path: LOG, log_group_name: '/integratord/stack-1', log_stream_name: '{instance_id}', timezone: 'UTC' },
    ]);
  });

  const units = ['integratord.service', 'integratord-absence.service'].map((unit) => `--unit=${unit}`);
  const journal = () => container.run('journalctl', '--quiet', '--output=cat', ...units);
  const log = () => container.run('cat', LOG);

  await tap.check('every line of integratord and of the watcher for it reaches the agent’s file once', async () => {
    for (let times = 0; times < 2; times++) {
      await container.run(...selfTest);
      const said = await journal();
      while ((await log()) !== said) await sleep(LOOK_EVERY_MS);
    }
    // By the watcher, in an earlier check: a lost instance must not take its reason with it.
    assert.match(await log(), /"event":"absence\.reported"/);
  });

  await tap.check('only the agent and root can read the file', async () => {
    const stat = (path: string) => container.run('stat', '--format=%a %U %G', path);
    assert.equal(await stat(LOG), '640 integratord-log cwagent\n');
    assert.equal(await stat(dirname(LOG)), '750 integratord-log cwagent\n');
  });

  for (const directory of [dirname(LOG), '/var/lib/integratord-log']) {
    await tap.check(`no line is lost when ${directory} is full`, async () => {
      // From now on it runs only on request.
      await container.run('systemctl', 'stop', 'integratord-log.timer', LOG_SERVICE);
      await container.run('systemctl', 'start', LOG_SERVICE);
      await container.run('mount', '-t', 'tmpfs', '-o', 'size=8k', 'tmpfs', directory);
      await container.run('sh', '-c', 'head -c 8192 /dev/zero >"$1/filler" || true', 'sh', directory);
      await container.run('chown', 'integratord-log:cwagent', directory);
      await container.run(...selfTest);
      assert.notEqual((await container.attempt('systemctl', 'start', LOG_SERVICE)).code, 0);
      await container.run('umount', directory);
      await container.run('systemctl', 'start', LOG_SERVICE);
      assert.equal(await log(), await journal());
    });
  }

  await tap.check('a large log is rotated', async () => {
    const setting = '/run/systemd/system/integratord-log.service.d';
    await container.run('mkdir', setting);
    const dropIn = '[Service]\nEnvironment=INTEGRATORD_LOG_BYTES=1\n';
    await container.run('sh', '-c', 'printf "%s" "$1" >"$2/test.conf"', 'sh', dropIn, setting);
    await container.run('systemctl', 'daemon-reload');
    const before = await log();
    await container.run(...selfTest);
    await container.run('systemctl', 'start', LOG_SERVICE);
    assert.equal(await container.run('cat', `${LOG}.1`), before);
    assert.equal(before + (await log()), await journal());
    await container.run('rm', '-r', setting);
    await container.run('systemctl', 'daemon-reload');
  });
}

/** Replaces the CloudWatch agent, which only Amazon Linux has, with a script that records its arguments. */
async function writeAgent(root: string): Promise<void> {
  const path = join(root, AGENT);
  await mkdir(dirname(path), { recursive: true });
  const settings = '/etc/integratord/cloudwatch-agent.json';
  await writeFile(path, `#!/bin/sh\n{ echo "$@"; tr -d '\\n' <${settings}; } >/agent-was-told\n`);
  await chmod(path, 0o755);
}
