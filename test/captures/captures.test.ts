import anyTest from 'ava';
import { anEnded, aSession, NOW_EPOCH_MS } from '../ctl/examples.ts';
import { fakeFor } from '../ctl/fake-for.ts';
import { needs } from '../support/tools.ts';
import { Tmux } from './tmux.ts';

const test = needs(anyTest, 'tmux');
const ERROR = `DeepgramRefused: Deepgram refused the stream: ${'no credit '.repeat(8)}(HTTP 402, dg-request-id request-1)`;

for (const [columns, rows] of [
  [80, 24],
  [140, 40],
] as const) {
  test(`on a terminal of ${columns}x${rows}, no line of integratorctl is broken by the terminal`, async (t) => {
    const daemon = await fakeFor(t);
    daemon.sessions = Array.from({ length: 40 }, (_, at) => aSession({ sessionId: `c0ffee${at}`, gapMs: at * 1000 }));
    daemon.details = { params: { tag: 'x y' }, timeline: [{ atEpochMs: NOW_EPOCH_MS, event: 'deepgram.lost', ERROR }] };
    daemon.history = [{ ended: anEnded({ outcome: 'failed', reason: ERROR }) }];
    daemon.checks = [{ name: 'deepgram', verdict: 'fail', detail: ERROR, remedy: ERROR }];
    const tmux = new Tmux({ CONTROL_SOCKET: daemon.socketPath });
    t.teardown(() => tmux.close());
    const size = { columns, rows };
    for (const command of ['sessions', 'sessions list --state failed', 'sessions show c0ffee7', 'status', 'doctor']) {
      const { seen, written } = await tmux.run(command, size);
      t.deepEqual(seen, written, command);
      t.true(seen.length > 1 && seen.every((line) => line.length <= columns), command);
    }
    const { seen } = await tmux.show('sessions watch', size, /and \d+ more/);
    t.true(seen.length <= rows);
    t.regex(seen[0] ?? '', /^40 sessions, largest lag /);
  });
}
