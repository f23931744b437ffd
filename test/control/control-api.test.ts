import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { LOST } from '../../daemon/admission/history.ts';
import { SessionManager } from '../../daemon/admission/manager.ts';
import { ORDER_LIMITS } from '../../daemon/contract/order-limits.ts';
import { controlApi } from '../../daemon/control/control-api.ts';
import { FakeHost } from '../admission/fake-host.ts';
import { aSession } from '../ctl/examples.ts';
import { listening } from '../support/loopback.ts';
import { recordedLog } from '../support/recorded-log.ts';
import { requestOf } from '../support/session-builders.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

async function stage(t: ExecutionContext) {
  const clock = new VirtualClock();
  const { log } = recordedLog();
  const metrics = { sessionFailed: () => {} };
  const host = new FakeHost();
  const manager = new SessionManager(
    { host, clock, log, metrics, checkpoints: undefined, probe: async () => {} },
    { maxSessions: 10, healthLagMs: 20_000 },
  );
  const doctor = { runs: 0 };
  const listener = controlApi({
    manager,
    settings: {
      shown: {},
      region: 'us-east-1',
      logLevel: 'info',
      drainDeadlineMs: null,
      hasCheckpoints: false,
      takesUnsignedStarts: true,
    },
    clock,
    log,
    startedAtEpochMs: clock.epoch(),
    version: '1',
    lifecycle: { view: () => ({ on: false }) },
    results: {
      status: async () => ({ backlog: 0, oldestAgeMs: 0, deadLetters: 0 }),
      retry: async () => {
        throw new Error('the bucket is gone');
      },
    },
    examine: async () => {
      doctor.runs++;
      return [];
    },
  });
  const port = await listening(t, createServer(listener));
  const send = async (method: string, path: string, body = '', headers: Record<string, string> = {}) => {
    const asked = request({ port, path, method, headers, agent: false });
    asked.end(body);
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    return { status: response.statusCode, body: (await json(response)) as Record<string, unknown> };
  };
  return { manager, host, doctor, send };
}

for (const deadline of ['-1', '1e300', '1.5', '172800001', '"soon"', '{}', 'true']) {
  test(`an order to drain within ${deadline} is refused, and does not drain`, async (t) => {
    const { manager, send } = await stage(t);
    t.like(await send('POST', '/v1/drain', `{"deadlineMs": ${deadline}}`), {
      status: 400,
      body: { reason: 'bad-request' },
    });
    t.false(manager.admission.drain.isDraining);
  });
}

test('an order to drain within two days is taken', async (t) => {
  const { manager, send } = await stage(t);
  t.is((await send('POST', '/v1/drain', '{"deadlineMs": 172800000}')).status, 200);
  t.true(manager.admission.drain.isDraining);
});

for (const [path, field, limit, sized] of [
  ['/v1/drain', 'deadlineMs', ORDER_LIMITS.drainDeadlineMs, (size: number) => size],
  ['/v1/log-level', 'forMs', ORDER_LIMITS.logLevelMs, (size: number) => size],
  ['/v1/cordon', 'reason', ORDER_LIMITS.reasonCharacters, (size: number) => 'x'.repeat(size)],
] as const) {
  test(`${path} accepts the ${field} that integratorctl does, and refuses more in plain words`, async (t) => {
    const { send } = await stage(t);
    const rest = path === '/v1/log-level' ? { level: 'info' } : {};
    const sent = (size: number) => send('POST', path, JSON.stringify({ ...rest, [field]: sized(size) }));
    const refused = await sent(limit + 1);
    t.is(refused.status, 400);
    t.regex(
      String(refused.body['message']),
      new RegExp(`^${field} must be a [a-z ]+( 0| 1)?.*\\b${limit}\\b[a-z, ]*$`),
    );
    t.is((await sent(limit)).status, 200);
  });
}

test('each fault of an order has its line', async (t) => {
  const { send } = await stage(t);
  const message = async (path: string, body: string) => (await send('POST', path, body)).body['message'];
  t.is(
    await message('/v1/log-level', '{"level": "loud", "forMs": 0}'),
    'level must be one of trace, debug, info, warn, error, fatal, silent\n' +
      'forMs must be a whole number of ms from 1 to 86400000',
  );
  t.is(await message('/v1/cordon', '{"why": "x"}'), 'the order must be a JSON object with no fields but reason');
  t.is(await message('/v1/cordon', '[]'), 'the order must be a JSON object with no fields but reason');
});

test('a body over the limit is refused with 413', async (t) => {
  const { manager, send } = await stage(t);
  const body = JSON.stringify({ reason: 'x'.repeat(5000) });
  for (const path of ['/v1/drain', '/v1/cordon', '/v1/log-level']) {
    t.like(await send('POST', path, body), { status: 413, body: { reason: 'body-too-large' } }, path);
  }
  t.false(manager.admission.drain.isDraining);
});

test('no browser can make the doctor run its checks', async (t) => {
  const { doctor, send } = await stage(t);
  for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'http://attacker.example' }]) {
    t.is((await send('GET', '/v1/doctor', '', headers)).status, 403);
    t.is((await send('POST', '/v1/doctor', '', headers)).status, 403);
  }
  t.is(doctor.runs, 0);
  t.is((await send('POST', '/v1/doctor')).status, 200);
  t.is((await send('GET', '/v1/doctor')).status, 200);
  t.is((await send('GET', '/v1/doctor', '', { 'sec-fetch-site': 'same-origin' })).status, 200, 'the last results');
  t.is(doctor.runs, 1);
});

test('a session that is lost while it is stopped has failed, with a reason', async (t) => {
  const { manager, host, send } = await stage(t);
  const starting = manager.start(requestOf('a'), 1000);
  host.last.open();
  const { sessionId } = await starting;
  const stopped = send('POST', `/v1/sessions/${sessionId}/stop`);
  while (host.last.stops.length === 0) await nextTurn();
  host.last.end({ name: 'lost' });
  t.like((await stopped).body, { sessionId, outcome: 'failed', error: LOST });
  t.like((await send('GET', '/v1/history')).body, { ended: [{ sessionId, outcome: 'failed', reason: LOST }] });
});

test('a session’s parameters are shown without personal data, but with the callback’s path, running and ended', async (t) => {
  const { manager, host, send } = await stage(t);
  const params = { callback: 'https://***@example.com/results?***', caller: '+15550100123', model: 'nova-3' };
  const details = { session: aSession(), params, timeline: [] };
  host.details = async () => details;
  const starting = manager.start(requestOf('a'), 1000);
  host.last.open();
  const { sessionId } = await starting;
  const shown = { ...params, caller: '***' };
  t.deepEqual((await send('GET', `/v1/sessions/${sessionId}`)).body['params'], shown);
  host.last.end({ name: 'completed', reason: 'stopped', details });
  while (manager.size > 0) await nextTurn();
  t.like((await send('GET', `/v1/history/${sessionId}`)).body, { ended: { sessionId }, details: { params: shown } });
});

test('dead letters that cannot be read are a refusal with the reason', async (t) => {
  const { send } = await stage(t);
  t.like(await send('GET', '/v1/results'), { status: 200 });
  const { status, body } = await send('POST', '/v1/results/retry');
  t.is(status, 502);
  t.is(body['reason'], 'dead-letters-unreachable');
  t.regex(String(body['message']), /the bucket is gone/);
});
