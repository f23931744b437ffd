import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { anEnded, aSession, NOW_EPOCH_MS } from './examples.ts';
import { fakeFor } from './fake-for.ts';
import { atDesk, Screen } from './terminal.ts';

const COMPLETED = anEnded();
const FAILED = anEnded({
  sessionId: 'beef0000-0000-4000-8000-000000000002',
  contactId: 'fade0000-0000-4000-8000-00000000000c',
  outcome: 'failed',
  reason: 'DeepgramLost: 1011 NET-0001',
  gapMs: 2000,
});
const {
  ageMs: _,
  audioMs: __,
  gapMs: ___,
  reconnects: ____,
  worstLagMs: _____,
  ...REFUSED
} = anEnded({
  sessionId: 'cafe0000-0000-4000-8000-000000000003',
  contactId: 'fade0000-0000-4000-8000-00000000000d',
  outcome: 'failed',
  reason: 'did not start: KinesisRefused: ResourceNotFoundException',
});

async function stage(t: Parameters<typeof fakeFor>[0]) {
  const daemon = await fakeFor(t);
  const details = {
    session: aSession({ sessionId: FAILED.sessionId, contactId: FAILED.contactId, state: 'ended' }),
    params: { model: 'nova-3' },
    timeline: [{ atEpochMs: NOW_EPOCH_MS, event: 'deepgram.lost', code: 1011 }],
  };
  daemon.history = [{ ended: REFUSED }, { ended: FAILED, details }, { ended: COMPLETED }];
  const run = async (...args: string[]) => {
    const screen = new Screen({ columns: 160 });
    const { code, stderr } = await atDesk(args, { socketPath: daemon.socketPath, screen });
    return { code, stdout: screen.plain, stderr: stderr.plain };
  };
  return { daemon, run };
}

test('failed sessions are listed with the reason, those that could not start included', async (t) => {
  const { run } = await stage(t);
  const { stdout } = await run('sessions', 'list', '--state', 'failed');
  const lines = stdout.trimEnd().split('\n');
  t.regex(lines[1] ?? '', /^cafe0000 +fade\S+ +failed +5m00s ago +- +- +did not start: KinesisRefused/);
  t.regex(lines[2] ?? '', /^beef0000 .* 2\.0s +DeepgramLost: 1011 NET-0001$/);
  t.is(lines.at(-1), '2 sessions within a day, since the daemon started');
  t.is((await run('sessions', '--state', 'ended', '-o', 'name')).stdout.trim().split('\n').length, 3);
  const json = JSON.parse((await run('sessions', '--state', 'completed', '--json')).stdout);
  t.deepEqual(json, { apiVersion: 1, ended: [COMPLETED] });
});

for (const columns of [60, 80, 140, 200]) {
  test(`the list of ended sessions fits a terminal of ${columns} columns, and -o wide is whole`, async (t) => {
    const { daemon } = await stage(t);
    const reason = `DeepgramRefused: ${'no credit '.repeat(20)}`;
    daemon.history = [{ ended: { ...FAILED, reason } }];
    const desk = { socketPath: daemon.socketPath, screen: new Screen({ columns }) };
    const { stdout } = await atDesk(['sessions', 'list', '--state', 'failed'], desk);
    const [titles = '', row = ''] = stdout.plain.split('\n');
    t.regex(titles, columns < 80 ? /^SESSION +CONTACT +OUTCOME +ENDED +REASON$/ : /^SESSION .* +AUDIO +GAPS +REASON$/);
    t.true(row.length <= columns, row);
    const wide = await atDesk(['sessions', 'list', '--state', 'failed', '-o', 'wide'], {
      ...desk,
      screen: new Screen(),
    });
    t.true(wide.stdout.plain.includes(reason.trim()));
    t.true(wide.stdout.plain.includes(FAILED.sessionId));
  });
}

test('what does not apply to ended sessions is refused', async (t) => {
  const { run } = await stage(t);
  for (const option of [
    ['--sort', 'lag'],
    ['--columns', 'lag'],
  ]) {
    const { code, stderr } = await run('sessions', 'list', '--state', 'ended', ...option);
    t.is(code, 2);
    t.regex(stderr, /--sort and --columns are for running sessions/);
  }
});

test('show answers why a call was not transcribed, by its contact id', async (t) => {
  const { run } = await stage(t);
  const failed = await run('sessions', 'show', FAILED.contactId);
  t.regex(failed.stdout, /^outcome +failed\nreason +DeepgramLost: 1011 NET-0001\nended +2026-01-02T02:59:05\.000Z$/m);
  t.regex(failed.stdout, /deepgram\.lost +code=1011/);
  t.regex(failed.stdout, /^Deepgram request +request-1$/m);
  const refused = await run('sessions', 'show', REFUSED.contactId);
  t.regex(refused.stdout, /^reason +did not start: KinesisRefused/m);
  t.regex(refused.stdout, /^contact +fade0000-0000-4000-8000-00000000000d$/m);
});

test('of a contact, the running session is shown before one that has ended', async (t) => {
  const { daemon, run } = await stage(t);
  daemon.sessions = [aSession({ contactId: FAILED.contactId })];
  t.regex((await run('sessions', 'show', FAILED.contactId)).stdout, /^state +running$/m);
  t.regex((await run('sessions', 'show', 'beef')).stdout, /^outcome +failed$/m);
});

test('logs prints the journal’s lines of a contact and its sessions', async (t) => {
  const { daemon } = await stage(t);
  const directory = await mkdtemp(join(tmpdir(), 'journal-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const lines = [
    { sessionId: FAILED.sessionId, contactId: FAILED.contactId, event: 'session.started' },
    { sessionId: COMPLETED.sessionId, contactId: COMPLETED.contactId, event: 'session.started' },
    { contactId: FAILED.contactId, event: 'start.refused', error: 'with a line \u2028separator' },
    { event: 'other', text: FAILED.contactId },
  ].map((line) => JSON.stringify(line));
  const journal = join(directory, 'journalctl');
  const ofUnit = '--unit integratord --since -24h --output cat --no-pager --quiet';
  const ofSystem = '--system --lines 1 --output cat --no-pager --quiet';
  const shown = `cat <<'END'\nnot JSON ${FAILED.contactId}\n${lines.join('\n')}\nEND`;
  await writeFile(
    journal,
    `#!/bin/sh\nif [ "$*" = "${ofSystem}" ]; then exit; fi\n[ "$*" = "${ofUnit}" ] || exit 9\n${shown}\n`,
  );
  await chmod(journal, 0o755);
  const desk = { socketPath: daemon.socketPath, env: { PATH: `${directory}:/bin:/usr/bin` } };
  const { code, stdout } = await atDesk(['logs', FAILED.contactId.slice(0, 36)], desk);
  t.is(code, 0);
  t.deepEqual(stdout.plain.trimEnd().split('\n'), [lines[0], lines[2]?.replace('\u2028', '\\u2028')]);
  t.is((await atDesk(['logs', 'nobody'], desk)).code, 4);
  t.is((await atDesk(['logs', ''], desk)).code, 2);
  // After a restart the daemon does not know the contact any more.
  daemon.history = [];
  const restarted = await atDesk(['logs', FAILED.contactId.slice(0, 36)], { ...desk, screen: new Screen() });
  t.deepEqual(restarted.stdout.plain, stdout.plain);
  const down = { ...desk, socketPath: join(directory, 'none.sock'), screen: new Screen() };
  t.deepEqual((await atDesk(['logs', FAILED.contactId.slice(0, 30)], down)).stdout.plain.split('\n').length, 4);
});

const DENIED = 'echo No journal files were opened due to insufficient permissions. >&2; exit 1';
for (const [who, script] of [
  ['with a journal of their own', `case "$*" in *--system*) ${DENIED};; esac`],
  ['without one', DENIED],
] as const) {
  test(`a user ${who} who may not read the system’s journal gets the name of the group, and exit code 7`, async (t) => {
    const { daemon } = await stage(t);
    const directory = await mkdtemp(join(tmpdir(), 'journal-'));
    t.teardown(() => rm(directory, { recursive: true }));
    const journal = join(directory, 'journalctl');
    await writeFile(journal, `#!/bin/sh\n${script}\n`);
    await chmod(journal, 0o755);
    const env = { PATH: `${directory}:/bin:/usr/bin` };
    const { code, stderr } = await atDesk(['logs', FAILED.contactId], { socketPath: daemon.socketPath, env });
    t.is(code, 7);
    t.is(
      stderr.plain,
      "integratorctl: no permission to read the system's journal; use sudo, or join the group systemd-journal\n",
    );
  });
}

test('without a journal, logs says where to look', async (t) => {
  const { daemon } = await stage(t);
  const { code, stderr } = await atDesk(['logs', 'x'], { socketPath: daemon.socketPath, env: { PATH: '/nowhere' } });
  t.is(code, 1);
  t.regex(stderr.plain, /there is no journalctl on this machine; read the log where/);
});
