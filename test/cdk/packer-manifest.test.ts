import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { lastImage, NoImage } from '../../cdk/packer-manifest.ts';

function manifestOf(t: ExecutionContext, text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'integratord-manifest-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'manifest.json');
  writeFileSync(file, text);
  return file;
}
const builds = (...ids: string[]) => JSON.stringify({ builds: ids.map((artifact_id) => ({ artifact_id })) });

test('the last build counts', (t) => {
  const file = manifestOf(t, builds('us-east-1:ami-1', 'us-east-1:ami-2'));
  t.is(lastImage('us-east-1', file), 'ami-2');
  t.is(lastImage(undefined, file), 'ami-2');
});

test('of an image in several regions, the one of the stack', (t) => {
  const file = manifestOf(t, builds('eu-west-2:ami-2,us-east-1:ami-1'));
  t.is(lastImage('us-east-1', file), 'ami-1');
  t.throws(() => lastImage(undefined, file), { instanceOf: NoImage, message: /several regions: set AWS_REGION/ });
});

for (const [what, text, message] of [
  ['no build', builds(), /no image in us-east-1/],
  ['no build for this region', builds('eu-west-2:ami-2'), /no image in us-east-1/],
  ['no JSON', 'x', /cannot be read .*packer build packer/],
  ['something else', '{}', /cannot be read/],
] as const) {
  test(`a manifest with ${what} stops the deployment`, (t) => {
    t.throws(() => lastImage('us-east-1', manifestOf(t, text)), { instanceOf: NoImage, message });
  });
}

test('a missing manifest stops the deployment', (t) => {
  const message = /cannot be read .*no such file.*packer build packer/;
  t.throws(() => lastImage('us-east-1', '/nonexistent/manifest.json'), { instanceOf: NoImage, message });
});
