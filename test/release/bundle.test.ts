import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import anyTest, { type ExecutionContext, type TestFn } from 'ava';
import { CHECKOUT } from '../../packer/release/checkout.ts';
import { bytesOf, difference, distinctSamples } from '../audio/tracks.ts';
import { CtlProcess } from '../ctl/ctl-process.ts';
import { AutoScalingControl } from '../simulators/auto-scaling/client.ts';
import { MetadataControl } from '../simulators/imds/client.ts';
import { Program } from '../support/process.ts';
import { channel, Simulators, Stage } from '../system/stage.ts';
import { type BundledPrograms, bundledPrograms } from './bundled-programs.ts';

const test = anyTest as TestFn<{ programs: BundledPrograms }>;

const CUSTOMER = distinctSamples(4 * 8000, 1);
const AGENT = distinctSamples(4 * 8000, 2);
const CALL = { customer: bytesOf(CUSTOMER), agent: bytesOf(AGENT), speed: 20 };
const LONG_CALL = { customer: Buffer.alloc(300 * 8000 * 2), agent: Buffer.alloc(300 * 8000 * 2) };

/** Of all stages: a call has its own stream, and its own tag at Deepgram. */
const simulators = new Simulators();
test.after.always(() => simulators.stop());

test.before(async (t) => {
  t.context = { programs: await bundledPrograms() };
});
test.after.always((t) => t.context.programs?.remove());

for (const workers of ['0', '2']) {
  test(`the bundled daemon transcribes a whole call, sample for sample, with ${workers} worker threads`, async (t) => {
    const stage = await Stage.open({ simulators, daemon: t.context.programs.daemon, env: { WORKERS: workers } });
    t.teardown(() => stage.close());
    const { ended, audio } = await stage.transcribe(await stage.call(CALL));
    t.like(ended, { outcome: 'completed', gapMs: 0 });
    t.is(difference(channel(audio, 0), CUSTOMER), 'the same');
    t.is(difference(channel(audio, 1), AGENT), 'the same');
    t.is(stage.daemon.stderr, '');
  });
}

test('the bundled integratorctl operates the bundled daemon', async (t) => {
  const { daemon, ctl, directory } = t.context.programs;
  const env = { CONTROL_SOCKET: join(directory, 'control.sock') };
  const stage = await Stage.open({ simulators, daemon, env });
  t.teardown(() => stage.close());
  const request = await stage.call(LONG_CALL);
  t.is((await stage.start(request)).status, 200);
  const run = (...args: string[]) => new CtlProcess(args, { script: ctl, env }).ended;
  await showsPage(t, ctl, env);
  const { sessions } = JSON.parse((await run('sessions', '--json')).stdout) as { sessions: { contactId: string }[] };
  t.deepEqual(
    sessions.map(({ contactId }) => contactId),
    [request.contactId],
  );
  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  t.is((await run('version')).stdout, `integratorctl ${version}\nintegratord   ${version}\n`);
  t.like(await run('sessions', 'stop', '--all', '--yes'), { code: 0, stderr: '' });
  t.like(await run('drain'), { code: 0 });
  t.is(await stage.daemon.exited, 0);
  t.like(await run('status'), { code: 3 });
});

/** The bundled integratorctl serves the bundled daemon's page, whose files are all built in. */
async function showsPage(t: ExecutionContext, script: string, env: Record<string, string>): Promise<void> {
  const page = new CtlProcess(['page', '--listen', '0', '--json'], { script, env });
  await page.says('stdout', /}\n$/);
  const { url } = JSON.parse(page.stdout) as { url: string };
  for (const name of await readdir(join(CHECKOUT, 'daemon/control/page'))) {
    const served = await fetch(`${url}/${name}`);
    t.deepEqual(
      [served.status, await served.text()],
      [200, await readFile(join(CHECKOUT, 'daemon/control/page', name), 'utf8')],
      name,
    );
  }
  t.is(((await (await fetch(`${url}/v1/overview`)).json()) as { found: number }).found, 1);
  page.child.kill('SIGINT');
  t.is((await page.ended).code, 130);
}

test('the bundled daemon on an instance uses its role, and completes its lifecycle hook', async (t) => {
  const services = ['imds', 'auto-scaling'].map((name) => new Program(`test/simulators/${name}/main.ts`));
  t.teardown(() => Promise.all(services.map((service) => service.stop('SIGKILL'))));
  const [metadataUrl = '', autoScalingUrl = ''] = await Promise.all(services.map((service) => service.listening()));
  const [metadata, autoScaling] = [new MetadataControl(metadataUrl), new AutoScalingControl(autoScalingUrl)];
  const transition = 'autoscaling:EC2_INSTANCE_TERMINATING';
  await autoScaling.setHooks({ name: 'drain', transition, heartbeatTimeoutS: 3 });
  const stage = await Stage.open({
    simulators,
    daemon: t.context.programs.daemon,
    env: {
      // Without credentials, the SDK loads more code on demand to find some.
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
      AWS_EC2_METADATA_DISABLED: 'false',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: metadataUrl,
      AWS_ENDPOINT_URL_AUTO_SCALING: autoScalingUrl,
    },
  });
  t.teardown(() => stage.close());
  await stage.daemon.line(({ event }) => event === 'lifecycle.on');
  t.like((await stage.transcribe(await stage.call(CALL))).ended, { outcome: 'completed', gapMs: 0 });
  const asked = await metadata.requests();
  t.true(asked.some(({ path, status }) => path.endsWith('/security-credentials/integrator') && status === 200));
  await metadata.setState({ targetLifecycleState: 'Terminated' });
  t.is(await stage.daemon.exited, 0);
  t.is((await autoScaling.requests('CompleteLifecycleAction')).length, 1);
});

test('the bundled daemon reports invalid settings', async (t) => {
  const daemon = new Program(t.context.programs.daemon);
  t.is(await daemon.exited, 78);
  t.regex(daemon.stderr, /^integratord: DEEPGRAM_API_KEY is missing/m);
});

test('a bundle contains no path of the build machine, and imports no external package', async (t) => {
  const { daemon, ctl } = t.context.programs;
  for (const file of [daemon, ctl]) {
    const text = await readFile(file, 'utf8');
    t.false(text.includes(process.cwd()), file);
    t.notRegex(text, /^import /m, file);
  }
});
