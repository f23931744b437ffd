import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { actionIn, exitIn, ourFlow } from './our-flows.ts';

const OUR_FLOWS = ['load-test', 'sample-inbound-synchronous', 'sample-inbound', 'sample-transfer'];
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Runs the checker as `npm run check:flows` does. */
function check(...files: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['trigger/flows/check.ts', ...files],
      { cwd: ROOT },
      (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
    );
  });
}

test('without arguments the checker checks our own flows, which pass', async (t) => {
  t.deepEqual(await check(), {
    code: 0,
    stdout: OUR_FLOWS.map((name) => `trigger/flows/${name}.json: ok\n`).join(''),
    stderr: '',
  });
});

test('a finding is a line with file, severity, block, rule and reason; warnings alone exit with 0', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'flows-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const flow = ourFlow('sample-inbound');
  exitIn(flow, 'Invoke trigger', 'NoMatchingError').lead('Hang up');
  const file = join(directory, 'changed.json');
  await writeFile(file, JSON.stringify(flow));

  const { code, stdout } = await check('trigger/flows/load-test.json', file);
  t.is(code, 0);
  const lines = stdout.trimEnd().split('\n');
  t.is(lines[0], 'trigger/flows/load-test.json: ok');
  t.true(lines.slice(1).every((line) => line.startsWith(`${file}: `)));
  const lost = 'the error NoMatchingError hangs up on the caller, without the call that follows a success.';
  const block = 'Invoke trigger, AWS Lambda function (InvokeLambdaFunction)';
  t.true(lines.includes(`${file}: warning: ${block}: caller-lost: ${lost}`), stdout);
  t.regex(lines.at(-1) ?? '', /ok, with \d+ warnings$/);
});

test('a missing file is named, with exit code 2, and the other files are checked', async (t) => {
  const { code, stdout, stderr } = await check('no-such-flow.json', 'trigger/flows/load-test.json');
  t.is(code, 2);
  t.is(stdout, 'trigger/flows/load-test.json: ok\n');
  t.regex(stderr, /^no-such-flow\.json: cannot be read: ENOENT/);
});

test('the trigger can be named; a name that no function has is an error', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'flows-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const flow = ourFlow('sample-inbound');
  const arn = 'arn:aws:lambda:us-east-1:123456789012:function:transcribe';
  actionIn(flow, 'Invoke trigger').Parameters['LambdaFunctionARN'] = arn;
  const file = join(directory, 'chosen.json');
  await writeFile(file, JSON.stringify(flow));
  t.deepEqual(await check('--trigger', 'transcribe', file), { code: 0, stdout: `${file}: ok\n`, stderr: '' });

  const { code, stdout } = await check('--trigger', 'no-such-function', file);
  t.is(code, 1);
  t.regex(stdout, /: error: \(flow\): no-such-trigger: No action .* "no-such-function" in its ARN: .*\n$/);
});

test('a flow in the old format is named, with exit code 2', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'flows-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const file = join(directory, 'old.json');
  await writeFile(file, '{"modules":[],"version":"1","start":""}');
  const { code, stdout, stderr } = await check(file);
  t.deepEqual([code, stdout], [2, '']);
  t.true(stderr.startsWith(`${file}: cannot be checked: it is in the editor's old format`), stderr);
});

test('anything that the trigger refuses is an error, with exit code 1', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'flows-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const flow = ourFlow('sample-inbound');
  Object.assign(actionIn(flow, 'Set Deepgram parameters').Parameters['Attributes'] as object, { dg_channels: '2' });
  const [file, nothing] = [join(directory, 'locked.json'), join(directory, 'nothing.json')];
  await writeFile(file, JSON.stringify(flow));
  await writeFile(nothing, '{}');

  const { code, stdout } = await check(file, nothing);
  t.is(code, 1);
  const [locked, noFlow] = stdout.split('\n');
  t.regex(
    locked ?? '',
    /: error: Set Deepgram parameters, Set contact attributes .*: refused-attribute: .*dg_channels/,
  );
  t.regex(noFlow ?? '', /: error: \(flow\): not-a-flow: /);
});

test('a reader that closes the pipe early gets no error', async (t) => {
  const files = Array.from({ length: 500 }, () => 'trigger/flows/load-test.json');
  const child = spawn(process.execPath, ['trigger/flows/check.ts', ...files], { cwd: ROOT });
  let stderr = '';
  child.stderr.on('data', (text) => {
    stderr += text;
  });
  child.stdout.once('data', () => child.stdout.destroy());
  const [code] = await once(child, 'close');
  t.is(stderr, '');
  t.is(code, 0);
});
