import assert from 'node:assert/strict';
import type { Machine } from './machine.ts';
import { LOCAL_WEBHOOK, SECRETS } from './machine.ts';
import type { LiveCall } from './simulators.ts';
import type { Tap } from './tap.ts';

/** What Deepgram has of a call that lost nothing. */
const whole = (connections: number) => ({
  customer: 'the same',
  agent: 'the same',
  missingMs: 0,
  agrees: true,
  connections,
});

/** Checks calls while the unit is killed, hangs, stops and drains. Starts with a running unit, ends with a stopped one. */
export async function checkCalls(tap: Tap, machine: Machine): Promise<void> {
  const { unit, simulators } = machine;
  const { journal } = unit;
  const calls: LiveCall[] = [];

  /** A running session of a call of `seconds`; Deepgram has received the first `heardS`. */
  async function running(seconds: number, heardS: number): Promise<LiveCall> {
    const call = await simulators.call(seconds);
    calls.push(call);
    assert.equal(await machine.start(call), 200);
    await simulators.heard(call, heardS);
    return call;
  }

  /** Ends the daemon with `deed`; systemd starts another one, which continues the call to its end. */
  async function survives(call: LiveCall, deed: (mark: number) => Promise<void>): Promise<void> {
    const { contactId } = call.request;
    const sessionId = (await machine.sessions())[0]?.sessionId;
    const restarts = Number((await unit.properties())['NRestarts']);
    const { mark } = journal;
    await deed(mark);
    await machine.listening(mark);
    assert.equal((await journal.event('session.started', { contactId }, mark))['sessionId'], sessionId);
    assert.equal((await unit.until({ ActiveState: 'active' }))['NRestarts'], String(restarts + 1));
    assert.equal((await machine.ended(call))['outcome'], 'completed');
    assert.deepEqual(await simulators.compare(call), whole(2));
  }

  await tap.check('a call is transcribed, and integratorctl shows its session', async () => {
    const call = await running(6, 1);
    const { contactId } = call.request;
    const [session, ...others] = await machine.sessions();
    assert.equal(session?.contactId, contactId);
    assert.equal(session?.state, 'running');
    assert.deepEqual(others, []);
    // The list shortens ids.
    assert.match(await unit.container.run('integratorctl', 'sessions'), new RegExp(contactId.slice(0, 8)));
    assert.equal((await machine.ended(call))['outcome'], 'completed');
    assert.deepEqual(await simulators.compare(call), whole(1));
  });

  await tap.check('a webhook whose name leads to this host is refused, and the call continues', async () => {
    const pid = await unit.mainPid();
    const { request, ...spoken } = await simulators.call(4);
    const call = { request: { ...request, results: { webhook: LOCAL_WEBHOOK } }, ...spoken };
    const { mark } = journal;
    assert.equal(await machine.start(call), 200);
    calls.push(call);
    const { contactId } = request;
    const { reason } = await journal.event('results.failing', { contactId }, mark);
    assert.match(String(reason), /consumer\.example is not posted to: 127\.0\.0\.1 is loopback/);
    assert.equal((await machine.ended(call))['outcome'], 'completed');
    assert.deepEqual(await simulators.compare(call), whole(1));
    assert.equal(await unit.mainPid(), pid);
  });

  await tap.check('after kill -9 it is restarted, and the call continues without a loss', async () => {
    await survives(await running(16, 4), () => unit.signal('KILL'));
  });

  await tap.check('when it hangs, the watchdog ends it, and the call continues without a loss', async () => {
    await survives(await running(36, 4), async (mark) => {
      await unit.signal('STOP');
      await journal.entry(({ message }) => message.includes('Watchdog timeout'), mark);
    });
  });

  await tap.check('systemctl stop waits for the end of the call', async () => {
    const call = await running(14, 3);
    await unit.systemctl('stop', '--no-block');
    await unit.until({ ActiveState: 'deactivating' });
    assert.equal(await machine.health(), 503);
    const { bootId } = JSON.parse(await unit.container.run('cat', '/var/lib/integratord/drain.json'));
    const boot = await unit.container.run('cat', '/proc/sys/kernel/random/boot_id');
    assert.equal(bootId, boot.trim().replaceAll('-', ''), 'a record of an earlier boot would not be told apart');
    assert.equal((await machine.sessions())[0]?.state, 'running');
    assert.equal((await machine.ended(call))['outcome'], 'completed');
    const { Result, ExecMainStatus } = await unit.until({ ActiveState: 'inactive' });
    assert.deepEqual([Result, ExecMainStatus], ['success', '0']);
    assert.deepEqual(await simulators.compare(call), whole(1));
  });

  await tap.check('integratorctl drain ends it, and it is not restarted', async () => {
    const { mark } = journal;
    await unit.systemctl('start');
    await machine.listening(mark);
    await unit.container.run('integratorctl', 'drain');
    const { Result, SubState } = await unit.until({ ActiveState: 'inactive' });
    assert.deepEqual([Result, SubState], ['success', 'dead'], 'not auto-restart');
  });

  await tap.check('the journal has the lines of every session, and no secret', async () => {
    const lines = (await unit.container.run('journalctl', '--output=cat', '--unit=integratord')).split('\n');
    for (const { request } of calls) {
      const ofCall = lines.filter((line) => line.startsWith('{') && line.includes(request.contactId));
      const events = ofCall.map((line) => (JSON.parse(line) as Record<string, unknown>)['event']);
      assert.ok(events.includes('session.started') && events.includes('session.ended'), events.join(' '));
    }
    assert.ok(!lines.some((line) => SECRETS.some((secret) => line.includes(secret))));
  });
}
