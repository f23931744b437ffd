import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import anyTest from 'ava';
import { identityAt, makeCertificates } from '../load/certificates.ts';
import { AutoScalingControl } from '../simulators/auto-scaling/client.ts';
import { ProxyControl } from '../simulators/proxy/client.ts';
import { Program } from '../support/process.ts';
import { TlsTerminator } from '../support/tls-terminator.ts';
import { needs } from '../support/tools.ts';

const test = needs(anyTest, 'openssl');
/** Only the proxy can resolve it. */
const AUTO_SCALING = 'autoscaling.aws.test';
const CREDENTIALS = 'watcher:pass-word-of-the-proxy';

test('a dead daemon is reported through the daemon’s proxy, with the credentials in its file', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'integratord-absence-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const certificates = await makeCertificates(directory, [`DNS:${AUTO_SCALING}`]);
  const identity = identityAt(certificates);
  if (!identity) throw new Error('no certificate was made');
  const group = ['--group-name', 'fleet', '--region', 'us-east-1'];
  const aws = new Program('test/simulators/auto-scaling/main.ts', group);
  const imds = new Program('test/simulators/imds/main.ts');
  const proxy = new Program('test/simulators/proxy/main.ts', ['--credentials', CREDENTIALS]);
  for (const program of [aws, imds, proxy]) t.teardown(() => program.stop('SIGKILL'));
  const autoScaling = new AutoScalingControl(await aws.listening());
  await autoScaling.setInstance({ lifecycleState: 'InService', isHealthy: true });
  const terminator = await TlsTerminator.before(autoScaling.url, identity);
  t.teardown(() => terminator.close());
  const proxyUrl = new URL(await proxy.listening());
  const control = new ProxyControl(proxyUrl.href);
  [proxyUrl.username, proxyUrl.password] = CREDENTIALS.split(':') as [string, string];
  const proxyFile = join(directory, 'https-proxy');
  await writeFile(proxyFile, `${proxyUrl.href}\n`);

  const reporter = new Program('daemon/lifecycle/report-absence.ts', [], {
    AWS_EC2_METADATA_DISABLED: 'false',
    AWS_EC2_METADATA_SERVICE_ENDPOINT: await imds.listening(),
    AWS_ACCESS_KEY_ID: 'id',
    AWS_SECRET_ACCESS_KEY: 'key',
    AWS_ENDPOINT_URL_AUTO_SCALING: `https://${AUTO_SCALING}:${terminator.port}`,
    HTTPS_PROXY_FILE: proxyFile,
    NODE_EXTRA_CA_CERTS: certificates.caPath,
  });
  t.like(await reporter.line(({ event }) => event !== undefined), { event: 'absence.reported', groupName: 'fleet' });
  t.is((await autoScaling.requests('SetInstanceHealth')).length, 1);
  t.true(JSON.stringify(await control.facts()).includes(AUTO_SCALING));
});
