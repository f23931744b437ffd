import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test from 'ava';
import { SHAPES } from '../ctl/contract-shapes.ts';
import { CtlProcess, ctl } from '../ctl/ctl-process.ts';
import { launchChromium, picture } from '../demo/browser.ts';
import { needs } from '../support/tools.ts';
import { Stage } from '../system/stage.ts';
import { TIMEOUT_MS, visit } from './browsing.ts';

const LONG_CALL = { customer: Buffer.alloc(300 * 8000 * 2), agent: Buffer.alloc(300 * 8000 * 2) };

type Served = Awaited<ReturnType<typeof serve>>;

/** A daemon, and integratorctl page for it. */
async function serve() {
  const directory = await mkdtemp(join(tmpdir(), 'page-'));
  const env = { CONTROL_SOCKET: join(directory, 'control.sock') };
  const stage = await Stage.open({ env });
  const page = new CtlProcess(['page', '--listen', '0'], { env });
  const close = async () => {
    page.child.kill('SIGKILL');
    await page.ended;
    await stage.close();
    await rm(directory, { recursive: true });
  };
  await page.says('stdout', /^http:\S+ shows the status page until Ctrl-C$/m);
  const [url = ''] = page.stdout.split(' ');
  return { stage, page, url, env, close };
}

let served: Served;
test.before(async () => {
  served = await serve();
});
test.after.always(() => served?.close());
/** Tests of the one daemon: the second cordons it, the last ends its page. */
const inTurn = test.serial;

interface Asking {
  readonly method?: string;
  readonly headers?: Record<string, string>;
}

/** Unlike fetch, sends any Host and Origin, and to UNIX sockets too. */
async function ask(where: string, path: string, { method = 'GET', headers = {} }: Asking = {}) {
  const address = where.startsWith('http') ? { port: new URL(where).port } : { socketPath: where };
  const asked = request({ ...address, path, method, headers, agent: false }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

inTurn('the control socket serves the page, its files and its data', async (t) => {
  const { stage, env } = served;
  const call = await stage.call(LONG_CALL);
  t.is((await stage.start(call)).status, 200);
  const page = await ask(env.CONTROL_SOCKET, '/');
  t.is(page.status, 200);
  t.regex(String(page.headers['content-security-policy']), /default-src 'none'; script-src 'self'; style-src 'self';/);
  t.is(page.headers['x-content-type-options'], 'nosniff');
  for (const [, file] of page.body.matchAll(/(?:href|src)="([a-z-]+\.\w+)"/g)) {
    t.is((await ask(env.CONTROL_SOCKET, `/${file}`)).status, 200, file);
  }
  const { status, headers, body } = await ask(env.CONTROL_SOCKET, '/v1/overview?sort=lag&limit=5');
  const shape = SHAPES.find(([pattern]) => pattern.test('GET /v1/overview'))?.[1];
  t.deepEqual(
    [status, headers['cache-control'], shape?.safeParse(JSON.parse(body)).error],
    [200, 'no-store', undefined],
  );
  t.like(JSON.parse(body), { found: 1, sessions: [{ contactId: call.contactId }], status: { sessions: 1 } });
  t.notRegex(body, /-of-the-stage|15550100123/);
  t.is((await ask(env.CONTROL_SOCKET, '/v1/overview?sort=name')).status, 400);
  t.is((await ask(env.CONTROL_SOCKET, '/../main.ts')).status, 404);
});

inTurn('through a forwarded control socket, browsers are read-only and foreign host names are rejected', async (t) => {
  const { env } = served;
  const socket = env.CONTROL_SOCKET;
  for (const path of ['/', '/v1/status', '/v1/overview']) {
    t.is((await ask(socket, path, { headers: { host: 'attacker.example:8081' } })).status, 421, path);
    t.is((await ask(socket, path, { headers: { host: 'localhost.attacker.example' } })).status, 421, path);
    t.is((await ask(socket, path, { headers: { host: '127.0.0.1:8081' } })).status, 200, path);
  }
  const marks = [
    { origin: 'http://attacker.example' },
    { origin: 'http://localhost' },
    { 'sec-fetch-site': 'cross-site' },
  ];
  for (const headers of marks) {
    const refused = await ask(socket, '/v1/cordon', { method: 'POST', headers });
    t.is(refused.status, 403, JSON.stringify(headers));
    t.is(JSON.parse(refused.body).reason, 'read-only');
  }
  t.is(JSON.parse((await ask(socket, '/v1/status')).body).state, 'serving');
  t.is((await ask(socket, '/v1/cordon', { method: 'POST' })).status, 200, 'a program may');
});

inTurn('integratorctl page listens only on loopback addresses', async (t) => {
  const { env, url } = served;
  for (const address of ['0.0.0.0:8081', '10.0.0.1:8081', '[::]:8081', 'example.org:80', '70000', '127.0.0.1']) {
    const { code, stderr } = await ctl(['page', '--listen', address], { env });
    t.is(code, 2, address);
    t.regex(stderr, /loopback address and a port/);
  }
  const taken = await ctl(['page', '--listen', new URL(url).host], { env });
  t.is(taken.code, 1);
  t.regex(taken.stderr, /^integratorctl: 127\.0\.0\.1:\d+ is in use; choose another with --listen/);
  t.is((await ctl(['page', '--listen', '0'], { env: { CONTROL_SOCKET: '/nonexistent/control.sock' } })).code, 3);
});

inTurn('integratorctl page forwards only the page’s requests', async (t) => {
  const { url, page } = served;
  t.is((await ask(url, '/')).status, 200);
  t.is((await ask(url, '/page.js')).headers['content-type'], 'text/javascript; charset=utf-8');
  t.is((await ask(url, '/v1/overview?find=x')).status, 200);
  for (const path of [
    '/v1/status',
    '/v1/config',
    '/v1/sessions',
    '/v1/doctor',
    '/v1/overview/../config',
    '//v1/config',
  ]) {
    t.is((await ask(url, path)).status, 404, path);
  }
  for (const [path, method] of [
    ['/v1/drain', 'POST'],
    ['/v1/drain', 'DELETE'],
    ['/', 'HEAD'],
  ] as const) {
    t.is((await ask(url, path, { method })).status, 405, `${method} ${path}`);
  }
  t.is((await ask(url, '/', { headers: { host: 'attacker.example' } })).status, 421);
  page.child.kill('SIGINT');
  t.is((await page.ended).code, 130);
});

needs(test, 'chromium')('the page shows the real daemon’s call, its drain and its end', async (t) => {
  t.timeout(TIMEOUT_MS);
  const { stage, url, env, close } = await serve();
  t.teardown(close);
  const call = await stage.call(LONG_CALL);
  t.is((await stage.start(call)).status, 200);
  const browser = await launchChromium();
  t.teardown(() => browser.close());
  const { page, complaints, origins } = await visit(browser, url);
  await page.getByRole('heading', { name: call.contactId }).waitFor();
  t.is(await page.locator('#state').textContent(), 'Serving');
  t.deepEqual(complaints, []);
  await ctl(['drain', '--detach', '--no-deadline', '--reason', 'kernel <b>update</b>'], { env });
  await page.getByRole('heading', { name: 'Draining: 1 session left' }).waitFor();
  t.regex((await page.locator('#drain-why').textContent()) ?? '', /^Ordered by an operator: kernel <b>update<\/b>\./);
  t.regex((await page.locator('#news').textContent()) ?? '', /^Draining: 1 session left\.$/);
  await picture(page, 'page-real-drain');
  await ctl(['sessions', 'stop', '--all', '--yes'], { env });
  t.is(await stage.daemon.exited, 0);
  await page.locator('#connection[data-state=lost]').waitFor();
  t.regex((await page.locator('#trouble').textContent()) ?? '', /does not respond .* The data below is from \d\d:/);
  t.deepEqual([...origins], [url]);
});
