import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import anyTest from 'ava';
import { needs } from '../support/tools.ts';
import { temporaryDirectory } from './directory.ts';
import { attemptAsRoot } from './program.ts';
import { PACKER } from './template.ts';

const test = needs(anyTest, 'root or user namespaces', 'systemctl');
const SCRIPT = join(PACKER, 'image/clean-up.sh');

/** Files of a build instance that must not be in the image. */
const OF_THE_BUILD = [
  'root/.ssh/authorized_keys',
  'home/ec2-user/.ssh/authorized_keys',
  'home/ec2-user/.bash_history',
  'root/.bash_history',
  'root/.aws/credentials',
  'etc/ssh/ssh_host_ed25519_key',
  'etc/ssh/ssh_host_ed25519_key.pub',
  'etc/integratord/credentials/deepgram-api-key',
  'etc/integratord/cloudwatch-agent.json',
  'var/lib/systemd/random-seed',
  'var/lib/cloud/instances/i-1/user-data.txt',
  'var/lib/amazon/ssm/Vault/Store/InstanceFingerprint',
  'var/lib/integratord/call.json',
  'var/lib/integratord-log/cursor',
  'var/log/journal/0123/system.journal',
  'var/log/cloud-init.log',
  'var/log/integratord/integratord.log',
  'var/cache/dnf/packages.solv',
  'opt/aws/amazon-cloudwatch-agent/logs/state/log',
  'tmp/integratord.tar.gz',
  'tmp/integratord-image/clean-up.sh',
];
/** Files that the image must keep. */
const OF_THE_IMAGE = [
  'etc/passwd',
  'etc/ssh/sshd_config',
  'etc/integratord/integratord.env',
  'etc/sysctl.d/60-integratord.conf',
  'home/ec2-user/.bashrc',
  'opt/integratord/bin/node',
  'opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl',
  'usr/lib/systemd/system/sshd.service',
];

test('clean-up removes what belongs to the build instance, and keeps the image', async (t) => {
  const root = await temporaryDirectory(t);
  for (const path of [...OF_THE_BUILD, ...OF_THE_IMAGE]) await write(root, path, 'something');
  await write(root, 'etc/machine-id', '0123456789abcdef0123456789abcdef\n');
  const { code, stderr } = await attemptAsRoot(SCRIPT, ['--root', root]);
  t.is(code, 0, stderr);
  const left = await files(root);
  t.deepEqual(left, [...OF_THE_IMAGE, 'etc/machine-id'].sort());
  t.is(await readFile(join(root, 'etc/machine-id'), 'utf8'), '');
  t.true((await stat(join(root, 'var/log/integratord'))).isDirectory(), 'who writes a log expects its directory');
});

for (const [what, path, text] of [
  ['a key in an unusual place', 'home/ec2-user/keys/id_ed25519', 'a key'],
  [
    'a credential of AWS in a file of the daemon',
    'etc/integratord/integratord.env',
    'AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE',
  ],
  ['a private key, whatever its name', 'root/notes.txt', '-----BEGIN RSA PRIVATE KEY-----'],
] as const) {
  test(`the build fails if the image has ${what}`, async (t) => {
    const root = await temporaryDirectory(t);
    for (const each of OF_THE_IMAGE) await write(root, each, 'something');
    await write(root, 'etc/integratord/credentials/deepgram-api-key', 'something');
    await write(root, 'root/.bashrc', 'something');
    await write(root, 'var/log/messages', 'something');
    await write(root, path, text);
    const { code, stderr } = await attemptAsRoot(SCRIPT, ['--root', root]);
    t.is(code, 1);
    t.true(stderr.includes(join(root, path)), stderr);
  });
}

async function write(root: string, path: string, text: string): Promise<void> {
  await mkdir(join(root, dirname(path)), { recursive: true });
  await writeFile(join(root, path), text);
}

/** The path of every file in it. */
async function files(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => !entry.isDirectory()).map(({ parentPath, name }) => join(parentPath, name));
  return paths.map((path) => path.slice(root.length + 1)).sort();
}
