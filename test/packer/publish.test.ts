import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';

const PUBLISH = join(import.meta.dirname, '../../packer/publish.ts');

/** Runs the command with an `aws` that records its arguments, and exits with `code`. */
function publish(t: ExecutionContext, manifest: string | undefined, code = 0) {
  const directory = mkdtempSync(join(tmpdir(), 'integratord-publish-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const record = join(directory, 'calls');
  writeFileSync(record, '');
  writeFileSync(join(directory, 'aws'), `#!/bin/sh\necho "$*" >>'${record}'\nexit ${code}\n`);
  chmodSync(join(directory, 'aws'), 0o755);
  const file = join(directory, 'manifest.json');
  if (manifest !== undefined) writeFileSync(file, manifest);
  const env = { PATH: `${directory}:/usr/bin:/bin` };
  const { status, stderr } = spawnSync(process.execPath, [PUBLISH, file], { env, encoding: 'utf8' });
  return { status, stderr, calls: readFileSync(record, 'utf8').split('\n').filter(Boolean) };
}
const build = (artifact_id: string, architecture = 'arm64') => ({ artifact_id, custom_data: { architecture } });

test('the last image is written to Parameter Store in each of its regions, by architecture', (t) => {
  const builds = [build('us-east-1:ami-0'), build('eu-west-2:ami-2,us-east-1:ami-1', 'x86_64')];
  const { status, calls } = publish(t, JSON.stringify({ builds }));
  t.is(status, 0);
  const rest = (ami: string) => `--type String --data-type aws:ec2:image --value ${ami} --overwrite`;
  t.deepEqual(calls, [
    `ssm put-parameter --region eu-west-2 --name /integratord/ami/x86_64 ${rest('ami-2')}`,
    `ssm put-parameter --region us-east-1 --name /integratord/ami/x86_64 ${rest('ami-1')}`,
  ]);
});

for (const [what, manifest, message] of [
  ['no manifest', undefined, /no such file/],
  ['no build', '{"builds":[]}', /packer build packer/],
  ['no image', JSON.stringify({ builds: [build('us-east-1:snap-1')] }), /no image in "us-east-1:snap-1"/],
] as const) {
  test(`with ${what} it fails, and writes nothing`, (t) => {
    const { status, stderr, calls } = publish(t, manifest);
    t.is(status, 1);
    t.regex(stderr, message);
    t.deepEqual(calls, []);
  });
}

test('a refusal by AWS fails the command', (t) => {
  t.is(publish(t, JSON.stringify({ builds: [build('us-east-1:ami-1')] }), 254).status, 1);
});
